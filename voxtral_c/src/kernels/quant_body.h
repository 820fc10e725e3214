/* quant_body.h - products of quantised weights, written once over vectors; included behind
 * simd_body.h by the files of the instruction sets.
 *
 * Weights come with 16 rows interleaved (interleave.h): a line is 4 bytes of each row, and a lane is a
 * row, so that a line is unpacked by a few instructions and no sum runs across lanes. For each chunk of
 * 256 weights the scales are made first. A few columns, one tile, are multiplied with what is unpacked
 * in registers from the lines; for more of them a chunk is unpacked once into the first-level cache,
 * and tiles of twice the rows are multiplied from there. Either way a sum adds up its groups in the
 * same order, and lines are read in the order of memory, once.
 *
 * The including file defines, besides the macros of simd_body.h:
 *   ivec                       LANES 32-bit integers
 *   I_LOAD(p)                  LANES integers at p
 *   I_LOAD1(p)                 the 4 bytes at p in all lanes
 *   I_SET1(n) I_ZERO() I_AND I_OR I_XOR I_SHL(v, n) I_SHR(v, n) I_SAR(v, n)   n may be a variable
 *   I_FLOAT(v)                 to float
 *   V_HALF(v)                  the low 16 bits of each lane, a float16, to float
 *   V_FNMA(a, b, c) = c - a * b, V_ABS(v)
 *   V_STORE_I8(p, v)           LANES numbers from -127 to 127, as the nearest bytes
 *   DOT_UNSIGNED               1 if I_DOT takes any bytes as weights, 0 if only those below 128
 *   I_DOT(sum, w, x)           sum + the products of four bytes: w unsigned, x signed
 *   I_DOT1(sum, w, p)          the same with the 4 bytes at p in all lanes, if that is better than I_DOT and I_LOAD1
 *   I_DOT_SIGNED(sum, w, x)    unless DOT_UNSIGNED: the same for w with a sign
 *   I_PAIRS(sum, a, b)         sum + the products of two words, signed
 *   I_SCALED(sum, dot, a, s)   sum + dot * a * s; dot and a * s are words, signed, a whatever has the low 16 bits of a
 *   I_MATMUL(sum, w, x)        if there is one: four sums of 8 products of signed bytes, of w's halves (rows)
 *                              times x's (columns); then also I_LOAD2(p, q): 8 bytes at each, I_ADD,
 *                              I_ZIP1 I_ZIP2 (lanes of both in turn), I_UNZIP1 I_UNZIP2 (their undoing)
 *   QUANT_VECS, QUANT_COLS     register block: vectors of rows (QUANT_VECS * LANES is 8 or 16), and columns
 */
#include "weights/interleave.h"

#ifndef I_DOT1
#define I_DOT1(sum, w, p) I_DOT(sum, w, I_LOAD1(p))
#endif
#if DOT_UNSIGNED
#define I_DOT_SIGNED(sum, w, x) (sum)     /* is not used */
#endif

enum {
    UNPACKED_VECS = 2 * QUANT_VECS,
    UNPACKED_PANELS = UNPACKED_VECS * LANES / VOX_PANEL,      /* 1 or 2 */
    PANEL_VECS = VOX_PANEL / LANES,
    ROW_VECS = UNPACKED_PANELS * PANEL_VECS,
    MAX_COLS = 64,            /* columns that share one reading of the weights */
    PAGE = 4096, WINDOW_PAGES = 4, WINDOW = WINDOW_PAGES * PAGE
};

/* What a chunk's sums are multiplied with. Q8_0: d of its groups. The others: whole numbers, scales of groups (Q6_K:
 * of 16 weights), minimums in pairs, like x's sums, and one d and dmin for all. */
typedef struct chunk_scales {
    ivec scale[VOX_CHUNK / 16][UNPACKED_VECS], min[VOX_GROUPS / 2][UNPACKED_VECS];
    vec d[VOX_GROUPS][UNPACKED_VECS], dmin[UNPACKED_VECS];
} chunk_scales;

/* What a tile is multiplied with: lines behind those of scales, or unpacked ones: for each part, side
 * and step (see below) UNPACKED_VECS vectors. */
typedef struct chunk_weights {
    const uint8_t *lines;
    const ivec *unpacked;
    chunk_scales s;
} chunk_weights;

INLINE ivec line_at(const uint8_t *lines, int line, int v) { return I_LOAD(lines + VOX_LINE * line + 4 * LANES * v); }

/* Q4_K and Q5_K: 6-bit scales and minimums in the first four lines. */
INLINE void read_k_scales(const uint8_t *lines, int v, chunk_scales *s, int to) {
    const ivec six = I_SET1(0x3f3f3f3f), four = I_SET1(0x0f0f0f0f), two = I_SET1(0x30303030), words = I_SET1(0x00ff00ff);
    const ivec h = line_at(lines, 0, v), a = line_at(lines, 1, v), b = line_at(lines, 2, v), c = line_at(lines, 3, v);
    const ivec scale[2] = { I_AND(a, six), I_OR(I_AND(I_SHR(a, 2), two), I_AND(c, four)) };
    const ivec min[2] = { I_AND(b, six), I_OR(I_AND(I_SHR(b, 2), two), I_AND(I_SHR(c, 4), four)) };
    s->d[0][to] = V_HALF(h);
    s->dmin[to] = V_HALF(I_SHR(h, 16));
    UNROLL for (int i = 0; i < 2; i++) {
        UNROLL for (int odd = 0; odd < 2; odd++) {
            const ivec pair = I_AND(I_SHR(scale[i], 8 * odd), words);
            s->scale[4 * i + odd][to] = pair;
            s->scale[4 * i + odd + 2][to] = I_SHR(pair, 16);
            s->min[2 * i + odd][to] = I_AND(I_SHR(min[i], 8 * odd), words);
        }
    }
}

/* Of vector v of a panel's rows, as vector `to`. d: of Q6_K, the rows' float16. */
INLINE void read_scales(const int type, const uint8_t *d, const uint8_t *lines, int groups, int v, chunk_scales *s, int to) {
    if (type == VOX_WEIGHT_Q6_K) {
        s->d[0][to] = V_LOAD_F16((const uint16_t *)(const void *)d + v * LANES);
        UNROLL for (int g = 0; g < 16; g++) s->scale[g][to] = I_SAR(I_SHL(line_at(lines, 48 + g / 4, v), 24 - 8 * (g % 4)), 24);
    } else if (type == VOX_WEIGHT_Q8_0) {
        for (int g = 0; g < groups; g++) s->d[g][to] = V_HALF(I_SHR(line_at(lines, g / 2, v), g % 2 * 16));
    } else {
        read_k_scales(lines, v, s, to);
    }
}

/* A chunk is multiplied in parts of two groups, which share lines where weights are nibbles. */
INLINE int group_of(const int type, int part, int side) {
    return type == VOX_WEIGHT_Q6_K ? part / 2 * 4 + part % 2 + 2 * side : 2 * part + side;
}

/* Parts made in a row, so that of what depends on their number more is known before. */
INLINE int parts_together(const int type) { return type == VOX_WEIGHT_Q6_K ? 2 : type == VOX_WEIGHT_Q5_K ? 4 : 1; }

/* Weights 4 j .. 4 j + 3 of both groups. `lines` begin behind those of scales. May `high` nibbles stay where they
 * are, those of the second group are 16 times as large. */
INLINE void unpack(const int type, const int high, const uint8_t *lines, int part, int j, int v, ivec u[2]) {
    const ivec four = I_SET1(0x0f0f0f0f);
    if (type == VOX_WEIGHT_Q8_0) {
        for (int side = 0; side < 2; side++) {
            const ivec q = line_at(lines, 16 * part + 8 * side + j, v);
            u[side] = DOT_UNSIGNED ? q : I_XOR(q, I_SET1((int)0x80808080));
        }
        return;
    }
    const ivec q = line_at(lines, (type == VOX_WEIGHT_Q5_K ? 8 : 0) + 8 * part + j, v);
    u[0] = I_AND(q, four);
    u[1] = high ? I_AND(q, I_SET1((int)0xf0f0f0f0)) : I_AND(I_SHR(q, 4), four);
    if (type == VOX_WEIGHT_Q5_K) {
        const ivec above = I_SHR(line_at(lines, j, v), 2 * part), fifth = I_SET1(0x10101010);
        u[0] = I_OR(u[0], I_AND(I_SHL(above, 4), fifth));
        u[1] = I_OR(u[1], I_AND(I_SHL(above, 3), fifth));
    } else if (type == VOX_WEIGHT_Q6_K) {
        const ivec above = I_SHR(line_at(lines, 32 + part / 2 * 8 + j, v), part % 2 * 2), two = I_SET1(0x30303030);
        u[0] = I_OR(u[0], I_AND(I_SHL(above, 4), two));
        u[1] = I_OR(u[1], I_AND(above, two));
    }
}

/* While WINDOW_PAGES * n lines from `at` on are read, as many of the window behind theirs come into the
 * second-level cache: n of each of its pages. In each page the hardware then fetches ahead by itself, and together
 * they keep more lines on their way than a core can ask for; from the second level the first one fills itself. */
INLINE void fetch(const uint8_t *at, int n) {
    for (int i = 0; i < n; i++, at += WINDOW_PAGES * VOX_LINE) {
        const uintptr_t a = (uintptr_t)at, in_page = a % WINDOW / (WINDOW_PAGES * VOX_LINE) * VOX_LINE;
        const uintptr_t line = a - a % WINDOW + WINDOW + in_page;
        UNROLL for (int page = 0; page < WINDOW_PAGES; page++) __builtin_prefetch((const void *)(line + PAGE * (uintptr_t)page), 0, 2);
    }
}

INLINE int stays_high(const int type, const int from_cache) { return type == VOX_WEIGHT_Q4_K && DOT_UNSIGNED && !from_cache; }

/* Of vector v, step j of a part: one side's weights, or both. */
INLINE void take(const int type, const int from_cache, const chunk_weights *w, int part, int side, int j, int v, ivec u[2]) {
    if (from_cache) u[0] = w->unpacked[((2 * part + side) * 8 + j) * UNPACKED_VECS + v];
    else unpack(type, stays_high(type, from_cache), w->lines, part, j, v, u);
}

typedef ivec tile_dots[2][QUANT_COLS][UNPACKED_VECS];

/* dots += steps first .. first + steps - 1 of a part's weights times columns; of unpacked ones one
 * side's. */
INLINE void dot_part(const int type, const int from_cache, const int C, const chunk_weights *w, int part, int side, int first,
                     int steps, const vox_chunk *x, tile_dots dots) {
    const int V = from_cache ? UNPACKED_VECS : QUANT_VECS, sides = from_cache ? 1 : 2;
    UNROLL for (int j = first; j < first + steps; j++) {
        ivec u[UNPACKED_VECS][2];
        UNROLL for (int v = 0; v < V; v++) take(type, from_cache, w, part, side, j, v, u[v]);
        UNROLL for (int i = 0; i < sides; i++) {
            UNROLL for (int c = 0; c < C; c++) {
                const int8_t *q = x[c].q + VOX_GROUP * group_of(type, part, side + i) + 4 * j;
                UNROLL for (int v = 0; v < V; v++) {
                    ivec *sum = &dots[i][c][v];
                    if (type == VOX_WEIGHT_Q8_0 && !DOT_UNSIGNED) *sum = I_DOT_SIGNED(*sum, u[v][i], I_LOAD1(q));
                    else *sum = V == 1 ? I_DOT1(*sum, u[v][i], q) : I_DOT(*sum, u[v][i], I_LOAD1(q));
                }
            }
        }
    }
}

#ifdef I_MATMUL
/* The same numbers, two lines and two columns at a time: two rows' 8 bytes stand side by side, as do two columns', and
 * each of four lanes gets the product of a row and a column. */
INLINE void dot_pairs(const int type, const int from_cache, const int C, const chunk_weights *w, int part, int side, int first,
                      int steps, const vox_chunk *x, tile_dots dots) {
    const int V = from_cache ? UNPACKED_VECS : QUANT_VECS, sides = from_cache ? 1 : 2;
    ivec tiles[2][QUANT_COLS + QUANT_COLS % 2][UNPACKED_VECS];
    UNROLL for (int c = 0; c < C + C % 2; c++) {
        UNROLL for (int v = 0; v < V; v++) tiles[0][c][v] = tiles[1][c][v] = I_ZERO();
    }
    UNROLL for (int j = first; j < first + steps; j += 2) {
        UNROLL for (int v = 0; v < V; v++) {
            ivec a[2], b[2];
            take(type, from_cache, w, part, side, j, v, a);
            take(type, from_cache, w, part, side, j + 1, v, b);
            UNROLL for (int i = 0; i < sides; i++) {
                const ivec upper = I_ZIP1(a[i], b[i]), lower = I_ZIP2(a[i], b[i]);
                UNROLL for (int c = 0; c < C; c += 2) {
                    const int at = VOX_GROUP * group_of(type, part, side + i) + 4 * j;
                    const ivec xs = I_LOAD2(x[c].q + at, x[c + 1 < C ? c + 1 : c].q + at);
                    tiles[i][c][v] = I_MATMUL(tiles[i][c][v], upper, xs);
                    tiles[i][c + 1][v] = I_MATMUL(tiles[i][c + 1][v], lower, xs);
                }
            }
        }
    }
    UNROLL for (int i = 0; i < sides; i++) {
        UNROLL for (int c = 0; c < C; c++) {
            UNROLL for (int v = 0; v < V; v++) {
                const ivec upper = tiles[i][c / 2 * 2][v], lower = tiles[i][c / 2 * 2 + 1][v];
                dots[i][c][v] = I_ADD(dots[i][c][v], c % 2 ? I_UNZIP2(upper, lower) : I_UNZIP1(upper, lower));
            }
        }
    }
}
#endif

/* What a part's dots begin with, so that w is u - offset. */
INLINE ivec offset(const int type, const vox_chunk *x, int g, int half) {
    if (type == VOX_WEIGHT_Q6_K) return I_SET1(x->offset_q6[2 * g + half]);
    return type == VOX_WEIGHT_Q8_0 && DOT_UNSIGNED ? I_SET1(x->offset_q8[g]) : I_ZERO();
}

/* sum += whole numbers of a chunk, or less its minimums. */
INLINE vec add_chunk(const int type, const chunk_scales *s, const vox_chunk *x, int v, ivec whole, vec sum) {
    vec of_chunk = V_MUL(s->d[0][v], I_FLOAT(whole));
    if (type != VOX_WEIGHT_Q6_K) {
        ivec mins = I_ZERO();
        UNROLL for (int i = 0; i < VOX_GROUPS / 2; i++) mins = I_PAIRS(mins, s->min[i][v], I_LOAD1(x->sums + 2 * i));
        of_chunk = V_FNMA(s->dmin[v], I_FLOAT(mins), of_chunk);
    }
    return V_FMA(V_SET1(x->d), of_chunk, sum);
}

/* One part times C columns, of Q6_K and Q5_K by halves of groups: those of the one have scales of their own, those of
 * the other would not fit into 16 bits together. To `whole` or, of Q8_0, to `sums`. */
INLINE void multiply_part(const int type, const int from_cache, const int C, const chunk_weights *w, int part, const vox_chunk *x,
                          ivec whole[][UNPACKED_VECS], vec sums[][UNPACKED_VECS]) {
    const int V = from_cache ? UNPACKED_VECS : QUANT_VECS, sides = from_cache ? 1 : 2;
    const int halves = type == VOX_WEIGHT_Q6_K || type == VOX_WEIGHT_Q5_K ? 2 : 1, steps = 8 / halves;
    UNROLL for (int at = 0; at < 2 * halves / sides; at++) {
        const int half = at % halves, side = at / halves;
        tile_dots dots;
        UNROLL for (int i = 0; i < sides; i++) {
            UNROLL for (int c = 0; c < C; c++) {
                UNROLL for (int v = 0; v < V; v++) dots[i][c][v] = offset(type, x + c, group_of(type, part, side + i), half);
            }
        }
#ifdef I_MATMUL
        if (C > 1) dot_pairs(type, from_cache, C, w, part, side, half * steps, steps, x, dots);
        else
#endif
            dot_part(type, from_cache, C, w, part, side, half * steps, steps, x, dots);
        UNROLL for (int i = 0; i < sides; i++) {
            const int g = group_of(type, part, side + i), scale = type == VOX_WEIGHT_Q6_K ? 2 * g + half : g;
            UNROLL for (int c = 0; c < C; c++) {
                UNROLL for (int v = 0; v < V; v++) {
                    const ivec dot = i && stays_high(type, from_cache) ? I_SAR(dots[i][c][v], 4) : dots[i][c][v];
                    if (type != VOX_WEIGHT_Q8_0) whole[c][v] = I_SCALED(whole[c][v], dot, w->s.scale[scale][v], x[c].s[g]);
                    else sums[c][v] = V_FMA(V_MUL(w->s.d[g][v], V_SET1(x[c].group_d[g])), I_FLOAT(dot), sums[c][v]);
                }
            }
        }
    }
}

/* sums, of vectors `to` on, += one chunk times C columns: of QUANT_VECS vectors or, of unpacked
 * ones, twice as many. Meanwhile `fetches` are made from `ahead` on. */
INLINE void multiply(const int type, const int from_cache, const int C, const chunk_weights *w, int groups, const vox_chunk *x,
                     vec sums[][ROW_VECS], int to, const uint8_t *ahead, int fetches) {
    const int V = from_cache ? UNPACKED_VECS : QUANT_VECS, together = parts_together(type);
    ivec whole[QUANT_COLS][UNPACKED_VECS];
    vec acc[QUANT_COLS][UNPACKED_VECS];
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < V; v++) {
            if (type == VOX_WEIGHT_Q8_0) acc[c][v] = sums[c][to + v];
            else whole[c][v] = I_ZERO();
        }
    }
    for (int i = 0; i < groups / 2 / together; i++)
        UNROLL for (int j = 0; j < together; j++) {
            const int part = i * together + j, fetched = fetches * part / 4;
            fetch(ahead + fetched * WINDOW_PAGES * VOX_LINE, fetches * (part + 1) / 4 - fetched);
            multiply_part(type, from_cache, C, w, part, x, whole, acc);
        }
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < V; v++)
            sums[c][to + v] = type == VOX_WEIGHT_Q8_0 ? acc[c][v] : add_chunk(type, &w->s, x + c, v, whole[c][v], sums[c][to + v]);
    }
}

/* A function for each: in one large one gcc keeps sums in memory. */
typedef void (*tile_fn)(const chunk_weights *w, int groups, const vox_chunk *x, vec sums[][ROW_VECS], int to, const uint8_t *ahead,
                        int fetches);
#define TILE(TYPE, CACHE, C) \
    static __attribute__((noinline)) void tile_##TYPE##_##CACHE##_##C(const chunk_weights *w, int groups, const vox_chunk *x, \
                                                                     vec sums[][ROW_VECS], int to, const uint8_t *ahead, int fetches) { \
        if (C <= QUANT_COLS) multiply(VOX_WEIGHT_##TYPE, CACHE, C, w, groups, x, sums, to, ahead, fetches); \
    }
#define NAME_OF(TYPE, CACHE, C) tile_##TYPE##_##CACHE##_##C,
#define COLUMNS(X, TYPE, CACHE) X(TYPE, CACHE, 1) X(TYPE, CACHE, 2) X(TYPE, CACHE, 3) X(TYPE, CACHE, 4) X(TYPE, CACHE, 5) X(TYPE, CACHE, 6) X(TYPE, CACHE, 7) X(TYPE, CACHE, 8)
#define TILES(TYPE) COLUMNS(TILE, TYPE, 0) COLUMNS(TILE, TYPE, 1)
#define NAMES(TYPE) [VOX_WEIGHT_##TYPE] = { { COLUMNS(NAME_OF, TYPE, 0) }, { COLUMNS(NAME_OF, TYPE, 1) } }
TILES(Q8_0)
TILES(Q4_K)
TILES(Q5_K)
TILES(Q6_K)
static const tile_fn tiles_of[VOX_WEIGHT_TYPES][2][8] = { NAMES(Q8_0), NAMES(Q4_K), NAMES(Q5_K), NAMES(Q6_K) };

/* A chunk of one panel times one tile of columns. */
INLINE void multiply_lines(const int type, const uint8_t *d, const uint8_t *lines, int scale_lines, int groups,
                           const vox_chunk *x, int cols, vec sums[][ROW_VECS]) {
    UNROLL for (int v = 0; v < PANEL_VECS; v += QUANT_VECS) {
        chunk_weights w;
        w.lines = lines + VOX_LINE * scale_lines + 4 * LANES * v;
        UNROLL for (int i = 0; i < QUANT_VECS; i++) read_scales(type, d, lines, groups, v + i, &w.s, i);
        tiles_of[type][0][cols - 1](&w, groups, x, sums, v, lines, v ? 0 : (int)vox_chunk_lines(type) / WINDOW_PAGES);
    }
}

/* A chunk of UNPACKED_PANELS panels, the second `next` bytes behind the first, times many columns. Meanwhile
 * the panels behind these are fetched, from `ahead` on, evenly, as a burst would stop everything. */
INLINE void multiply_unpacked(const int type, const uint8_t *d, const uint8_t *lines, size_t next, int scale_lines, int groups,
                              const vox_chunk *x, int cols, vec sums[][ROW_VECS], const uint8_t *ahead) {
    ivec unpacked[VOX_CHUNK / 4 * UNPACKED_VECS];
    chunk_weights w;
    w.unpacked = unpacked;
    UNROLL for (int v = 0; v < ROW_VECS; v++) {
        const uint8_t *from = lines + v / PANEL_VECS * next;
        read_scales(type, d + v / PANEL_VECS * next, from, groups, v % PANEL_VECS, &w.s, v);
        for (int part = 0; part < groups / 2; part++)
            UNROLL for (int j = 0; j < 8; j++) {
                ivec u[2];
                unpack(type, 0, from + VOX_LINE * scale_lines, part, j, v % PANEL_VECS, u);
                unpacked[(16 * part + j) * UNPACKED_VECS + v] = u[0];
                unpacked[(16 * part + 8 + j) * UNPACKED_VECS + v] = u[1];
            }
    }
    /* Multiplied by halves, fewer columns keep their sums in registers. */
    const int most = type == VOX_WEIGHT_Q6_K || type == VOX_WEIGHT_Q5_K ? QUANT_COLS * 3 / 4 : QUANT_COLS;
    const int tiles = (cols + most - 1) / most, width = (cols + tiles - 1) / tiles;
    const int fetches = (int)vox_chunk_lines(type) * UNPACKED_PANELS / WINDOW_PAGES;
    for (int c = 0, t = 0; c < cols; c += width, t++) {
        const int fetched = fetches * t / tiles;
        const int n = cols - c < width ? cols - c : width;
        tiles_of[type][1][n - 1](&w, groups, x + c, sums + c, 0, ahead + fetched * WINDOW_PAGES * VOX_LINE,
                                 fetches * (t + 1) / tiles - fetched);
    }
}

INLINE void store_rows(vec sums[][ROW_VECS], int wanted, int cols, float *y, size_t ldy) {
    for (int v = 0; v < ROW_VECS && v * LANES < wanted; v++)
        for (int c = 0; c < cols; c++) {
            float *out = y + (size_t)c * ldy + v * LANES;
            if (wanted - v * LANES >= LANES) V_STORE(out, sums[c][v]);
            else V_STORE_N(out, sums[c][v], wanted - v * LANES);
        }
}

/* Panels times up to MAX_COLS columns: one, or UNPACKED_PANELS for more than a tile of them; consecutive
 * chunks of x lie x_stride apart. Only the first `wanted` rows are stored. */
INLINE void multiply_panels(const int type, const int from_cache, const uint8_t *panel, int wanted, int k, const vox_chunk *x,
                            size_t x_stride, int cols, float *y, size_t ldy) {
    const size_t bytes = vox_panel_bytes((vox_weight_type)type, k), next = wanted > VOX_PANEL ? bytes : 0;
    const uint8_t *lines = panel + vox_panel_head((vox_weight_type)type, k), *d = panel, *ahead = panel + UNPACKED_PANELS * bytes;
    vec sums[MAX_COLS][ROW_VECS];
    for (int c = 0; c < cols; c++)
        UNROLL for (int v = 0; v < ROW_VECS; v++) sums[c][v] = V_ZERO();
    for (int at = 0; at < k; at += VOX_CHUNK, d += 2 * VOX_PANEL, x += x_stride) {
        const int groups = k - at < VOX_CHUNK ? (k - at + 2 * VOX_GROUP - 1) / (2 * VOX_GROUP) * 2 : VOX_GROUPS;
        const int scale_lines = type == VOX_WEIGHT_Q6_K ? 0 : type == VOX_WEIGHT_Q8_0 ? groups / 2 : 4;
        if (from_cache) multiply_unpacked(type, d, lines, next, scale_lines, groups, x, cols, sums, ahead);
        else multiply_lines(type, d, lines, scale_lines, groups, x, cols, sums);
        lines += VOX_LINE * vox_chunk_lines(type);
        ahead += UNPACKED_PANELS * VOX_LINE * vox_chunk_lines(type);
    }
    store_rows(sums, wanted, cols, y, ldy);
}

INLINE void multiply_rows(const int type, const int from_cache, const uint8_t *w, int rows, int k, const vox_chunk *x,
                          size_t x_stride, int cols, float *y, size_t ldy) {
    const size_t panel = vox_panel_bytes((vox_weight_type)type, k);
    const int step = from_cache ? UNPACKED_PANELS * VOX_PANEL : VOX_PANEL;
    for (int r = 0; r < rows; r += step)
        multiply_panels(type, from_cache, w + (size_t)(r / VOX_PANEL) * panel, rows - r < step ? rows - r : step, k, x,
                        x_stride, cols, y + r, ldy);
}

INLINE void multiply_all(const int type, const uint8_t *w, int rows, int k, const vox_chunk *x, int cols,
                         float *y, size_t ldy) {
    for (int c = 0; c < cols; c += MAX_COLS) {
        const int n = cols - c < MAX_COLS ? cols - c : MAX_COLS;
        float *out = y + (size_t)c * ldy;
        if (n > QUANT_COLS) multiply_rows(type, 1, w, rows, k, x + c, (size_t)cols, n, out, ldy);
        else multiply_rows(type, 0, w, rows, k, x + c, (size_t)cols, n, out, ldy);
    }
}

static void matmul_quant(vox_weight_type type, const void *w, int rows, int k, const vox_chunk *x, int cols,
                         float *y, size_t ldy) {
    switch (type) {
    case VOX_WEIGHT_Q8_0: multiply_all(VOX_WEIGHT_Q8_0, w, rows, k, x, cols, y, ldy); break;
    case VOX_WEIGHT_Q4_K: multiply_all(VOX_WEIGHT_Q4_K, w, rows, k, x, cols, y, ldy); break;
    case VOX_WEIGHT_Q5_K: multiply_all(VOX_WEIGHT_Q5_K, w, rows, k, x, cols, y, ldy); break;
    case VOX_WEIGHT_Q6_K: multiply_all(VOX_WEIGHT_Q6_K, w, rows, k, x, cols, y, ldy); break;
    default: break;
    }
}
