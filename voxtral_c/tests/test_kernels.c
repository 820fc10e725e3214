/* test_kernels.c - each instruction set against the plain reference, and the property that all
 * exactness rests on: a column computed alone equals, bit for bit, the same column in a batch. */
#include <math.h>
#include <string.h>

#include "../src/machine/base.h"
#include "../src/kernels/kernels.h"
#include "check.h"

enum { MAX_K = 1300, MAX_ROWS = 21, MAX_COLS = 20, GUARD = 64 };

static uint64_t seed = 88172645463325252u;

static float noise(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (float)((double)(seed >> 11) / 9007199254740992.0 * 2 - 1);
}

static float *random_floats(size_t n) {
    float *x = vox_alloc(n, sizeof *x);
    REQUIRE(x != NULL, "no memory");
    for (size_t i = 0; i < n; i++) x[i] = noise();
    return x;
}

/* Largest difference relative to the largest value. */
static double difference(const float *a, const float *b, size_t n) {
    double worst = 0, most = 1e-30;
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)a[i] - b[i]), size = fabs((double)b[i]);
        if (off > worst) worst = off;
        if (size > most) most = size;
    }
    return worst / most;
}

/* Random weights in one of the plain types, and as floats. */
typedef struct matrices {
    vox_weight_type type;
    void *w;
    float *wide, *x;
} matrices;

static void multiply(const vox_kernels *k, const matrices *m, int rows, int cols, int n, size_t ldx, int row, int col,
                     float *y) {
    const void *w = (const char *)m->w + (size_t)row * vox_row_bytes(m->type, MAX_K);
    const float *x = m->x + (size_t)col * ldx;
    if (m->type == VOX_WEIGHT_BF16) k->matmul_bf16(w, MAX_K, rows, n, x, ldx, cols, y, MAX_ROWS);
    else if (m->type == VOX_WEIGHT_F16) k->matmul_f16(w, MAX_K, rows, n, x, ldx, cols, y, MAX_ROWS);
    else k->matmul_f32(w, MAX_K, rows, n, x, ldx, cols, y, MAX_ROWS);
}

static void test_matmul_size(const vox_kernels *k, const matrices *m, int rows, int cols, int n, size_t ldx) {
    static float y[MAX_COLS * MAX_ROWS + GUARD], want[MAX_COLS * MAX_ROWS], one[MAX_ROWS];
    const char *type = vox_weight_type_name(m->type);
    int same = 1, clean = 1;
    for (int i = 0; i < MAX_COLS * MAX_ROWS + GUARD; i++) y[i] = 12345.0f;
    memset(want, 0, sizeof want);
    multiply(k, m, rows, cols, n, ldx, 0, 0, y);
    multiply(vox_kernels_generic(), m, rows, cols, n, ldx, 0, 0, want);
    for (int c = 0; c < cols; c++) {
        CHECK(difference(y + c * MAX_ROWS, want + c * MAX_ROWS, (size_t)rows) < 1e-5,
              "%s, %s: %d x %d x %d, column %d", k->name, type, rows, cols, n, c);
        for (int r = 0; r < rows; r++) {
            multiply(k, m, 1, 1, n, ldx, r, c, one);
            if (memcmp(&one[0], &y[c * MAX_ROWS + r], sizeof(float))) same = 0;
        }
        for (int r = rows; r < MAX_ROWS; r++) if (y[c * MAX_ROWS + r] != 12345.0f) clean = 0;
    }
    CHECK(same, "%s, %s: %d x %d x %d depends on the batch", k->name, type, rows, cols, n);
    CHECK(clean, "%s: wrote beyond its rows", k->name);
}

static void test_matmul(const vox_kernels *k, vox_weight_type type) {
    static const int sizes[] = { 1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 128, 1280, 1293 };
    matrices m = { type, NULL, random_floats(MAX_ROWS * MAX_K), random_floats(MAX_COLS * MAX_K) };
    m.w = vox_alloc(MAX_ROWS, vox_row_bytes(type, MAX_K));
    REQUIRE(m.w, "no memory");
    vox_quantize(type, m.wide, m.w, MAX_ROWS * MAX_K);
    vox_dequantize(type, m.w, m.wide, MAX_ROWS * MAX_K);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        test_matmul_size(k, &m, MAX_ROWS, MAX_COLS, sizes[i], MAX_K);
        test_matmul_size(k, &m, 8, 7, sizes[i], 128);     /* overlapping columns */
        test_matmul_size(k, &m, 3, 1 + (int)i, sizes[i], MAX_K);
    }
    /* Widened weights give the very same numbers. */
    float a[MAX_ROWS], b[MAX_ROWS];
    const matrices wide = { VOX_WEIGHT_F32, m.wide, m.wide, m.x };
    multiply(k, &m, MAX_ROWS, 1, 1293, MAX_K, 0, 0, a);
    multiply(k, &wide, MAX_ROWS, 1, 1293, MAX_K, 0, 0, b);
    CHECK(!memcmp(a, b, sizeof a), "%s: %s and its float32 copy differ", k->name, vox_weight_type_name(type));
    vox_free(m.w);
    vox_free(m.x);
    vox_free(m.wide);
}

/* Weights of zero add nothing, and keys added in two pieces give the same as in one. */
static void test_add_weighted(const vox_kernels *k) {
    enum { KEYS = 70, QUERIES = 13, MAX_DIM = 130 };
    static const int dims[] = { 2, 8, 16, 32, 64, 100, 128, 130 };
    float *p = random_floats(QUERIES * KEYS), *v = random_floats(KEYS * MAX_DIM);
    for (int q = 0; q < QUERIES; q++) memset(p + q * KEYS, 0, (size_t)q * sizeof *p);
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        static float out[QUERIES * MAX_DIM], want[QUERIES * MAX_DIM], split[QUERIES * MAX_DIM], one[MAX_DIM];
        const int dim = dims[i];
        memset(out, 0, sizeof out);
        memset(want, 0, sizeof want);
        memset(split, 0, sizeof split);
        k->add_weighted(p, KEYS, QUERIES, v, MAX_DIM, KEYS, dim, out, MAX_DIM);
        vox_kernels_generic()->add_weighted(p, KEYS, QUERIES, v, MAX_DIM, KEYS, dim, want, MAX_DIM);
        k->add_weighted(p, KEYS, QUERIES, v, MAX_DIM, 31, dim, split, MAX_DIM);
        k->add_weighted(p + 31, KEYS, QUERIES, v + 31 * MAX_DIM, MAX_DIM, KEYS - 31, dim, split, MAX_DIM);
        CHECK(difference(out, want, QUERIES * MAX_DIM) < 1e-5, "%s: values of %d", k->name, dim);
        CHECK(!memcmp(out, split, sizeof out), "%s: values of %d depend on the pieces", k->name, dim);
        for (int q = 0; q < QUERIES; q++) {
            memset(one, 0, sizeof one);
            k->add_weighted(p + q * KEYS + q, KEYS, 1, v + q * MAX_DIM, MAX_DIM, KEYS - q, dim, one, MAX_DIM);
            CHECK(!memcmp(one, out + q * MAX_DIM, sizeof one), "%s: values of %d, query %d", k->name, dim, q);
        }
    }
    vox_free(p);
    vox_free(v);
}

static void test_elementwise(const vox_kernels *k) {
    const vox_kernels *g = vox_kernels_generic();
    for (int n = 1; n < 140; n += n < 40 ? 1 : 13) {
        float a[160], b[160], c[160], weight[160];
        for (int i = 0; i < n; i++) {
            a[i] = b[i] = noise() * 20;
            weight[i] = noise();
        }
        k->rms_norm(a, weight, n, 1e-5f, c);
        g->rms_norm(b, weight, n, 1e-5f, a);
        CHECK(difference(c, a, (size_t)n) < 1e-5, "%s: norm of %d", k->name, n);
        memcpy(a, b, sizeof a);
        memcpy(c, b, sizeof c);
        k->softmax(a, n);
        g->softmax(c, n);
        CHECK(difference(a, c, (size_t)n) < 1e-5, "%s: softmax of %d", k->name, n);
        CHECK(fabs(k->sum_exp(b, n, 20) / g->sum_exp(b, n, 20) - 1) < 1e-5, "%s: sum of exponentials of %d", k->name, n);
        memcpy(a, b, sizeof a);
        memcpy(c, b, sizeof c);
        k->silu_mul(a, weight, (size_t)n);
        g->silu_mul(c, weight, (size_t)n);
        CHECK(difference(a, c, (size_t)n) < 1e-5, "%s: silu of %d", k->name, n);
    }
    float far[4] = { -1000, 1000, -89, 0 }, ones[4] = { 1, 1, 1, 1 }, scores[3] = { -1e30f, 0, -200 };
    k->silu_mul(far, ones, 4);
    CHECK(fabsf(far[0]) < 1e-30f && far[1] == 1000 && fabsf(far[2]) < 1e-30f && far[3] == 0, "%s: silu at its ends", k->name);
    k->softmax(scores, 3);
    CHECK(scores[1] == 1 && scores[0] < 1e-30f && scores[2] < 1e-30f, "%s: softmax at its ends", k->name);
}

static void test_argmax(void) {
    const float ties[] = { 1, 3, 2, 3 }, nan_first[] = { NAN, -5, NAN, -4 }, all_nan[] = { NAN, NAN };
    CHECK(vox_argmax(ties, 4) == 1, "the lowest of equals");
    CHECK(vox_argmax(nan_first, 4) == 3, "NaN loses");
    CHECK(vox_argmax(all_nan, 2) == 0, "nothing but NaN");
}

int main(void) {
    const vox_kernels *k;
    for (int i = 0; (k = vox_kernels_at(i)) != NULL; i++) {
        test_matmul(k, VOX_WEIGHT_F32);
        test_matmul(k, VOX_WEIGHT_BF16);
        test_matmul(k, VOX_WEIGHT_F16);
        test_add_weighted(k);
        test_elementwise(k);
        CHECK(vox_kernels_select(k->name) == k, "%s by name", k->name);
    }
    test_argmax();
    CHECK(vox_kernels_select("none") == NULL, "unknown kernels");
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
