/* simd_body.h - the kernels written once over vectors, included by avx2.c, avx512.c and neon.c.
 *
 * The including file defines:
 *   NAME                   the set's name, a string
 *   LANES, vec             floats in a vector, and its type
 *   V_ZERO() V_SET1(s) V_LOAD(p) V_STORE(p, v)
 *   V_LOAD_N(p, n) V_STORE_N(p, v, n)      the first n < LANES elements, zeros behind
 *   V_LOAD_BF16(p) V_LOAD_BF16_N(p, n)     widened to float; the same for F16
 *   V_ADD V_SUB V_MUL V_DIV V_MAX V_FMA(a, b, c) = a * b + c
 *   V_ROUND(v)             to the nearest whole number
 *   V_SCALE2(v, n)         v * 2^n for whole n in -127..127
 *   V_EXPONENT(x)          x, of any size, as V_SCALE_FLOOR can take it
 *   V_FRACTION(x)          what is behind the whole number below x
 *   V_SCALE_FLOOR(v, x)    v * 2^floor(x)
 *   V_ALL_BELOW(v, s)      whether all lanes are; a NaN is not
 *   v_sum4(a, b, c, d, out)   out[0..3] = sums over the lanes, each in the same order
 *   v_max(v)               largest lane
 *   TILE_ROWS (a multiple of 4), TILE_COLS   register block of the matrix product
 *   WIDE_ROWS (a multiple of 4)              rows at once for a single column
 *   V_BLOCK                vectors of an output row at once in add_weighted
 */
#include <math.h>
#include <string.h>

#if defined(VOX_ROLLED)
#define INLINE static inline
#else
#define INLINE static inline __attribute__((always_inline))
#endif
#define UNROLL_PRAGMA(x) _Pragma(#x)
#if defined(VOX_ROLLED)
#define UNROLL
#elif defined(__clang__)
#define UNROLL UNROLL_PRAGMA(clang loop unroll(full))
#else
#define UNROLL UNROLL_PRAGMA(GCC unroll 16)
#endif

/* ---- matrix products ------------------------------------------------------------------- */

INLINE vec load_w(const void *w, size_t at, const int type) {
    return type == VOX_WEIGHT_BF16 ? V_LOAD_BF16((const uint16_t *)w + at)
           : type == VOX_WEIGHT_F16 ? V_LOAD_F16((const uint16_t *)w + at) : V_LOAD((const float *)w + at);
}

INLINE vec load_w_n(const void *w, size_t at, const int type, int n) {
    return type == VOX_WEIGHT_BF16 ? V_LOAD_BF16_N((const uint16_t *)w + at, n)
           : type == VOX_WEIGHT_F16 ? V_LOAD_F16_N((const uint16_t *)w + at, n) : V_LOAD_N((const float *)w + at, n);
}

/* R rows times C columns in registers: one accumulator for each output element, however large the
 * tile is, which is what makes results independent of it. R and C are constants at every call. */
INLINE void tile(const int R, const int C, const int type, const void *w, size_t ldw, int k,
                 const float *x, size_t ldx, float *y, size_t ldy) {
    vec acc[WIDE_ROWS > TILE_ROWS ? WIDE_ROWS : TILE_ROWS][TILE_COLS];
    int i = 0;
    UNROLL for (int r = 0; r < R; r++) {
        UNROLL for (int c = 0; c < C; c++) acc[r][c] = V_ZERO();
    }
    for (; i + LANES <= k; i += LANES) {
        vec xs[TILE_COLS];
        UNROLL for (int c = 0; c < C; c++) xs[c] = V_LOAD(x + (size_t)c * ldx + i);
        UNROLL for (int r = 0; r < R; r++) {
            const vec ws = load_w(w, (size_t)r * ldw + (size_t)i, type);
            UNROLL for (int c = 0; c < C; c++) acc[r][c] = V_FMA(ws, xs[c], acc[r][c]);
        }
    }
    if (i < k) {
        vec xs[TILE_COLS];
        UNROLL for (int c = 0; c < C; c++) xs[c] = V_LOAD_N(x + (size_t)c * ldx + i, k - i);
        UNROLL for (int r = 0; r < R; r++) {
            const vec ws = load_w_n(w, (size_t)r * ldw + (size_t)i, type, k - i);
            UNROLL for (int c = 0; c < C; c++) acc[r][c] = V_FMA(ws, xs[c], acc[r][c]);
        }
    }
    if (R % 4 == 0) {
        UNROLL for (int c = 0; c < C; c++) {
            UNROLL for (int r = 0; r + 3 < R; r += 4)
                v_sum4(acc[r][c], acc[r + 1][c], acc[r + 2][c], acc[r + 3][c], y + (size_t)c * ldy + r);
        }
    } else {
        UNROLL for (int c = 0; c < C; c++) {
            UNROLL for (int r = 0; r < R; r++) {
                float sums[4];
                v_sum4(acc[r][c], V_ZERO(), V_ZERO(), V_ZERO(), sums);
                y[(size_t)c * ldy + (size_t)r] = sums[0];
            }
        }
    }
}

/* All rows times C columns. */
INLINE void columns(const int C, const int type, const void *w, size_t ldw, int rows, int k,
                    const float *x, size_t ldx, float *y, size_t ldy) {
    const size_t size = type == VOX_WEIGHT_F32 ? 4 : 2;
    const char *p = w;
    int r = 0;
    if (C == 1)
        for (; r + WIDE_ROWS <= rows; r += WIDE_ROWS)
            tile(WIDE_ROWS, C, type, p + (size_t)r * ldw * size, ldw, k, x, ldx, y + r, ldy);
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
        tile(TILE_ROWS, C, type, p + (size_t)r * ldw * size, ldw, k, x, ldx, y + r, ldy);
    for (; r < rows; r++)
        tile(1, C, type, p + (size_t)r * ldw * size, ldw, k, x, ldx, y + r, ldy);
}

INLINE void matmul(const int type, const void *w, size_t ldw, int rows, int k,
                   const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    int c = 0;
    for (; c + TILE_COLS <= cols; c += TILE_COLS)
        columns(TILE_COLS, type, w, ldw, rows, k, x + (size_t)c * ldx, ldx, y + (size_t)c * ldy, ldy);
    x += (size_t)c * ldx;
    y += (size_t)c * ldy;
    switch (cols - c) {
#if TILE_COLS > 5
    case 5: columns(5, type, w, ldw, rows, k, x, ldx, y, ldy); break;
#endif
#if TILE_COLS > 4
    case 4: columns(4, type, w, ldw, rows, k, x, ldx, y, ldy); break;
#endif
    case 3: columns(3, type, w, ldw, rows, k, x, ldx, y, ldy); break;
    case 2: columns(2, type, w, ldw, rows, k, x, ldx, y, ldy); break;
    case 1: columns(1, type, w, ldw, rows, k, x, ldx, y, ldy); break;
    default: break;
    }
}

static void matmul_bf16(const uint16_t *w, size_t ldw, int rows, int k,
                        const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    matmul(VOX_WEIGHT_BF16, w, ldw, rows, k, x, ldx, cols, y, ldy);
}

static void matmul_f16(const uint16_t *w, size_t ldw, int rows, int k,
                       const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    matmul(VOX_WEIGHT_F16, w, ldw, rows, k, x, ldx, cols, y, ldy);
}

static void matmul_f32(const float *w, size_t ldw, int rows, int k,
                       const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    matmul(VOX_WEIGHT_F32, w, ldw, rows, k, x, ldx, cols, y, ldy);
}

/* ---- attention: weighted sums of values ------------------------------------------------ */

INLINE void weighted_tile(const int Q, const int B, const float *p, size_t ldp, const float *v,
                          size_t ldv, int keys, float *out, size_t ldo) {
    vec acc[TILE_COLS][V_BLOCK];
    UNROLL for (int q = 0; q < Q; q++) {
        UNROLL for (int b = 0; b < B; b++) acc[q][b] = V_LOAD(out + (size_t)q * ldo + b * LANES);
    }
    for (int j = 0; j < keys; j++) {
        vec vs[V_BLOCK];
        UNROLL for (int b = 0; b < B; b++) vs[b] = V_LOAD(v + (size_t)j * ldv + b * LANES);
        UNROLL for (int q = 0; q < Q; q++) {
            const vec weight = V_SET1(p[(size_t)q * ldp + (size_t)j]);
            UNROLL for (int b = 0; b < B; b++) acc[q][b] = V_FMA(weight, vs[b], acc[q][b]);
        }
    }
    UNROLL for (int q = 0; q < Q; q++) {
        UNROLL for (int b = 0; b < B; b++) V_STORE(out + (size_t)q * ldo + b * LANES, acc[q][b]);
    }
}

static void weighted_tail(const float *p, const float *v, size_t ldv, int keys, int n, float *out) {
    vec acc = V_LOAD_N(out, n);
    for (int j = 0; j < keys; j++) acc = V_FMA(V_SET1(p[j]), V_LOAD_N(v + (size_t)j * ldv, n), acc);
    V_STORE_N(out, acc, n);
}

INLINE void weighted_queries(const int Q, const float *p, size_t ldp, const float *v, size_t ldv,
                             int keys, int dim, float *out, size_t ldo) {
    int d = 0;
    for (; d + V_BLOCK * LANES <= dim; d += V_BLOCK * LANES)
        weighted_tile(Q, V_BLOCK, p, ldp, v + d, ldv, keys, out + d, ldo);
    for (; d + LANES <= dim; d += LANES)
        weighted_tile(Q, 1, p, ldp, v + d, ldv, keys, out + d, ldo);
    if (d < dim)
        for (int q = 0; q < Q; q++)
            weighted_tail(p + (size_t)q * ldp, v + d, ldv, keys, dim - d, out + (size_t)q * ldo + d);
}

static void add_weighted(const float *p, size_t ldp, int queries, const float *v, size_t ldv,
                         int keys, int dim, float *out, size_t ldo) {
    int q = 0;
    for (; q + TILE_COLS <= queries; q += TILE_COLS)
        weighted_queries(TILE_COLS, p + (size_t)q * ldp, ldp, v, ldv, keys, dim, out + (size_t)q * ldo, ldo);
    for (; q < queries; q++)
        weighted_queries(1, p + (size_t)q * ldp, ldp, v, ldv, keys, dim, out + (size_t)q * ldo, ldo);
}

/* ---- elementwise and reductions -------------------------------------------------------- */

INLINE float v_sum(vec v) {
    float sums[4];
    v_sum4(v, V_ZERO(), V_ZERO(), V_ZERO(), sums);
    return sums[0];
}

/* exp for x <= 88: 2^n * e^r with |r| <= ln2 / 2, a polynomial good to about one unit in the last
 * place. Below -87 the result is 0 or next to it. */
INLINE vec v_exp(vec x) {
    x = V_MAX(x, V_SET1(-87.0f));
    const vec n = V_ROUND(V_MUL(x, V_SET1(1.44269504088896341f)));
    vec r = V_FMA(n, V_SET1(-0.693359375f), x);
    r = V_FMA(n, V_SET1(2.12194440e-4f), r);
    vec p = V_SET1(1.9875691500e-4f);
    p = V_FMA(p, r, V_SET1(1.3981999507e-3f));
    p = V_FMA(p, r, V_SET1(8.3334519073e-3f));
    p = V_FMA(p, r, V_SET1(4.1665795894e-2f));
    p = V_FMA(p, r, V_SET1(1.6666665459e-1f));
    p = V_FMA(p, r, V_SET1(5.0000001201e-1f));
    p = V_FMA(p, V_MUL(r, r), V_ADD(r, V_SET1(1.0f)));
    return V_SCALE2(p, n);
}

static void rms_norm(const float *x, const float *weight, int n, float eps, float *y) {
    vec acc = V_ZERO();
    int i = 0;
    for (; i + LANES <= n; i += LANES) acc = V_FMA(V_LOAD(x + i), V_LOAD(x + i), acc);
    if (i < n) acc = V_FMA(V_LOAD_N(x + i, n - i), V_LOAD_N(x + i, n - i), acc);
    const float scale = 1.0f / sqrtf(v_sum(acc) / (float)n + eps);
    const vec s = V_SET1(scale);
    for (i = 0; i + LANES <= n; i += LANES) V_STORE(y + i, V_MUL(V_MUL(V_LOAD(x + i), s), V_LOAD(weight + i)));
    if (i < n) V_STORE_N(y + i, V_MUL(V_MUL(V_LOAD_N(x + i, n - i), s), V_LOAD_N(weight + i, n - i)), n - i);
}

/* The tail goes through a padded buffer whose idle lanes hold -inf, that is exp = (nearly) 0. */
INLINE vec load_tail(const float *x, int n) {
    float padded[LANES];
    for (int i = 0; i < LANES; i++) padded[i] = i < n ? x[i] : -INFINITY;
    return V_LOAD(padded);
}

static float sum_exp(const float *x, int n, float max) {
    const vec m = V_SET1(max);
    vec acc = V_ZERO();
    int i = 0;
    for (; i + LANES <= n; i += LANES) acc = V_ADD(acc, v_exp(V_SUB(V_LOAD(x + i), m)));
    if (i < n) acc = V_ADD(acc, v_exp(V_SUB(load_tail(x + i, n - i), m)));
    return v_sum(acc);
}

static void softmax(float *x, int n) {
    vec most = V_SET1(-INFINITY), acc = V_ZERO();
    int i = 0;
    for (; i + LANES <= n; i += LANES) most = V_MAX(most, V_LOAD(x + i));
    if (i < n) most = V_MAX(most, load_tail(x + i, n - i));
    const vec m = V_SET1(v_max(most));
    for (i = 0; i + LANES <= n; i += LANES) {
        const vec e = v_exp(V_SUB(V_LOAD(x + i), m));
        V_STORE(x + i, e);
        acc = V_ADD(acc, e);
    }
    if (i < n) {
        const vec e = v_exp(V_SUB(load_tail(x + i, n - i), m));
        V_STORE_N(x + i, e, n - i);
        acc = V_ADD(acc, e);
    }
    const vec s = V_SET1(1.0f / v_sum(acc));
    for (i = 0; i + LANES <= n; i += LANES) V_STORE(x + i, V_MUL(V_LOAD(x + i), s));
    if (i < n) V_STORE_N(x + i, V_MUL(V_LOAD_N(x + i, n - i), s), n - i);
}

INLINE vec v_silu_mul(vec a, vec b) {
    /* exp(-a) would overflow for a < -88; the quotient is as good as 0 there already. */
    const vec e = v_exp(V_SUB(V_ZERO(), V_MAX(a, V_SET1(-88.0f))));
    return V_MUL(V_DIV(a, V_ADD(V_SET1(1.0f), e)), b);
}

static void silu_mul(float *a, const float *b, size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) V_STORE(a + i, v_silu_mul(V_LOAD(a + i), V_LOAD(b + i)));
    if (i < n) {
        const int rest = (int)(n - i);
        V_STORE_N(a + i, v_silu_mul(V_LOAD_N(a + i, rest), V_LOAD_N(b + i, rest)), rest);
    }
}

#include "quant_body.h"
#include "activations_body.h"
#include "cache_body.h"

static const vox_kernels table = {
    .name = NAME,
    .matmul_bf16 = matmul_bf16,
    .matmul_f16 = matmul_f16,
    .matmul_f32 = matmul_f32,
    .quantize = quantize,
    .matmul_quant = matmul_quant,
    .add_weighted = add_weighted,
    .score_bytes = score_bytes,
    .weigh_first = weigh_first,
    .add_bytes = add_bytes,
    .walk_block = walk_block,
    .to_bytes = to_bytes,
    .rms_norm = rms_norm,
    .softmax = softmax,
    .sum_exp = sum_exp,
    .silu_mul = silu_mul,
};
