/* generic.c - the reference kernels in portable C: what the others are tested against. */
#include <math.h>

#include "kernels.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF   /* else one call might fuse what another does not */
#endif

/* Eight partial sums, so that a compiler may use vectors without reordering anything. */
#define LANES 8

static float sum_lanes(const float *s) {
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static float widen(uint16_t v) {
    union { uint32_t u; float f; } bits;
    bits.u = (uint32_t)v << 16;
    return bits.f;
}

static float dot_f32(const float *w, const float *x, int k) {
    float s[LANES] = { 0 };
    int i = 0;
    for (; i + LANES <= k; i += LANES)
        for (int j = 0; j < LANES; j++) s[j] += w[i + j] * x[i + j];
    for (int j = 0; i + j < k; j++) s[j] += w[i + j] * x[i + j];
    return sum_lanes(s);
}

static float dot_bf16(const uint16_t *w, const float *x, int k) {
    float s[LANES] = { 0 };
    int i = 0;
    for (; i + LANES <= k; i += LANES)
        for (int j = 0; j < LANES; j++) s[j] += widen(w[i + j]) * x[i + j];
    for (int j = 0; i + j < k; j++) s[j] += widen(w[i + j]) * x[i + j];
    return sum_lanes(s);
}

static void matmul_bf16(const uint16_t *w, size_t ldw, int rows, int k,
                        const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            y[(size_t)c * ldy + (size_t)r] = dot_bf16(w + (size_t)r * ldw, x + (size_t)c * ldx, k);
}

static void matmul_f32(const float *w, size_t ldw, int rows, int k,
                       const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            y[(size_t)c * ldy + (size_t)r] = dot_f32(w + (size_t)r * ldw, x + (size_t)c * ldx, k);
}

static void add_weighted(const float *p, size_t ldp, int queries, const float *v, size_t ldv,
                         int keys, int dim, float *out, size_t ldo) {
    for (int q = 0; q < queries; q++)
        for (int j = 0; j < keys; j++) {
            const float weight = p[(size_t)q * ldp + (size_t)j];
            const float *row = v + (size_t)j * ldv;
            float *o = out + (size_t)q * ldo;
            for (int d = 0; d < dim; d++) o[d] += weight * row[d];
        }
}

static void rms_norm(const float *x, const float *weight, int n, float eps, float *y) {
    const float scale = 1.0f / sqrtf(dot_f32(x, x, n) / (float)n + eps);
    for (int i = 0; i < n; i++) y[i] = x[i] * scale * weight[i];
}

static float sum_exp(const float *x, int n, float max) {
    float s[LANES] = { 0 };
    for (int i = 0; i < n; i++) s[i % LANES] += expf(x[i] - max);
    return sum_lanes(s);
}

static void softmax(float *x, int n) {
    float max = -INFINITY, s[LANES] = { 0 };
    for (int i = 0; i < n; i++) max = x[i] > max ? x[i] : max;
    for (int i = 0; i < n; i++) {
        x[i] = expf(x[i] - max);
        s[i % LANES] += x[i];
    }
    const float scale = 1.0f / sum_lanes(s);
    for (int i = 0; i < n; i++) x[i] *= scale;
}

static void silu_mul(float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] = a[i] / (1.0f + expf(-a[i])) * b[i];
}

const vox_kernels *vox_kernels_generic(void) {
    static const vox_kernels table = {
        .name = "generic",
        .matmul_bf16 = matmul_bf16,
        .matmul_f32 = matmul_f32,
        .add_weighted = add_weighted,
        .rms_norm = rms_norm,
        .softmax = softmax,
        .sum_exp = sum_exp,
        .silu_mul = silu_mul,
    };
    return &table;
}
