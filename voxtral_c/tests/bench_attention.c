/* bench_attention.c - how long attention takes with full windows at the real size, all layers of a pass; not a
 * test.
 *
 *   bench_attention [--kernels NAME] [--threads N] [--seconds S] [encoder|decoder COLUMNS...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/model/model.h"
#include "../src/weights/random.h"

static double budget = 1.0;   /* seconds for each line */

static float noise(void) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (float)(1 << 23) - 1;
}

static float *numbers(size_t n) {
    float *x = vox_alloc(n, sizeof *x);
    if (!x) exit(1);
    for (size_t i = 0; i < n; i++) x[i] = noise();
    return x;
}

/* Of all threads: disturbed less than the clock by other work on the machine. */
static double processor_ms(void) { return (double)clock() * 1000 / CLOCKS_PER_SEC; }

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Passes of n columns behind a full window; those of a decoder each in a tree of their own. */
static void measure(const vox_compute *c, const vox_stack_config *s, vox_kv *kv, int64_t first, int n) {
    static double took[100000];
    const size_t width = (size_t)s->n_heads * (size_t)s->head_dim;
    const int tree_fits = n <= VOX_MAX_TREE;
    float *q = numbers((size_t)n * width), *o = numbers((size_t)n * width);
    vox_tree tree;
    int runs = 0;
    for (int i = 0; i < n && tree_fits; i++) {
        tree.parent[i] = i - 1;
        tree.depth[i] = i;
    }
    const double processor = processor_ms();
    for (double start = vox_now_ms(); vox_now_ms() - start < budget * 1000 && runs < 100000; runs++) {
        const double before = vox_now_ms();
        for (int layer = 0; layer < s->n_layers; layer++)
            vox_attention(c, s, kv, layer, first, n, tree_fits ? &tree : NULL, q, o);
        took[runs] = vox_now_ms() - before;
    }
    qsort(took, (size_t)runs, sizeof *took, by_size);
    const double bytes = 2.0 * s->n_layers * s->n_kv_heads * s->window * (s->head_dim + 4);
    printf("%2d columns  %7.2f ms, fastest %7.2f, of processors %7.2f  %6.1f GB/s\n", n, took[runs / 2], took[0],
           (processor_ms() - processor) / runs, bytes / took[0] / 1e6);
    fflush(stdout);
    vox_free(q);
    vox_free(o);
}

int main(int argc, char **argv) {
    const char *kernels = NULL;
    int threads = vox_physical_cores(), i = 1, batch = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (!strcmp(argv[i], "--kernels")) kernels = argv[i + 1];
        else if (!strcmp(argv[i], "--threads")) threads = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--seconds")) budget = atof(argv[i + 1]);
    }
    const vox_config config = vox_full_size();
    const int decoder = i >= argc || !strcmp(argv[i], "decoder");
    const vox_stack_config *s = decoder ? &config.decoder : &config.encoder;
    for (int j = i + 1; j < argc; j++) batch = atoi(argv[j]) > batch ? atoi(argv[j]) : batch;
    vox_compute c = { .kernels = vox_kernels_select(kernels), .pool = vox_pool_new(threads), .scratch_size = vox_attention_scratch(s, batch) };
    c.scratch = vox_alloc(c.scratch_size * (size_t)threads, sizeof *c.scratch);
    vox_kv kv;
    if (!c.kernels || !c.pool || !c.scratch || vox_kv_init(&kv, s, decoder ? 64 : 32, batch, c.kernels) != VOX_OK) return 1;
    kv.in_order = !decoder;
    float *k = numbers((size_t)s->n_kv_heads * (size_t)s->head_dim), *v = numbers((size_t)s->n_kv_heads * (size_t)s->head_dim);
    const int64_t first = s->window + 37;
    for (int64_t p = 0; p < first + batch; p++) {
        if (vox_kv_prepare(&kv, p, 1) != VOX_OK) return 1;
        k[p % s->head_dim] = noise();
        for (int layer = 0; layer < s->n_layers; layer++)
            for (int h = 0; h < s->n_kv_heads; h++) vox_kv_write(&kv, layer, h, p, 1, k, v);
    }
    printf("%s, kernels %s, %d threads\n", decoder ? "decoder" : "encoder", c.kernels->name, vox_pool_threads(c.pool));
    for (int j = i + 1; j < argc; j++) measure(&c, s, &kv, first, atoi(argv[j]));
    vox_kv_free(&kv);
    vox_pool_free(c.pool);
    vox_free(c.scratch);
    vox_free(k);
    vox_free(v);
    return 0;
}
