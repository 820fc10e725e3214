/* bench_kernels.c - how fast matrices of each type are multiplied, beside the speed at which this
 * machine reads memory; not a test.
 *
 *   bench_kernels [--kernels NAME] [--threads N] [--mb SIZE] [TYPE...]
 *
 * The matrices are as long as the decoder's (3072 values) and larger together than any cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/model/ops.h"

enum { COLS = 3072, MAX_ROWS = 9216, MAX_N = 64 };
static double budget = 1.0;   /* seconds for each line */


static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t random64(void) {
    static uint64_t s = 88172645463325252u;
    s ^= s << 13;
    s ^= s >> 7;
    return s ^= s << 17;
}

/* ---- how fast memory is read ---- */

typedef struct read_job {
    const uint64_t *data;
    size_t words;             /* of an item */
    uint64_t sums[VOX_MAX_THREADS * 8];
} read_job;

/* Eight streams, as products read rows: one alone is slower. */
static void read_item(void *arg, int item, int thread) {
    read_job *job = arg;
    const size_t part = job->words / 8;
    const uint64_t *p = job->data + (size_t)item * job->words;
    uint64_t s[8] = { 0 };
    for (size_t i = 0; i < part; i += 8)
        for (size_t stream = 0; stream < 8; stream++) {
            const uint64_t *line = p + stream * part + i;
            __builtin_prefetch((const char *)line + 1024);
            for (int j = 0; j < 8; j++) s[j] += line[j];
        }
    for (int j = 0; j < 8; j++) job->sums[thread * 8] += s[j];
}

static double read_speed(vox_pool *pool, const void *data, size_t bytes) {
    read_job job = { .data = data, .words = 1u << 18 };       /* 2 MB */
    double best = 1e9;
    for (int i = 0; i < 4; i++) {
        const double start = seconds();
        vox_pool_run(pool, read_item, &job, (int)(bytes / 8 / job.words));
        const double t = seconds() - start;
        best = t < best ? t : best;
    }
    return (double)bytes / best;
}

/* ---- products ---- */

/* Any bits will do as weights where the scales are sane. */
static void fill_blocks(vox_weight_type type, uint8_t *data, size_t bytes) {
    const size_t block = vox_block_bytes(type);
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        const uint64_t r = random64();
        memcpy(data + i, &r, 8);
    }
    for (size_t i = 0; i + block <= bytes; i += block) {
        const uint16_t d[2] = { 0x1800, 0x1800 };             /* 2^-9 */
        if (type == VOX_WEIGHT_Q6_K) memcpy(data + i + offsetof(vox_q6_k, d), d, 2);
        else if (type == VOX_WEIGHT_Q8_0) memcpy(data + i, d, 2);
        else if (block > 100) memcpy(data + i, d, 4);
        else if (block == 2) data[i + 1] = (uint8_t)((data[i + 1] & 0x83) | 0x38);
        else data[i + 3] = (uint8_t)((data[i + 3] & 0x80) | 0x3c);
    }
}

/* Matrices of panels that are all the same. */
static void fill(vox_weight_type type, uint8_t *data, size_t bytes) {
    const size_t panel = vox_panel_bytes(type, COLS), rows = VOX_PANEL * vox_row_bytes(type, COLS);
    uint8_t *blocks = malloc(rows);
    if (!blocks) exit(1);
    fill_blocks(type, blocks, rows);
    for (size_t at = 0; at + panel <= bytes; at += panel)
        if (vox_is_quantised(type)) vox_interleave(type, blocks, VOX_PANEL, COLS, data + at);
        else memcpy(data + at, blocks, rows);
    free(blocks);
}

static void measure(const vox_compute *c, vox_weight_type type, const uint8_t *data, size_t bytes) {
    static const int counts[] = { 1, 2, 3, 4, 6, 8, 12, 16, 24, 48, 64 };
    const size_t row = vox_panel_bytes(type, COLS) / VOX_PANEL, most = bytes / row / 32 * 32;
    const int rows = most < MAX_ROWS ? (int)most : MAX_ROWS, matrices = (int)(most / (size_t)rows);
    const size_t matrix = row * (size_t)rows;
    float *x = malloc(sizeof(float) * COLS * MAX_N), *y = malloc(sizeof(float) * MAX_ROWS * MAX_N);
    if (!x || !y) exit(1);
    for (int i = 0; i < COLS * MAX_N; i++) x[i] = (float)(int64_t)random64() * 1e-19f;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const int n = counts[i];
        const double bandwidth = read_speed(c->pool, data, bytes);
        double start = seconds(), best = 1e9, t = 0;
        /* The fastest of many short runs, so that what else happens on the machine counts less. */
        for (int m = 0; m < matrices || t < budget; t = seconds() - start, m++) {
            const vox_weight w = { .type = type, .rows = rows, .cols = COLS, .data = data + (size_t)(m % matrices) * matrix };
            const vox_product p = { &w, NULL, y };
            const double before = seconds();
            vox_matmul(c, &p, 1, x, COLS, n);
            const double took = seconds() - before;
            best = took < best ? took : best;
            if (t > budget && m > 3) break;
        }
        const double speed = (double)matrix / best, weights = (double)rows * COLS;
        printf("%-5s %2d columns  %6.1f GB/sof %5.1f: %5.2f x bound  %6.1f G multiply-adds/s  3.43 G weights in %4.0f ms\n",
               vox_weight_type_name(type), n, speed / 1e9, bandwidth / 1e9, bandwidth / speed, weights * n / best / 1e9,
               3.43e9 / (weights / best) * 1e3);
    }
    free(x);
    free(y);
}

int main(int argc, char **argv) {
    const char *kernels = NULL;
    size_t bytes = (size_t)1500 << 20;
    int threads = vox_physical_cores(), i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (!strcmp(argv[i], "--kernels")) kernels = argv[i + 1];
        else if (!strcmp(argv[i], "--threads")) threads = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--seconds")) budget = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--mb")) bytes = (size_t)atoi(argv[i + 1]) << 20;
    }
    static vox_chunk chunks[MAX_N * (COLS / VOX_CHUNK)];
    vox_compute c = { vox_kernels_select(kernels), vox_pool_new(threads), NULL, 0, chunks, sizeof chunks / sizeof *chunks };
    uint8_t *data = aligned_alloc(4096, bytes);
    if (!c.kernels || !c.pool || !data) return 1;
    memset(data, 1, bytes);
    printf("kernels %s, %d threads\n", c.kernels->name, vox_pool_threads(c.pool));
    for (int t = 0; t < VOX_WEIGHT_TYPES; t++) {
        int wanted = i >= argc;
        for (int j = i; j < argc; j++) wanted |= !strcmp(argv[j], vox_weight_type_name((vox_weight_type)t));
        if (!wanted) continue;
        fill((vox_weight_type)t, data, bytes);
        measure(&c, (vox_weight_type)t, data, bytes);
    }
    vox_pool_free(c.pool);
    free(data);
    return 0;
}
