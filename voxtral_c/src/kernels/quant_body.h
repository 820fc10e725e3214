/* quant_body.h - products of quantised weights, written once over vectors; included behind
 * simd_body.h by the files of the instruction sets.
 *
 * Weights come with 16 rows interleaved (interleave.h): a line is 4 bytes of each row, and a lane is a
 * row, so that a line is unpacked by a few instructions and no sum runs across lanes. For each chunk of
 * 256 weights the scales are made first; then tiles of columns are multiplied with the lines, which are
 * unpacked in registers anew for each tile. Lines are read in the order of memory, once from there. A
 * sum adds up its groups in an order that is the same for one column and for many.
 *
 * The including file defines, besides the macros of simd_body.h:
 *   ivec                       LANES 32-bit integers
 *   I_LOAD(p)                  LANES integers at p
 *   I_LOAD1(p)                 the 4 bytes at p in all lanes
 *   I_SET1(n) I_ZERO() I_AND I_OR I_XOR I_SHL(v, n) I_SHR(v, n) I_SAR(v, n)   n may be a variable
 *   I_FLOAT(v)                 to float
 *   V_HALF(v)                  the low 16 bits of each lane, a float16, to float
 *   V_FNMA(a, b, c) = c - a * b, V_ABS(v)
 *   V_STORE_I8(p, v)           LANES whole numbers from -127 to 127, as bytes
 *   I_DOT(sum, w, x)           sum + the products of four bytes: w unsigned (below 128 but in Q8_0), x signed
 *   I_DOT_Q8(sum, w, x), Q8_UNSIGNED   the same for Q8_0; whether its w are biased by 128
 *   I_MATMUL(sum, w, x)        if there is one: four sums of 8 products of signed bytes, of w's halves (rows)
 *                              times x's (columns); then also I_LOAD2(p, q): 8 bytes at each, I_ADD,
 *                              I_ZIP1 I_ZIP2 (lanes of both in turn), I_UNZIP1 I_UNZIP2 (their undoing)
 *   QUANT_VECS, QUANT_COLS     register block: vectors of rows (QUANT_VECS * LANES divides 16), and columns
 */
#include "../interleave.h"

enum {
    SLICE = QUANT_VECS * LANES,     /* rows multiplied at once */
    SLICES = VOX_PANEL / SLICE,
    MAX_COLS = 64,            /* columns that share one reading of the weights */
    AHEAD = 8192              /* bytes between what is multiplied and what is fetched from memory */
};

/* Of the groups of a chunk (Q6_K: of 16 weights). */
typedef struct chunk_scales {
    vec scale[VOX_CHUNK / 16][QUANT_VECS], min[VOX_GROUPS][QUANT_VECS];
} chunk_scales;

INLINE ivec line_at(const uint8_t *lines, int line, int v) { return I_LOAD(lines + VOX_LINE * line + 4 * LANES * v); }

INLINE ivec byte_of(ivec v, int i) { return I_AND(I_SHR(v, 8 * i), I_SET1(0xff)); }

/* Q4_K and Q5_K: 6-bit scales and minimums in the first four lines. */
INLINE void read_k_scales(const uint8_t *lines, int v, chunk_scales *s) {
    const ivec six = I_SET1(0x3f3f3f3f), four = I_SET1(0x0f0f0f0f), two = I_SET1(0x30303030);
    const ivec h = line_at(lines, 0, v), a = line_at(lines, 1, v), b = line_at(lines, 2, v), c = line_at(lines, 3, v);
    const vec d = V_HALF(h), dmin = V_HALF(I_SHR(h, 16));
    const ivec scale[2] = { I_AND(a, six), I_OR(I_AND(c, four), I_AND(I_SHR(a, 2), two)) };
    const ivec min[2] = { I_AND(b, six), I_OR(I_AND(I_SHR(c, 4), four), I_AND(I_SHR(b, 2), two)) };
    UNROLL for (int g = 0; g < 8; g++) {
        s->scale[g][v] = V_MUL(d, I_FLOAT(byte_of(scale[g / 4], g % 4)));
        s->min[g][v] = V_MUL(dmin, I_FLOAT(byte_of(min[g / 4], g % 4)));
    }
}

/* d: of Q6_K, the rows' float16. */
INLINE void read_scales(const int type, const uint16_t *d, const uint8_t *lines, int groups, chunk_scales *s) {
    UNROLL for (int v = 0; v < QUANT_VECS; v++) {
        if (type == VOX_WEIGHT_Q6_K) {
            const vec ds = V_LOAD_F16(d + v * LANES);
            UNROLL for (int g = 0; g < 16; g++)
                s->scale[g][v] = V_MUL(ds, I_FLOAT(I_SAR(I_SHL(line_at(lines, 48 + g / 4, v), 24 - 8 * (g % 4)), 24)));
        } else if (type == VOX_WEIGHT_Q8_0) {
            for (int g = 0; g < groups; g++) s->scale[g][v] = V_HALF(I_SHR(line_at(lines, g / 2, v), g % 2 * 16));
        } else {
            read_k_scales(lines, v, s);
        }
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

/* Into the second-level cache: what is loaded from there in order, the first level fetches by itself. */
INLINE void fetch(const uint8_t *ahead, int lines) {
    UNROLL for (int i = 0; i < lines; i++) __builtin_prefetch((const void *)((uintptr_t)ahead + VOX_LINE * (uintptr_t)i), 0, 2);
}

/* dots += lines first .. first + steps - 1 of a part's weights times columns. */
INLINE void dot_part(const int type, const int C, const uint8_t *lines, int part, int first, int steps, const vox_chunk *x,
                     ivec dots[2][QUANT_COLS][QUANT_VECS]) {
    UNROLL for (int j = first; j < first + steps; j++) {
        ivec u[QUANT_VECS][2];
        UNROLL for (int v = 0; v < QUANT_VECS; v++) unpack(type, lines, part, j, v, u[v]);
        UNROLL for (int side = 0; side < 2; side++) {
            UNROLL for (int c = 0; c < C; c++) {
                const ivec xs = I_LOAD1(x[c].q + VOX_GROUP * group_of(type, part, side) + 4 * j);
                UNROLL for (int v = 0; v < QUANT_VECS; v++)
                    dots[side][c][v] = type == VOX_WEIGHT_Q8_0 ? I_DOT_Q8(dots[side][c][v], u[v][side], xs)
                                                               : I_DOT(dots[side][c][v], u[v][side], xs);
            }
        }
    }
}

#ifdef I_MATMUL
/* The same numbers, two lines and two columns at a time: two rows' 8 bytes stand side by side, as do two columns', and
 * each of four lanes gets the product of a row and a column. */
INLINE void dot_pairs(const int type, const int C, const uint8_t *lines, int part, int first, int steps, const vox_chunk *x,
                     ivec dots[2][QUANT_COLS][QUANT_VECS]) {
    ivec tiles[2][QUANT_COLS][QUANT_VECS];
    UNROLL for (int c = 0; c < C + C % 2; c++) {
        UNROLL for (int v = 0; v < QUANT_VECS; v++) tiles[0][c][v] = tiles[1][c][v] = I_ZERO();
    }
    UNROLL for (int j = first; j < first + steps; j += 2) {
        UNROLL for (int v = 0; v < QUANT_VECS; v++) {
            ivec a[2], b[2];
            unpack(type, lines, part, j, v, a);
            unpack(type, lines, part, j + 1, v, b);
            UNROLL for (int side = 0; side < 2; side++) {
                const ivec upper = I_ZIP1(a[side], b[side]), lower = I_ZIP2(a[side], b[side]);
                UNROLL for (int c = 0; c < C; c += 2) {
                    const int at = VOX_GROUP * group_of(type, part, side) + 4 * j;
                    const ivec xs = I_LOAD2(x[c].q + at, x[c + 1 < C ? c + 1 : c].q + at);
                    tiles[side][c][v] = I_MATMUL(tiles[side][c][v], upper, xs);
                    tiles[side][c + 1][v] = I_MATMUL(tiles[side][c + 1][v], lower, xs);
                }
            }
        }
    }
    UNROLL for (int side = 0; side < 2; side++) {
        UNROLL for (int c = 0; c < C; c++) {
            UNROLL for (int v = 0; v < QUANT_VECS; v++) {
                const ivec upper = tiles[side][c / 2 * 2][v], lower = tiles[side][c / 2 * 2 + 1][v];
                dots[side][c][v] = I_ADD(dots[side][c][v], c % 2 ? I_UNZIP2(upper, lower) : I_UNZIP1(upper, lower));
            }
        }
    }
}
#endif

/* sums += one chunk of SLICE rows times C columns. Of Q6_K the halves of a group have scales of
 * their own. `ahead`, if not NULL, is fetched from memory meanwhile. */
INLINE void multiply(const int type, const int C, const uint8_t *lines, const chunk_scales *s, int groups, const vox_chunk *x,
                     vec sums[][QUANT_VECS], const uint8_t *ahead) {
    const int halves = type == VOX_WEIGHT_Q6_K ? 2 : 1, steps = 8 / halves;
    const int part_lines = (int)(vox_chunk_lines(type) / 4);
    vec acc[QUANT_COLS][QUANT_VECS];
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < QUANT_VECS; v++) acc[c][v] = sums[c][v];
    }
    for (int part = 0; part < groups / 2; part++) {
        if (ahead) fetch(ahead + part * part_lines * VOX_LINE, part_lines);
        UNROLL for (int half = 0; half < halves; half++) {
            ivec dots[2][QUANT_COLS][QUANT_VECS];
            UNROLL for (int side = 0; side < 2; side++) {
                const int g = group_of(type, part, side);
                UNROLL for (int c = 0; c < C; c++) {
                    const ivec from = type == VOX_WEIGHT_Q6_K ? I_SET1(x[c].offset_q6[2 * g + half])
                                      : type == VOX_WEIGHT_Q8_0 && Q8_UNSIGNED ? I_SET1(x[c].offset_q8[g]) : I_ZERO();
                    UNROLL for (int v = 0; v < QUANT_VECS; v++) dots[side][c][v] = from;
                }
            }
#ifdef I_MATMUL
            if (C > 1) dot_pairs(type, C, lines, part, half * steps, steps, x, dots);
            else
#endif
                dot_part(type, C, lines, part, half * steps, steps, x, dots);
            UNROLL for (int side = 0; side < 2; side++) {
                const int g = group_of(type, part, side);
                UNROLL for (int c = 0; c < C; c++) {
                    const vec d = V_SET1(x[c].d[g]), sum = V_SET1(x[c].sum[g]);
                    UNROLL for (int v = 0; v < QUANT_VECS; v++) {
                        acc[c][v] = V_FMA(V_MUL(s->scale[g * halves + half][v], d), I_FLOAT(dots[side][c][v]), acc[c][v]);
                        if (type == VOX_WEIGHT_Q4_K || type == VOX_WEIGHT_Q5_K) acc[c][v] = V_FNMA(s->min[g][v], sum, acc[c][v]);
                    }
                }
            }
        }
    }
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < QUANT_VECS; v++) sums[c][v] = acc[c][v];
    }
}

INLINE void multiply_tile(const int type, const uint8_t *lines, const chunk_scales *s, int groups, const vox_chunk *x, int cols,
                          vec sums[][QUANT_VECS], const uint8_t *ahead) {
    switch (cols) {
#define CASE(C) case C: multiply(type, C, lines, s, groups, x, sums, ahead); break
    CASE(1);
    CASE(2);
    CASE(3);
#if QUANT_COLS > 4
    CASE(4);
    CASE(5);
#endif
#if QUANT_COLS > 6
    CASE(6);
    CASE(7);
#endif
    default: multiply(type, QUANT_COLS, lines, s, groups, x, sums, ahead); break;
#undef CASE
    }
}

INLINE void store_panel(vec sums[SLICES][MAX_COLS][QUANT_VECS], int wanted, int cols, float *y, size_t ldy) {
    for (int i = 0; i < VOX_PANEL / LANES && i * LANES < wanted; i++)
        for (int c = 0; c < cols; c++) {
            float *out = y + (size_t)c * ldy + i * LANES;
            const vec sum = sums[i / QUANT_VECS][c][i % QUANT_VECS];
            if (wanted - i * LANES >= LANES) V_STORE(out, sum);
            else V_STORE_N(out, sum, wanted - i * LANES);
        }
}

/* A panel times up to MAX_COLS columns; consecutive chunks of x lie x_stride apart. Only the first
 * `wanted` rows are stored. */
INLINE void multiply_panel(const int type, const uint8_t *panel, int wanted, int k, const vox_chunk *x, size_t x_stride,
                           int cols, float *y, size_t ldy) {
    const uint8_t *lines = panel + vox_panel_head((vox_weight_type)type, k), *d = panel;
    vec sums[SLICES][MAX_COLS][QUANT_VECS];
    UNROLL for (int slice = 0; slice < SLICES; slice++)
        for (int c = 0; c < cols; c++)
            UNROLL for (int v = 0; v < QUANT_VECS; v++) sums[slice][c][v] = V_ZERO();
    for (int at = 0; at < k; at += VOX_CHUNK, lines += VOX_LINE * vox_chunk_lines(type), d += 2 * VOX_PANEL, x += x_stride) {
        const int groups = k - at < VOX_CHUNK ? (k - at + 2 * VOX_GROUP - 1) / (2 * VOX_GROUP) * 2 : VOX_GROUPS;
        const int scale_lines = type == VOX_WEIGHT_Q6_K ? 0 : type == VOX_WEIGHT_Q8_0 ? groups / 2 : 4;
        for (int slice = 0; slice < SLICES; slice++) {
            const uint8_t *from = lines + slice * SLICE * 4;
            chunk_scales s;
            read_scales(type, (const uint16_t *)(const void *)d + slice * SLICE, from, groups, &s);
            for (int c = 0; c < cols; c += QUANT_COLS)
                multiply_tile(type, from + scale_lines * VOX_LINE, &s, groups, x + c, cols - c, sums[slice] + c,
                              slice || c ? NULL : lines + AHEAD);
        }
    }
    store_panel(sums, wanted, cols, y, ldy);
}

INLINE void multiply_all(const int type, const uint8_t *w, int rows, int k, const vox_chunk *x, int cols,
                         float *y, size_t ldy) {
    const size_t panel = vox_panel_bytes((vox_weight_type)type, k);
    for (int c = 0; c < cols; c += MAX_COLS)
        for (int r = 0; r < rows; r += VOX_PANEL)
            multiply_panel(type, w + (size_t)(r / VOX_PANEL) * panel, rows - r < VOX_PANEL ? rows - r : VOX_PANEL, k, x + c,
                           (size_t)cols, cols - c < MAX_COLS ? cols - c : MAX_COLS, y + (size_t)c * ldy + r, ldy);
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
