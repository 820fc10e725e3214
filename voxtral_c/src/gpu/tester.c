#include "tester.h"

#include <math.h>
#include <stdio.h>

static uint32_t random_bits(tester *t) {
    t->state ^= t->state << 13;
    t->state ^= t->state >> 17;
    return t->state ^= t->state << 5;
}
int test_random_int(tester *t, int low, int high) { return low + (int)(random_bits(t) % (uint32_t)(high - low + 1)); }
static float random_float(tester *t) { return (float)(int32_t)random_bits(t) / 2147483648.0f; }

float *test_random_floats(tester *t, size_t n) {
    float *x = vox_alloc(n ? n : 1, sizeof *x);
    for (size_t i = 0; x && i < n; i++) x[i] = random_float(t);
    return x;
}

gpu_buffer test_upload(tester *t, const void *data, size_t bytes) {
    gpu_buffer b = gpu_alloc(t->g, bytes + GPU_SLACK);
    if (data) gpu_write(t->g, &b, 0, data, bytes);
    return b;
}

void test_report(tester *t, const char *name, double error, double tolerance) {
    gpu_check c = { .error = error, .tolerance = tolerance, .ms = vox_now_ms() - t->start };
    snprintf(c.name, sizeof c.name, "%s", name);
    t->start = vox_now_ms();
    t->failed += !gpu_check_passed(&c);
    t->fn(t->user, &c);
}

void test_compare(tester *t, const char *name, const gpu_buffer *b, const double *want, size_t n, double tolerance) {
    float *got = vox_alloc(n, sizeof *got);
    double error = 0, size = 0, relative = INFINITY;
    if (got && gpu_read(t->g, b, 0, got, n * sizeof *got)) {
        for (size_t i = 0; i < n; i++) {
            error += (got[i] - want[i]) * (got[i] - want[i]);
            size += want[i] * want[i];
        }
        if (isfinite(error)) relative = sqrt(error / (size > 0 ? size : 1));
    }
    test_report(t, name, relative, tolerance);
    vox_free(got);
}

double test_dot(const float *a, const float *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}
