/* tester.h - what the parts of the self-test share: numbers by chance, and comparing. */
#ifndef VOX_GPU_TESTER_H
#define VOX_GPU_TESTER_H

#include "selftest.h"

/* Sums of float32 in another order differ by some 1e-7; keys and values kept as float16 by 5e-4. */
#define EXACT 2e-6
#define HALF 2e-3

typedef struct tester {
    gpu *g;
    uint32_t state;
    gpu_check_fn fn;
    void *user;
    int failed;
    double start;
} tester;

int test_random_int(tester *t, int low, int high);
/* n numbers from -1 to 1, to be freed; NULL without memory. */
float *test_random_floats(tester *t, size_t n);
double test_dot(const float *a, const float *b, int n);

/* A buffer of `bytes` and some slack; data NULL: zeros. */
gpu_buffer test_upload(tester *t, const void *data, size_t bytes);
void test_report(tester *t, const char *name, double error, double tolerance);
/* Compare what the GPU made with what it should be. */
void test_compare(tester *t, const char *name, const gpu_buffer *b, const double *want, size_t n, double tolerance);

/* selftest_attention.c: some steps over a ring that comes round, then a tree of guesses, two of which come true. */
void test_attention(tester *t, int half, int window, int positions);

#endif
