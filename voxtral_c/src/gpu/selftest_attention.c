/* selftest_attention.c - attention over ring caches against the CPU. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tester.h"

/* The state of a cache in plain arrays: keys already turned, by position. */
typedef struct attention {
    int dim, heads, kv_heads, slots, window, split;
    float *keys, *values;     /* [position][kv head][dim], pairs in order */
    gpu_cache cache;
    gpu_heads parts;
    gpu_buffer bk, bv, qkv, turns, moves, info, open, out;
} attention;

enum { MOST_POSITIONS = 640, MOST_COLUMNS = 20 };

static float *pair_of(float *head, int split, int dim, int pair, int second) {
    return head + (split ? pair + second * dim / 2 : 2 * pair + second);
}

/* The reference of one column's head: q as it comes out of the product. */
static void attend(const attention *a, float *q, const float *turns, int head, const int *seen, int n, double *out) {
    const int dim = a->dim, kv = head / (a->heads / a->kv_heads);
    double scores[MOST_POSITIONS], most = -INFINITY, sum = 0;
    for (int k = 0; k < n; k++) {
        const float *key = a->keys + (size_t)(seen[k] * a->kv_heads + kv) * (size_t)dim;
        scores[k] = 0;
        for (int p = 0; p < dim / 2; p++) {
            const double r = (double)*pair_of(q, a->split, dim, p, 0), i = (double)*pair_of(q, a->split, dim, p, 1);
            const double c = (double)turns[2 * p], s = (double)turns[2 * p + 1];
            scores[k] += (r * c - i * s) * (double)key[2 * p] + (r * s + i * c) * (double)key[2 * p + 1];
        }
        scores[k] /= sqrt(dim);
        most = scores[k] > most ? scores[k] : most;
    }
    for (int k = 0; k < n; k++) sum += scores[k] = exp(scores[k] - most);
    for (int d = 0; d < dim; d++) {
        out[d] = 0;
        for (int k = 0; k < n; k++)
            out[d] += scores[k] / sum * (double)a->values[(size_t)(seen[k] * a->kv_heads + kv) * (size_t)dim + (size_t)d];
    }
}

/* n new columns from position `first` on: run both sides; compare if `name`. parents: of a tree. */
static void step(tester *t, attention *a, int first, int n, const int *parents, int n_moves, const char *name, double tolerance) {
    const int dim = a->dim, ld = a->parts.ld;
    float *qkv = test_random_floats(t, (size_t)(n * ld)), turns[MOST_COLUMNS * GPU_MAX_HEAD_DIM];
    double *want = vox_alloc((size_t)(n * a->heads * dim), sizeof *want);
    int depth[MOST_COLUMNS], seen[MOST_POSITIONS];
    gpu_column info[MOST_COLUMNS] = { 0 };
    if (!qkv || !want) goto out;
    for (int c = 0; c < n; c++) {
        const int parent = parents ? parents[c] : c - 1;
        depth[c] = parent < 0 ? 0 : depth[parent] + 1;
        for (int i = 0; i < dim / 2; i++) {
            const double angle = (first + depth[c]) * pow(100.0, -2.0 * i / dim);
            turns[c * dim + 2 * i] = (float)cos(angle);
            turns[c * dim + 2 * i + 1] = (float)sin(angle);
        }
        for (int h = 0; h < a->kv_heads; h++) {
            float *key = a->keys + (size_t)((first + c) * a->kv_heads + h) * (size_t)dim, *raw = qkv + c * ld + a->parts.k0 + h * dim;
            for (int i = 0; i < dim / 2; i++) {
                const float r = *pair_of(raw, a->split, dim, i, 0), s = *pair_of(raw, a->split, dim, i, 1), *by = turns + c * dim + 2 * i;
                key[2 * i] = r * by[0] - s * by[1];
                key[2 * i + 1] = r * by[1] + s * by[0];
            }
            memcpy(a->values + (size_t)((first + c) * a->kv_heads + h) * (size_t)dim, qkv + c * ld + a->parts.v0 + h * dim, (size_t)dim * sizeof(float));
        }
        info[c].depth = (uint32_t)depth[c];
        for (int at = c; at >= 0; at = parents ? parents[at] : at - 1)
            if (depth[at] > depth[c] - a->window) info[c].mask |= 1u << at;
    }
    const int oldest = first - a->window + 1 > 0 ? first - a->window + 1 : 0;
    const gpu_view view = { n, first - oldest, oldest % a->slots, a->window, &a->info, parents != NULL, &a->open };
    gpu_write(t->g, &a->qkv, 0, qkv, (size_t)(n * ld) * sizeof *qkv);
    gpu_write(t->g, &a->turns, 0, turns, (size_t)(n * dim) * sizeof *turns);
    gpu_write(t->g, &a->info, 0, info, (size_t)n * sizeof *info);
    gpu_rope(t->g, &a->cache, &a->parts, n, &a->turns, first % a->slots, &a->moves, n_moves);
    gpu_attend(t->g, &a->cache, &a->parts, &view, &a->out, a->heads * dim);
    for (int c = 0; c < n && name; c++) {
        int many = 0;
        for (int p = oldest; p < first; p++)
            if (p > first + depth[c] - a->window) seen[many++] = p;
        for (int i = 0; i < n; i++)
            if (info[c].mask >> i & 1) seen[many++] = first + i;
        for (int h = 0; h < a->heads; h++)
            attend(a, qkv + c * ld + h * dim, turns + c * dim, h, seen, many, want + (size_t)(c * a->heads + h) * (size_t)dim);
    }
    gpu_submit(t->g);         /* the next step overwrites what this one reads */
    if (name) test_compare(t, name, &a->out, want, (size_t)(n * a->heads * dim), tolerance);
out:
    vox_free(qkv);
    vox_free(want);
}

void test_attention(tester *t, int half, int window, int positions) {
    const int group = test_random_int(t, 1, 4), kv = test_random_int(t, 1, 3), dim = 2 * test_random_int(t, 1, 20), split = test_random_int(t, 0, 1);
    attention a = { .dim = dim, .heads = group * kv, .kv_heads = kv, .slots = window + MOST_COLUMNS, .window = window, .split = split };
    const int ld = (a.heads + 2 * kv) * dim;
    static const int tree[6] = { -1, 0, 0, 1, 2, 4 };
    char name[64];
    a.keys = test_random_floats(t, (size_t)(MOST_POSITIONS * kv * dim));
    a.values = test_random_floats(t, (size_t)(MOST_POSITIONS * kv * dim));
    a.cache = (gpu_cache){ half, kv, dim, a.slots, { &a.bk, 0, 0 }, { &a.bv, 0, 0 } };
    a.parts = (gpu_heads){ &a.qkv, ld, a.heads * dim, (a.heads + kv) * dim, a.heads, split };
    a.bk = test_upload(t, NULL, gpu_cache_bytes(&a.cache));
    a.bv = test_upload(t, NULL, gpu_cache_bytes(&a.cache));
    a.qkv = test_upload(t, NULL, (size_t)(MOST_COLUMNS * ld) * sizeof(float));
    a.turns = test_upload(t, NULL, (size_t)(MOST_COLUMNS * dim) * sizeof(float));
    a.moves = test_upload(t, NULL, 256);
    a.info = test_upload(t, NULL, MOST_COLUMNS * sizeof(gpu_column));
    a.open = test_upload(t, NULL, gpu_open_floats(a.heads, dim, window + MOST_COLUMNS, MOST_COLUMNS) * sizeof(float));
    a.out = test_upload(t, NULL, (size_t)(MOST_COLUMNS * a.heads * dim) * sizeof(float));
    int first = 0;
    for (int n; a.keys && a.values && first < positions && gpu_ok(t->g); first += n) {
        n = test_random_int(t, 1, MOST_COLUMNS - 1);
        snprintf(name, sizeof name, "attention %s, window %d, %d columns", half ? "f16" : "f32", window, n);
        step(t, &a, first, n, NULL, 0, first + n >= positions ? name : NULL, half ? HALF : EXACT);
    }
    if (a.keys && a.values && gpu_ok(t->g)) {
        const size_t size = (size_t)(kv * dim) * sizeof(float);
        snprintf(name, sizeof name, "attention %s, window %d, a tree", half ? "f16" : "f32", window);
        step(t, &a, first, 6, tree, 0, name, half ? HALF : EXACT);
        const uint32_t moves[] = { (uint32_t)((first + 2) % a.slots), (uint32_t)((first + 1) % a.slots),
                                   (uint32_t)((first + 4) % a.slots), (uint32_t)((first + 2) % a.slots) };
        for (int i = 0; i < 2; i++) {
            memcpy(a.keys + (size_t)(first + 1 + i) * (size_t)(kv * dim), a.keys + (size_t)(first + 2 + 2 * i) * (size_t)(kv * dim), size);
            memcpy(a.values + (size_t)(first + 1 + i) * (size_t)(kv * dim), a.values + (size_t)(first + 2 + 2 * i) * (size_t)(kv * dim), size);
        }
        gpu_write(t->g, &a.moves, 0, moves, sizeof moves);
        snprintf(name, sizeof name, "attention %s, window %d, after guesses", half ? "f16" : "f32", window);
        step(t, &a, first + 3, 2, NULL, 2, name, half ? HALF : EXACT);
    }
    gpu_buffer *all[] = { &a.bk, &a.bv, &a.qkv, &a.turns, &a.moves, &a.info, &a.open, &a.out };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) gpu_free(t->g, all[i]);
    vox_free(a.keys);
    vox_free(a.values);
}
