/* quant_body.h - products of quantised weights, written once over vectors; included behind
 * simd_body.h by the files of the instruction sets.
 *
 * Rows are taken PANEL * LANES at a time. A chunk of 256 columns of them is unpacked into a panel
 * in the first-level cache: small integers, four of a row in each 32-bit lane, LANES rows side by
 * side, and a scale (and minimum) for each row and group. Then every column of x is multiplied with
 * it. So the weights are read and decoded once however many columns there are, all formats share
 * one product, and no sum runs across lanes: a lane is an output element, which adds up its groups
 * in order. That order is the same for one column and for many.
 *
 * The including file defines, besides the macros of simd_body.h:
 *   ivec                       LANES 32-bit integers
 *   I_LOAD1(p)                 the 4 bytes at p in all lanes
 *   I_SET1(n) I_ZERO() I_AND I_OR I_XOR I_SHL(v, n) I_SHR(v, n) I_SAR(v, n)
 *   I_FLOAT(v)                 to float
 *   V_HALF(v)                  the low 16 bits of each lane, a float16, to float
 *   V_FNMA(a, b, c) = c - a * b, V_ABS(v)
 *   V_STORE_I8(p, v)           LANES whole numbers from -127 to 127, as bytes
 *   I_DOT(sum, w, x)           sum + the products of four bytes: w unsigned (below 128 but in Q8_0), x signed
 *   I_DOT_Q8(sum, w, x), Q8_UNSIGNED   the same for Q8_0; whether its w are biased by 128
 *   gather(p, stride)          4 bytes of each of LANES rows, from p, p + stride, ...
 *   transpose16(p, stride, out)  out[0..3]: the i-th 4 of 16 bytes of each row
 *   transpose32(p, stride, out)  out[0..7]: of 32 bytes
 *   PANEL, QUANT_COLS          register block: vectors of rows, and columns
 */
#include "../quants.h"

enum {
    ROWS = PANEL * LANES,
    MAX_COLS = 64,            /* columns that share one unpacking */
    FAR_COLS = 4096           /* rows up to so long are fetched from memory ROWS rows ahead */
};

typedef struct panel {
    ivec u[VOX_CHUNK / 4];
    vec scale[VOX_CHUNK / 16];    /* one for each group of 32; Q6_K: of 16 */
    vec min[VOX_GROUPS];
} panel;

/* Bytes of 256 weights. */
INLINE size_t chunk_bytes(const int type) {
    return type == VOX_WEIGHT_Q8_0 ? VOX_GROUPS * sizeof(vox_q8_0) : type == VOX_WEIGHT_Q4_K ? sizeof(vox_q4_k)
           : type == VOX_WEIGHT_Q5_K ? sizeof(vox_q5_k) : sizeof(vox_q6_k);
}

/* ---- unpacking: one chunk of LANES rows, which begin at w and lie `stride` apart --------- */

/* While a chunk is unpacked the next one, at `next` of the first row, is fetched from memory: line by
 * line, as a burst would fill the line buffers and stop everything. */
INLINE void fetch(const uint8_t *next, size_t stride, int line) {
    UNROLL for (size_t r = 0; r < LANES; r++) __builtin_prefetch((const void *)((uintptr_t)next + r * stride + 64 * (size_t)line));
}

/* Into the second-level cache, in the order of memory: a part of the rows behind these. */
INLINE void fetch_far(uintptr_t p, int lines) {
    UNROLL for (int i = 0; i < lines; i++) __builtin_prefetch((const void *)(p + 64 * (uintptr_t)i), 0, 2);
}

INLINE ivec byte_of(ivec v, int i) { return I_AND(I_SHR(v, 8 * i), I_SET1(0xff)); }

INLINE void unpack_q8_0(const uint8_t *w, size_t stride, const uint8_t *next, int groups, panel *p) {
    for (int g = 0; g < groups; g++, w += sizeof(vox_q8_0)) {
        ivec q[8];
        if (next && g < 5) fetch(next, stride, g);
        p->scale[g] = V_HALF(gather(w, stride));
        transpose32(w + 2, stride, q);
        UNROLL for (int i = 0; i < 8; i++)
            p->u[g * 8 + i] = Q8_UNSIGNED ? I_XOR(q[i], I_SET1((int)0x80808080)) : q[i];
    }
}

/* The 16 bytes that Q4_K and Q5_K begin with: d, dmin and 6-bit scales and minimums. */
INLINE void unpack_k_scales(const uint8_t *w, size_t stride, panel *p) {
    const ivec six = I_SET1(0x3f3f3f3f), four = I_SET1(0x0f0f0f0f), two = I_SET1(0x30303030);
    ivec h[4], scales[2], mins[2];
    transpose16(w, stride, h);
    const vec d = V_HALF(h[0]), dmin = V_HALF(I_SHR(h[0], 16));
    scales[0] = I_AND(h[1], six);
    mins[0] = I_AND(h[2], six);
    scales[1] = I_OR(I_AND(h[3], four), I_AND(I_SHR(h[1], 2), two));
    mins[1] = I_OR(I_AND(I_SHR(h[3], 4), four), I_AND(I_SHR(h[2], 2), two));
    UNROLL for (int g = 0; g < 8; g++) {
        p->scale[g] = V_MUL(d, I_FLOAT(byte_of(scales[g / 4], g % 4)));
        p->min[g] = V_MUL(dmin, I_FLOAT(byte_of(mins[g / 4], g % 4)));
    }
}

INLINE void unpack_q4_k(const uint8_t *w, size_t stride, const uint8_t *next, uintptr_t far, panel *p) {
    enum { LINES = LANES * sizeof(vox_q4_k) / 64 / 4 };
    const ivec four = I_SET1(0x0f0f0f0f);
    unpack_k_scales(w, stride, p);
    for (int i = 0; i < 4; i++) {
        ivec q[8];
        if (next && i < 3) fetch(next, stride, i);
        if (far) fetch_far(far + (size_t)i * LINES * 64, LINES);
        transpose32(w + offsetof(vox_q4_k, q) + 32 * (size_t)i, stride, q);
        UNROLL for (int j = 0; j < 8; j++) {
            p->u[16 * i + j] = I_AND(q[j], four);
            p->u[16 * i + 8 + j] = I_AND(I_SHR(q[j], 4), four);
        }
    }
}

INLINE ivec bit_to_4(ivec v, int bit) { return bit < 4 ? I_SHL(v, 4 - bit) : I_SHR(v, bit - 4); }

INLINE void unpack_q5_k(const uint8_t *w, size_t stride, const uint8_t *next, panel *p) {
    const ivec four = I_SET1(0x0f0f0f0f), fifth = I_SET1(0x10101010);
    ivec high[8];
    unpack_k_scales(w, stride, p);
    transpose32(w + offsetof(vox_q5_k, qh), stride, high);
    UNROLL for (int i = 0; i < 4; i++) {
        ivec q[8];
        if (next && i < 3) fetch(next, stride, i);
        transpose32(w + offsetof(vox_q5_k, q) + 32 * (size_t)i, stride, q);
        UNROLL for (int j = 0; j < 8; j++) {
            p->u[16 * i + j] = I_OR(I_AND(q[j], four), I_AND(bit_to_4(high[j], 2 * i), fifth));
            p->u[16 * i + 8 + j] = I_OR(I_AND(I_SHR(q[j], 4), four), I_AND(bit_to_4(high[j], 2 * i + 1), fifth));
        }
    }
}

INLINE void unpack_q6_k(const uint8_t *w, size_t stride, const uint8_t *next, panel *p) {
    const ivec four = I_SET1(0x0f0f0f0f), two = I_SET1(0x30303030);
    const vec d = V_HALF(I_SHR(gather(w + offsetof(vox_q6_k, d) - 2, stride), 16));
    ivec scales[4];
    transpose16(w + offsetof(vox_q6_k, scales), stride, scales);
    UNROLL for (int g = 0; g < 16; g++)
        p->scale[g] = V_MUL(d, I_FLOAT(I_SAR(I_SHL(scales[g / 4], 24 - 8 * (g % 4)), 24)));
    for (int h = 0; h < 2; h++) {
        ivec low[2][8], high[8];
        if (next) fetch(next, stride, 2 * h);
        transpose32(w + 64 * (size_t)h, stride, low[0]);
        if (next) fetch(next, stride, 2 * h + 1);
        transpose32(w + 64 * (size_t)h + 32, stride, low[1]);
        transpose32(w + offsetof(vox_q6_k, qh) + 32 * (size_t)h, stride, high);
        UNROLL for (int j = 0; j < 8; j++) {
            ivec *u = p->u + 32 * h + j;
            u[0] = I_OR(I_AND(low[0][j], four), I_AND(I_SHL(high[j], 4), two));
            u[8] = I_OR(I_AND(low[1][j], four), I_AND(I_SHL(high[j], 2), two));
            u[16] = I_OR(I_AND(I_SHR(low[0][j], 4), four), I_AND(high[j], two));
            u[24] = I_OR(I_AND(I_SHR(low[1][j], 4), four), I_AND(I_SHR(high[j], 2), two));
        }
    }
}

INLINE void unpack(const int type, const uint8_t *w, size_t stride, const uint8_t *next, uintptr_t far, int groups,
                   panel *p) {
    switch (type) {
    case VOX_WEIGHT_Q8_0: unpack_q8_0(w, stride, next, groups, p); break;
    case VOX_WEIGHT_Q4_K: unpack_q4_k(w, stride, next, far, p); break;
    case VOX_WEIGHT_Q5_K: unpack_q5_k(w, stride, next, p); break;
    default: unpack_q6_k(w, stride, next, p); break;
    }
}

/* ---- the product: sums[c][v] += panel v times column c, over one chunk ----------------- */

INLINE void multiply(const int type, const int C, const panel *p, int groups, const vox_chunk *x,
                     vec sums[][PANEL]) {
    const int parts = type == VOX_WEIGHT_Q6_K ? 2 : 1, steps = 8 / parts;
    vec acc[QUANT_COLS][PANEL];
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < PANEL; v++) acc[c][v] = sums[c][v];
    }
    for (int g = 0; g < groups * parts; g++) {
        ivec dots[QUANT_COLS][PANEL];
        UNROLL for (int c = 0; c < C; c++) {
            const ivec from = type == VOX_WEIGHT_Q6_K ? I_SET1(x[c].offset_q6[g])
                              : type == VOX_WEIGHT_Q8_0 && Q8_UNSIGNED ? I_SET1(x[c].offset_q8[g]) : I_ZERO();
            UNROLL for (int v = 0; v < PANEL; v++) dots[c][v] = from;
        }
        UNROLL for (int i = 0; i < steps; i++) {
            UNROLL for (int c = 0; c < C; c++) {
                const ivec xs = I_LOAD1(x[c].q + 4 * (g * steps + i));
                UNROLL for (int v = 0; v < PANEL; v++) {
                    const ivec w = p[v].u[g * steps + i];
                    dots[c][v] = type == VOX_WEIGHT_Q8_0 ? I_DOT_Q8(dots[c][v], w, xs) : I_DOT(dots[c][v], w, xs);
                }
            }
        }
        UNROLL for (int c = 0; c < C; c++) {
            const vec d = V_SET1(x[c].d[g / parts]);
            UNROLL for (int v = 0; v < PANEL; v++)
                acc[c][v] = V_FMA(V_MUL(p[v].scale[g], d), I_FLOAT(dots[c][v]), acc[c][v]);
        }
        if (type == VOX_WEIGHT_Q4_K || type == VOX_WEIGHT_Q5_K)
            UNROLL for (int c = 0; c < C; c++) {
                const vec sum = V_SET1(x[c].sum[g]);
                UNROLL for (int v = 0; v < PANEL; v++) acc[c][v] = V_FNMA(p[v].min[g], sum, acc[c][v]);
            }
    }
    UNROLL for (int c = 0; c < C; c++) {
        UNROLL for (int v = 0; v < PANEL; v++) sums[c][v] = acc[c][v];
    }
}

INLINE void multiply_tile(const int type, const panel *p, int groups, const vox_chunk *x, int cols, vec sums[][PANEL]) {
    switch (cols) {
    case 1: multiply(type, 1, p, groups, x, sums); break;
#if QUANT_COLS > 2
    case 2: multiply(type, 2, p, groups, x, sums); break;
#endif
#if QUANT_COLS > 3
    case 3: multiply(type, 3, p, groups, x, sums); break;
#endif
#if QUANT_COLS > 4
    case 4: multiply(type, 4, p, groups, x, sums); break;
#endif
#if QUANT_COLS > 5
    case 5: multiply(type, 5, p, groups, x, sums); break;
#endif
    default: multiply(type, QUANT_COLS, p, groups, x, sums); break;
    }
}

/* Many columns take far longer than their unpacking: the next chunk is fetched meanwhile. */
INLINE void multiply_columns(const int type, const panel *p, int groups, const vox_chunk *x, int cols,
                             vec sums[][PANEL], const uint8_t *next, size_t stride) {
    const size_t tiles = ((size_t)cols + QUANT_COLS - 1) / QUANT_COLS;
    for (size_t t = 0; t < tiles; t++) {
        const int c = (int)t * QUANT_COLS;
        if (next)
            for (size_t r = ROWS * t / tiles; r < ROWS * (t + 1) / tiles; r++)
                for (size_t i = 0; i < chunk_bytes(type); i += 64)
                    __builtin_prefetch((const void *)((uintptr_t)next + r * stride + i));
        multiply_tile(type, p, groups, x + c, cols - c, sums + c);
    }
}

/* ROWS rows times up to MAX_COLS columns; consecutive chunks of x lie x_stride apart. Only `wanted`
 * rows are stored. */
INLINE void multiply_panel(const int type, const uint8_t *w, size_t stride, int wanted, int k,
                           const vox_chunk *x, size_t x_stride, int cols, float *y, size_t ldy) {
    vec sums[MAX_COLS][PANEL];
    panel p[PANEL];
    uintptr_t far = (uintptr_t)w + ROWS * stride;      /* where the rows behind these begin */
    for (int c = 0; c < cols; c++)
        UNROLL for (int v = 0; v < PANEL; v++) sums[c][v] = V_ZERO();
    for (int at = 0; at < k; at += VOX_CHUNK, w += chunk_bytes(type), far += ROWS * chunk_bytes(type), x += x_stride) {
        const int groups = k - at < VOX_CHUNK ? (k - at) / VOX_GROUP : VOX_GROUPS;
        /* Behind the last chunk of these rows come those that follow. */
        const uint8_t *next = w + chunk_bytes(type) + (at + VOX_CHUNK < k ? 0 : (ROWS - 1) * stride);
        const int few = cols <= QUANT_COLS;
        UNROLL for (int v = 0; v < PANEL; v++)
            unpack(type, w + (size_t)v * LANES * stride, stride, few ? next + (size_t)v * LANES * stride : NULL,
                   few && k <= FAR_COLS ? far + (size_t)v * LANES * chunk_bytes(type) : 0, groups, &p[v]);
        multiply_columns(type, p, groups, x, cols, sums, few ? NULL : next, stride);
    }
    for (int c = 0; c < cols; c++)
        UNROLL for (int v = 0; v < PANEL; v++) {
            float *out = y + (size_t)c * ldy + v * LANES;
            if (wanted == ROWS) V_STORE(out, sums[c][v]);
            else if (v == 0) V_STORE_N(out, sums[c][v], wanted);
        }
}

INLINE void multiply_all(const int type, const uint8_t *w, int rows, int k, const vox_chunk *x, int cols,
                         float *y, size_t ldy) {
    const size_t stride = vox_row_bytes((vox_weight_type)type, k);
    for (int c = 0; c < cols; c += MAX_COLS) {
        const int n = cols - c < MAX_COLS ? cols - c : MAX_COLS;
        float *out = y + (size_t)c * ldy;
        if (rows < ROWS) {            /* too few: each alone in all lanes */
            for (int r = 0; r < rows; r++)
                multiply_panel(type, w + (size_t)r * stride, 0, 1, k, x + c, (size_t)cols, n, out + r, ldy);
            continue;
        }
        for (int r = 0; r < rows; r += ROWS) {
            const int from = r + ROWS <= rows ? r : rows - ROWS;      /* the last ones overlap */
            multiply_panel(type, w + (size_t)from * stride, stride, ROWS, k, x + c, (size_t)cols, n, out + from, ldy);
        }
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
