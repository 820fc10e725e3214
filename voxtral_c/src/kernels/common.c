#include "kernels.h"

#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF   /* the same bits whatever the instruction set offers */
#endif

void vox_add(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

void vox_mul(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] *= x[i];
}

void vox_gelu(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752f));
}

float vox_rope_frequency(double theta, int j, int head_dim) {
    return (float)pow(theta, -(double)((float)j / (float)head_dim));
}

void vox_interleave_halves(float *x, int heads, int head_dim) {
    const int half = head_dim / 2;
    for (int h = 0; h < heads; h++, x += head_dim) {
        float halves[1024];
        memcpy(halves, x, (size_t)head_dim * sizeof *x);
        for (int i = 0; i < half; i++) {
            x[2 * i] = halves[i];
            x[2 * i + 1] = halves[half + i];
        }
    }
}

void vox_rope(float *x, int heads, int head_dim, const float *cs) {
    for (int h = 0; h < heads; h++, x += head_dim)
        for (int i = 0; i < head_dim; i += 2) {
            const float a = x[i], b = x[i + 1], c = cs[i], s = cs[i + 1];
            x[i] = a * c - b * s;
            x[i + 1] = b * c + a * s;
        }
}

int vox_argmax(const float *x, int n) {
    int best = 0;
    float most = -INFINITY;
    for (int i = 0; i < n; i++)
        if (x[i] > most) {
            most = x[i];
            best = i;
        }
    return best;
}
