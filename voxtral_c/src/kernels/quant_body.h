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
 *   I_DOT(sum, w, x)           sum + the products of four bytes: w unsigned (below 128 but in Q8_0), x signed
 *   I_DOT_Q8(sum, w, x), Q8_UNSIGNED   the same for Q8_0; whether its w are biased by 128
 *   I_MATMUL(sum, w, x)        if there is one: four sums of 8 products of signed bytes, of w's halves (rows)
 *                              times x's (columns); then also I_LOAD2(p, q): 8 bytes at each, I_ADD,
 *                              I_ZIP1 I_ZIP2 (lanes of both in turn), I_UNZIP1 I_UNZIP2 (their undoing)
 *   QUANT_VECS, QUANT_COLS     register block: vectors of rows (QUANT_VECS * LANES is 8 or 16), and columns
 */
#include "weights/interleave.h"

enum {
    UNPACKED_VECS = 2 * QUANT_VECS,
    UNPACKED_PANELS = UNPACKED_VECS * LANES / VOX_PANEL,      /* 1 or 2 */
    PANEL_VECS = VOX_PANEL / LANES,
    ROW_VECS = UNPACKED_PANELS * PANEL_VECS,
    MAX_COLS = 64,            /* columns that share one reading of the weights */
    PAGE = 4096, WINDOW_PAGES = 4, WINDOW = WINDOW_PAGES * PAGE
};

/* Of the groups of a chunk (Q6_K: of 16 weights). */
typedef struct chunk_scales {
    vec scale[VOX_CHUNK / 16][UNPACKED_VECS], min[VOX_GROUPS][UNPACKED_VECS];
} chunk_scales;

/* What a tile is multiplied with: lines behind those of scales, or unpacked ones: for each part, side
 * and step (see below) UNPACKED_VECS vectors. */
typedef struct chunk_weights {
    const uint8_t *lines;
    const ivec *unpacked;
    chunk_scales s;
} chunk_weights;

INLINE ivec line_at(const uint8_t *lines, int line, int v) { return I_LOAD(lines + VOX_LINE * line + 4 * LANES * v); }

INLINE ivec byte_of(ivec v, int i) { return I_AND(I_SHR(v, 8 * i), I_SET1(0xff)); }

/* Q4_K and Q5_K: 6-bit scales and minimums in the first four lines. */
INLINE void read_k_scales(const uint8_t *lines, int v, chunk_scales *s, int to) {
    const ivec six = I_SET1(0x3f3f3f3f), four = I_SET1(0x0f0f0f0f), two = I_SET1(0x30303030);
    const ivec h = line_at(lines, 0, v), a = line_at(lines, 1, v), b = line_at(lines, 2, v), c = line_at(lines, 3, v);
    const vec d = V_HALF(h), dmin = V_HALF(I_SHR(h, 16));
    const ivec scale[2] = { I_AND(a, six), I_OR(I_AND(c, four), I_AND(I_SHR(a, 2), two)) };
    const ivec min[2] = { I_AND(b, six), I_OR(I_AND(I_SHR(c, 4), four), I_AND(I_SHR(b, 2), two)) };
    UNROLL for (int g = 0; g < 8; g++) {
        s->scale[g][to] = V_MUL(d, I_FLOAT(byte_of(scale[g / 4], g % 4)));
        s->min[g][to] = V_MUL(dmin, I_FLOAT(byte_of(min[g / 4], g % 4)));
    }
}

/* Of vector v of a panel's rows, as vector `to`. d: of Q6_K, the rows' float16. */
INLINE void read_scales(const int type, const uint8_t *d, const uint8_t *lines, int groups, int v, chunk_scales *s, int to) {
    if (type == VOX_WEIGHT_Q6_K) {
        const vec ds = V_LOAD_F16((const uint16_t *)(const void *)d + v * LANES);
        UNROLL for (int g = 0; g < 16; g++)
            s->scale[g][to] = V_MUL(ds, I_FLOAT(I_SAR(I_SHL(line_at(lines, 48 + g / 4, v), 24 - 8 * (g % 4)), 24)));
    } else if (type == VOX_WEIGHT_Q8_0) {
        for (int g = 0; g < groups; g++) s->scale[g][to] = V_HALF(I_SHR(line_at(lines, g / 2, v), g % 2 * 16));
    } else {
        read_k_scales(lines, v, s, to);
    }
}

/* A chunk is multiplied in parts of two groups, which share lines where weights are nibbles. */
INLINE int group_of(const int type, int part, int side) {
    return type == VOX_WEIGHT_Q6_K ? part / 2 * 4 + part % 2 + 2 * side : 2 * part + side;
}

/* Weights 4 j .. 4 j + 3 of both groups. `lines` begin behind those of scales. */
INLINE void unpack(const int type, const uint8_t *lines, int part, int j, int v, ivec u[2]) {
    const ivec four = I_SET1(0x0f0f0f0f);
    if (type == VOX_WEIGHT_Q8_0) {
        for (int side = 0; side < 2; side++) {
            const ivec q = line_at(lines, 16 * part + 8 * side + j, v);
            u[side] = Q8_UNSIGNED ? I_XOR(q, I_SET1((int)0x80808080)) : q;
        }
        return;
    }
    const ivec q = line_at(lines, (type == VOX_WEIGHT_Q5_K ? 8 : 0) + 8 * part + j, v);
    u[0] = I_AND(q, four);
    u[1] = I_AND(I_SHR(q, 4), four);
    if (type == VOX_WEIGHT_Q5_K) {
        const ivec high = I_SHR(line_at(lines, j, v), 2 * part), fifth = I_SET1(0x10101010);
        u[0] = I_OR(u[0], I_AND(I_SHL(high, 4), fifth));
        u[1] = I_OR(u[1], I_AND(I_SHL(high, 3), fifth));
    } else if (type == VOX_WEIGHT_Q6_K) {
        const ivec high = I_SHR(line_at(lines, 32 + part / 2 * 8 + j, v), part % 2 * 2), two = I_SET1(0x30303030);
        u[0] = I_OR(u[0], I_AND(I_SHL(high, 4), two));
        u[1] = I_OR(u[1], I_AND(high, two));
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

/* Of vector v, step j of a part: one side's weights, or both. */
INLINE void take(const int type, const int from_cache, const chunk_weights *w, int part, int side, int j, int v, ivec u[2]) {
    if (from_cache) u[0] = w->unpacked[((2 * part + side) * 8 + j) * UNPACKED_VECS + v];
    else unpack(type, w->lines, part, j, v, u);
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
                const ivec xs = I_LOAD1(x[c].q + VOX_GROUP * group_of(type, part, side + i) + 4 * j);
                UNROLL for (int v = 0; v < V; v++)
                    dots[i][c][v] = type == VOX_WEIGHT_Q8_0 ? I_DOT_Q8(dots[i][c][v], u[v][i], xs) : I_DOT(dots[i][c][v], u[v][i], xs);
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

/* sums, of vectors `to` on, += one chunk times C columns: of QUANT_VECS vectors or, of unpacked
 * ones, twice as many. Of Q6_K the halves of a group have scales of their own. Meanwhile `fetches` are
 * made from `ahead` on. */
INLINE void multiply(const int type, const int from_cache, const int C, const chunk_weights *w, int groups, const vox_chunk *x,
                     vec sums[][ROW_VECS], int to, const uint8_t *ahead, int fetches) {
    const int V = from_cache ? UNPACKED_VECS : QUANT_VECS, sides = from_cache ? 1 : 2;
    const int halves = type == VOX_WEIGHT_Q6_K ? 2 : 1, steps = 8 / halves;
    vec acc[QUANT_COLS][UNPACKED_VECS];
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < V; v++) acc[c][v] = sums[c][to + v];
    }
    for (int part = 0; part < groups / 2; part++) {
        const int fetched = fetches * part / 4;
        fetch(ahead + fetched * WINDOW_PAGES * VOX_LINE, fetches * (part + 1) / 4 - fetched);
        UNROLL for (int at = 0; at < 2 * halves; at += sides) {
            const int half = at / 2, side = at % 2;
            tile_dots dots;
            UNROLL for (int i = 0; i < sides; i++) {
                const int g = group_of(type, part, side + i);
                UNROLL for (int c = 0; c < C; c++) {
                    const ivec from = type == VOX_WEIGHT_Q6_K ? I_SET1(x[c].offset_q6[2 * g + half])
                                      : type == VOX_WEIGHT_Q8_0 && Q8_UNSIGNED ? I_SET1(x[c].offset_q8[g]) : I_ZERO();
                    UNROLL for (int v = 0; v < V; v++) dots[i][c][v] = from;
                }
            }
#ifdef I_MATMUL
            if (C > 1) dot_pairs(type, from_cache, C, w, part, side, half * steps, steps, x, dots);
            else
#endif
                dot_part(type, from_cache, C, w, part, side, half * steps, steps, x, dots);
            UNROLL for (int i = 0; i < sides; i++) {
                const int g = group_of(type, part, side + i);
                UNROLL for (int c = 0; c < C; c++) {
                    const vec d = V_SET1(x[c].d[g]), sum = V_SET1(x[c].sum[g]);
                    UNROLL for (int v = 0; v < V; v++) {
                        acc[c][v] = V_FMA(V_MUL(w->s.scale[g * halves + half][v], d), I_FLOAT(dots[i][c][v]), acc[c][v]);
                        if (type == VOX_WEIGHT_Q4_K || type == VOX_WEIGHT_Q5_K) acc[c][v] = V_FNMA(w->s.min[g][v], sum, acc[c][v]);
                    }
                }
            }
        }
    }
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < V; v++) sums[c][to + v] = acc[c][v];
    }
}

INLINE void multiply_tile(const int type, const int from_cache, const chunk_weights *w, int groups, const vox_chunk *x, int cols,
                          vec sums[][ROW_VECS], int to, const uint8_t *ahead, int fetches) {
    switch (cols) {
#define CASE(C) \
    case C: \
        if (C <= QUANT_COLS) multiply(type, from_cache, C < QUANT_COLS ? C : QUANT_COLS, w, groups, x, sums, to, ahead, fetches); \
        break
    CASE(1);
    CASE(2);
    CASE(3);
    CASE(4);
    CASE(5);
    CASE(6);
    CASE(7);
    CASE(8);
    default: break;
#undef CASE
    }
}

/* A chunk of one panel times one tile of columns. */
INLINE void multiply_lines(const int type, const uint8_t *d, const uint8_t *lines, int scale_lines, int groups,
                           const vox_chunk *x, int cols, vec sums[][ROW_VECS]) {
    UNROLL for (int v = 0; v < PANEL_VECS; v += QUANT_VECS) {
        chunk_weights w;
        w.lines = lines + VOX_LINE * scale_lines + 4 * LANES * v;
        UNROLL for (int i = 0; i < QUANT_VECS; i++) read_scales(type, d, lines, groups, v + i, &w.s, i);
        multiply_tile(type, 0, &w, groups, x, cols, sums, v, lines, v ? 0 : (int)vox_chunk_lines(type) / WINDOW_PAGES);
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
                unpack(type, from + VOX_LINE * scale_lines, part, j, v % PANEL_VECS, u);
                unpacked[(16 * part + j) * UNPACKED_VECS + v] = u[0];
                unpacked[(16 * part + 8 + j) * UNPACKED_VECS + v] = u[1];
            }
    }
    const int tiles = (cols + QUANT_COLS - 1) / QUANT_COLS, width = (cols + tiles - 1) / tiles;
    const int fetches = (int)vox_chunk_lines(type) * UNPACKED_PANELS / WINDOW_PAGES;
    for (int c = 0, t = 0; c < cols; c += width, t++) {
        const int fetched = fetches * t / tiles;
        multiply_tile(type, 1, &w, groups, x + c, cols - c < width ? cols - c : width, sums + c, 0,
                      ahead + fetched * WINDOW_PAGES * VOX_LINE, fetches * (t + 1) / tiles - fetched);
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

/* ---- activations ----------------------------------------------------------------------- */

INLINE void quantize_group(const float *x, vox_chunk *out, int g) {
    enum { N = VOX_GROUP / LANES };
    vec v[N], most = V_ZERO(), halves[2] = { V_ZERO(), V_ZERO() };
    float sums[4];
    UNROLL for (int i = 0; i < N; i++) {
        v[i] = V_LOAD(x + i * LANES);
        most = V_MAX(most, V_ABS(v[i]));
    }
    const float m = v_max(most) < 1e-30f ? 0 : v_max(most), d = m / 127.0f;
    const vec inverse = V_SET1(m > 0 ? 127.0f / m : 0);
    UNROLL for (int i = 0; i < N; i++) {
        v[i] = V_ROUND(V_MUL(v[i], inverse));
        V_STORE_I8(out->q + g * VOX_GROUP + i * LANES, v[i]);
        halves[i / (N / 2)] = V_ADD(halves[i / (N / 2)], v[i]);    /* whole numbers: exact */
    }
    v_sum4(halves[0], halves[1], V_ZERO(), V_ZERO(), sums);
    out->d[g] = d;
    out->sum[g] = d * (sums[0] + sums[1]);
    for (int h = 0; h < 2; h++) out->offset_q6[2 * g + h] = (int32_t)(-32 * sums[h]);
    out->offset_q8[g] = (int32_t)(-128 * (sums[0] + sums[1]));
}

static void quantize(const float *x, int k, vox_chunk *out, size_t stride) {
    for (int at = 0; at < k; at += VOX_CHUNK, out += stride) {
        const int groups = k - at < VOX_CHUNK ? (k - at) / VOX_GROUP : VOX_GROUPS;
        if (groups < VOX_GROUPS) memset(out, 0, sizeof *out);
        for (int g = 0; g < groups; g++) quantize_group(x + at + g * VOX_GROUP, out, g);
    }
}
