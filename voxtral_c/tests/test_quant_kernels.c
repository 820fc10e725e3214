/* test_quant_kernels.c - products of quantised weights: each instruction set against the plain
 * reference, and bit for bit the same numbers however many columns and rows go together. */
#include <math.h>
#include <string.h>

#include "../src/machine/base.h"
#include "../src/weights/interleave.h"
#include "../src/kernels/kernels.h"
#include "check.h"

enum { MAX_K = 1280, MAX_ROWS = 70, MAX_COLS = 70, GUARD = 40 };

static const vox_weight_type types[] = { VOX_WEIGHT_Q8_0, VOX_WEIGHT_Q4_K, VOX_WEIGHT_Q5_K, VOX_WEIGHT_Q6_K };
enum { TYPES = sizeof types / sizeof *types };

static uint64_t next(void) {
    static uint64_t s = 88172645463325252u;
    s ^= s << 13;
    s ^= s >> 7;
    return s ^= s << 17;
}

static float noise(void) { return (float)((double)(next() >> 11) / 9007199254740992.0 * 2 - 1); }

/* The float16 numbers of a block: d, and dmin where there is one. */
static void set_scales(vox_weight_type type, uint8_t *block, uint16_t d, uint16_t dmin) {
    memcpy(block + (type == VOX_WEIGHT_Q6_K ? offsetof(vox_q6_k, d) : 0), &d, 2);
    if (type == VOX_WEIGHT_Q4_K || type == VOX_WEIGHT_Q5_K) memcpy(block + 2, &dmin, 2);
}

/* The panels of rows that lie one behind the other. Freed by the caller. */
static uint8_t *interleaved(vox_weight_type type, const uint8_t *blocks, int rows, int k) {
    uint8_t *data = vox_alloc(vox_interleaved_bytes(type, rows, k), 1);
    REQUIRE(data != NULL, "no memory");
    for (int r = 0; r < rows; r += VOX_PANEL)
        vox_interleave(type, blocks + (size_t)r * vox_row_bytes(type, k), rows - r < VOX_PANEL ? rows - r : VOX_PANEL, k,
                       data + vox_interleaved_bytes(type, r, k));
    return data;
}

/* Blocks of random bits, with scales about 2^-9 of either sign, now and then 0 or below 2^-14. */
static uint8_t *random_rows(vox_weight_type type, int rows, int k) {
    const size_t block = vox_block_bytes(type), bytes = vox_row_bytes(type, k) * (size_t)rows;
    uint8_t *data = vox_alloc(bytes, 1);
    REQUIRE(data != NULL, "no memory");
    for (size_t i = 0; i < bytes; i++) data[i] = (uint8_t)(next() >> 24);
    for (size_t i = 0; i < bytes; i += block) {
        const uint16_t bits = (uint16_t)next();
        const uint16_t d = bits % 16 == 0 ? 0 : bits % 16 == 1 ? bits & 0x83ff : (bits & 0x87ff) | 0x1800;
        set_scales(type, data + i, d, (uint16_t)(0x1800 | (next() & 0x3ff)));
    }
    return data;
}

static float *random_columns(int cols, int k) {
    float *x = vox_alloc((size_t)cols * (size_t)k, sizeof *x);
    REQUIRE(x != NULL, "no memory");
    for (int i = 0; i < cols * k; i++) x[i] = noise() * (i % 97 == 0 ? 30.0f : 1.0f);
    return x;
}

static double difference(const float *a, const float *b, size_t n) {
    double worst = 0, most = 1e-30;
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)a[i] - b[i]), size = fabs((double)b[i]);
        if (off > worst) worst = off;
        if (size > most) most = size;
    }
    return worst / most;
}

/* Quantise cols columns and multiply rows from `row` on, where a panel begins; y[c * MAX_ROWS + r]. */
static void multiply(const vox_kernels *kernels, vox_weight_type type, const uint8_t *w, int row, int rows, int k,
                     const float *x, int cols, float *y) {
    static vox_chunk chunks[MAX_COLS * ((MAX_K + VOX_CHUNK - 1) / VOX_CHUNK)];
    for (int c = 0; c < cols; c++) kernels->quantize(x + (size_t)c * (size_t)k, k, chunks + c, (size_t)cols);
    kernels->matmul_quant(type, w + vox_interleaved_bytes(type, row, k), rows, k, chunks, cols, y, MAX_ROWS);
}

static void test_size(const vox_kernels *kernels, vox_weight_type type, int k) {
    static const int row_counts[] = { 1, 3, 4, 15, 17, 31, 32, 33, 48, MAX_ROWS };
    static float all[MAX_COLS * MAX_ROWS], want[MAX_COLS * MAX_ROWS], part[MAX_COLS * MAX_ROWS + GUARD];
    const char *name = vox_weight_type_name(type);
    uint8_t *blocks = random_rows(type, MAX_ROWS, k), *w = interleaved(type, blocks, MAX_ROWS, k);
    float *x = random_columns(MAX_COLS, k);
    vox_free(blocks);
    multiply(kernels, type, w, 0, MAX_ROWS, k, x, MAX_COLS, all);
    multiply(vox_kernels_generic(), type, w, 0, MAX_ROWS, k, x, MAX_COLS, want);
    CHECK(difference(all, want, MAX_COLS * MAX_ROWS) < 2e-6, "%s, %s x %d: %g", kernels->name, name, k,
          difference(all, want, MAX_COLS * MAX_ROWS));
    int same = 1, clean = 1;
    for (int cols = 1; cols < MAX_COLS; cols++) {          /* any number of columns, from any */
        const int from = (int)(next() % (uint64_t)(MAX_COLS - cols + 1));
        multiply(kernels, type, w, 0, MAX_ROWS, k, x + (size_t)from * (size_t)k, cols, part);
        if (memcmp(part, all + from * MAX_ROWS, sizeof *part * (size_t)cols * MAX_ROWS)) same = 0;
    }
    CHECK(same, "%s, %s x %d depends on the number of columns", kernels->name, name, k);
    same = 1;
    for (size_t i = 0; i < sizeof row_counts / sizeof *row_counts; i++) {
        const int rows = row_counts[i], cols = 1 + (int)i % 9, row = (int)(next() % (uint64_t)(MAX_ROWS - rows + 1)) / VOX_PANEL * VOX_PANEL;
        for (size_t j = 0; j < sizeof part / sizeof *part; j++) part[j] = 12345;
        multiply(kernels, type, w, row, rows, k, x, cols, part);
        for (int c = 0; c < cols; c++) {
            if (memcmp(part + c * MAX_ROWS, all + c * MAX_ROWS + row, sizeof *part * (size_t)rows)) same = 0;
            for (int r = rows; r < MAX_ROWS; r++) if (part[c * MAX_ROWS + r] != 12345) clean = 0;
        }
        for (int j = cols * MAX_ROWS; j < cols * MAX_ROWS + GUARD; j++) if (part[j] != 12345) clean = 0;
    }
    CHECK(same, "%s, %s x %d depends on the number of rows", kernels->name, name, k);
    CHECK(clean, "%s, %s x %d: wrote beyond its rows", kernels->name, name, k);
    vox_free(w);
    vox_free(x);
}

/* Sums of whole numbers are exact, whatever instruction makes them. */
static void test_neon(vox_weight_type type) {
    static float first[MAX_COLS * MAX_ROWS], y[MAX_COLS * MAX_ROWS];
    const vox_kernels *kernels;
    uint8_t *blocks = random_rows(type, MAX_ROWS, MAX_K), *w = interleaved(type, blocks, MAX_ROWS, MAX_K);
    float *x = random_columns(MAX_COLS, MAX_K);
    int seen = 0;
    for (int i = 0; (kernels = vox_kernels_at(i)) != NULL; i++) {
        if (strncmp(kernels->name, "neon", 4)) continue;
        multiply(kernels, type, w, 0, MAX_ROWS, MAX_K, x, MAX_COLS, seen ? y : first);
        CHECK(!seen || !memcmp(y, first, sizeof y), "%s, %s: not neon's bits", kernels->name, vox_weight_type_name(type));
        seen = 1;
    }
    vox_free(blocks);
    vox_free(w);
    vox_free(x);
}

/* The largest numbers that blocks and columns can hold: nothing overflows or saturates. */
static void test_extremes(const vox_kernels *kernels, vox_weight_type type) {
    static const uint8_t fills[] = { 0x00, 0x7f, 0x80, 0xff };
    static float y[MAX_ROWS], want[MAX_ROWS];
    enum { K = 512, ROWS = 20 };
    for (size_t i = 0; i < sizeof fills; i++)
        for (int sign = -1; sign <= 1; sign++) {
            uint8_t *blocks = random_rows(type, ROWS, K);
            float *x = random_columns(1, K);
            const size_t block = vox_block_bytes(type), bytes = vox_row_bytes(type, K) * ROWS;
            memset(blocks, fills[i], bytes);
            for (size_t at = 0; at < bytes; at += block) set_scales(type, blocks + at, 0x7bff, 0x7bff);
            uint8_t *w = interleaved(type, blocks, ROWS, K);
            for (int j = 0; j < K; j++) x[j] = sign ? (float)sign * 3e4f : j % 2 ? 1e4f : -1e4f;
            multiply(kernels, type, w, 0, ROWS, K, x, 1, y);
            multiply(vox_kernels_generic(), type, w, 0, ROWS, K, x, 1, want);
            int finite = 1;
            for (int r = 0; r < ROWS; r++) if (!isfinite(y[r])) finite = 0;
            CHECK(finite && difference(y, want, ROWS) < 2e-6, "%s, %s: bytes %02x, sign %d: %g not %g", kernels->name,
                  vox_weight_type_name(type), fills[i], sign, (double)y[0], (double)want[0]);
            vox_free(blocks);
            vox_free(w);
            vox_free(x);
        }
}

static void check_group(const float *x, const vox_chunk *c, int g, const char *name) {
    int sums[2] = { 0, 0 }, sizes[2] = { 0, 0 }, near = 1;
    for (int i = 0; i < VOX_GROUP; i++) {
        const int q = c->q[g * VOX_GROUP + i];
        if (q < -127 || fabs(x[i] - (double)c->group_d[g] * q) > 0.50002 * c->group_d[g] + 1e-30) near = 0;
        sums[i / 16] += q;
        sizes[i / 16] += q < 0 ? -q : q;
    }
    CHECK(near, "%s: group %d is not rounded to the nearest", name, g);
    CHECK(sizes[0] < 1024 && sizes[1] < 1024, "%s: group %d is too large for words: %d, %d", name, g, sizes[0], sizes[1]);
    CHECK(c->s[g] >= 0 && c->s[g] <= 16 && c->group_d[g] == c->d * (float)c->s[g], "%s: scale of group %d: %d", name, g, c->s[g]);
    CHECK(c->offset_q6[2 * g] == -32 * sums[0] && c->offset_q6[2 * g + 1] == -32 * sums[1] &&
          c->offset_q8[g] == -128 * (sums[0] + sums[1]) && c->sums[VOX_PAIRED(g)] == c->s[g] * (sums[0] + sums[1]),
          "%s: sums of group %d", name, g);
}

static void test_quantize(const vox_kernels *kernels) {
    enum { K = 608 };                     /* the last chunk is not full */
    float x[K];
    vox_chunk got[5], want[5];
    for (int i = 0; i < K; i++) {
        const int g = i / VOX_GROUP;
        x[i] = g == 1 ? 0 : g == 2 ? noise() * 1e-36f : g == 9 ? 3e38f * noise() : g == 4 ? (float)(i % 3 - 1)
               : g == 16 ? (float)(i % 2 * 2 - 1) : noise() * expf(4 * noise());
    }
    memset(got, 55, sizeof got);
    memset(want, 55, sizeof want);
    kernels->quantize(x, K, got, 2);
    vox_kernels_generic()->quantize(x, K, want, 2);
    CHECK(!memcmp(got, want, sizeof got), "%s quantises columns otherwise", kernels->name);
    for (int g = 0; g < K / VOX_GROUP; g++) check_group(x + g * VOX_GROUP, &got[g / VOX_GROUPS * 2], g % VOX_GROUPS, kernels->name);
    CHECK(got[0].s[1] == 0 && got[0].s[2] == 0 && got[0].sums[VOX_PAIRED(2)] == 0, "%s: nothing is no scale", kernels->name);
    for (int g = 3; g < VOX_GROUPS; g++)
        CHECK(got[4].s[g] == 0 && got[4].q[g * VOX_GROUP] == 0, "%s: group %d behind the end", kernels->name, g);
}

/* The reference is what it says: quantised columns times weights, as vox_dequantize widens them. */
static void test_reference(vox_weight_type type, int k) {
    enum { ROWS = 5, COLS = 3 };
    static float wide[MAX_K], y[COLS * MAX_ROWS];
    static vox_chunk chunks[MAX_K / VOX_CHUNK];
    uint8_t *blocks = random_rows(type, ROWS, k), *w = interleaved(type, blocks, ROWS, k);
    float *x = random_columns(COLS, k);
    multiply(vox_kernels_generic(), type, w, 0, ROWS, k, x, COLS, y);
    for (int c = 0; c < COLS; c++) {
        vox_kernels_generic()->quantize(x + (size_t)c * (size_t)k, k, chunks, 1);
        for (int r = 0; r < ROWS; r++) {
            double sum = 0, size = 0;
            vox_dequantize(type, blocks + (size_t)r * vox_row_bytes(type, k), wide, (size_t)k);
            for (int i = 0; i < k; i++) {
                const vox_chunk *chunk = &chunks[i / VOX_CHUNK];
                const double term = (double)wide[i] * chunk->q[i % VOX_CHUNK] * chunk->group_d[i % VOX_CHUNK / VOX_GROUP];
                sum += term;
                size += fabs(term);
            }
            CHECK(fabs(y[c * MAX_ROWS + r] - sum) < 1e-6 * size, "generic, %s x %d: %g not %g", vox_weight_type_name(type),
                  k, (double)y[c * MAX_ROWS + r], sum);
        }
    }
    vox_free(blocks);
    vox_free(w);
    vox_free(x);
}

int main(void) {
    static const int sizes[] = { 256, 512, MAX_K }, q8_sizes[] = { 32, 64, 96, 288, 800 };
    const vox_kernels *kernels;
    for (int t = 0; t < TYPES; t++) {
        test_reference(types[t], MAX_K);
        test_neon(types[t]);
    }
    for (int i = 0; (kernels = vox_kernels_at(i)) != NULL; i++) {
        test_quantize(kernels);
        for (int t = 0; t < TYPES; t++) {
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) test_size(kernels, types[t], sizes[s]);
            test_extremes(kernels, types[t]);
        }
        for (size_t s = 0; s < sizeof q8_sizes / sizeof *q8_sizes; s++) test_size(kernels, VOX_WEIGHT_Q8_0, q8_sizes[s]);
    }
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
