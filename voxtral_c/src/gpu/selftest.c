#include "selftest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "weights/interleave.h"
#include "kernels/kernels.h"
#include "text/tokenizer.h"

/* Sums of float32 in another order differ by some 1e-7; keys and values kept as float16 by 5e-4. */
#define EXACT 2e-6
#define HALF 2e-3
#define BEST 1e-5             /* sums of exponentials */

typedef struct tester {
    gpu *g;
    uint32_t state;
    gpu_check_fn fn;
    void *user;
    int failed;
    double start;
} tester;

static uint32_t random_bits(tester *t) {
    t->state ^= t->state << 13;
    t->state ^= t->state >> 17;
    return t->state ^= t->state << 5;
}
static int random_int(tester *t, int low, int high) { return low + (int)(random_bits(t) % (uint32_t)(high - low + 1)); }
static float random_float(tester *t) { return (float)(int32_t)random_bits(t) / 2147483648.0f; }

static float *random_floats(tester *t, size_t n) {
    float *x = vox_alloc(n ? n : 1, sizeof *x);
    for (size_t i = 0; x && i < n; i++) x[i] = random_float(t);
    return x;
}

static gpu_buffer upload(tester *t, const void *data, size_t bytes) {
    gpu_buffer b = gpu_alloc(t->g, bytes + GPU_SLACK);
    if (data) gpu_write(t->g, &b, 0, data, bytes);
    return b;
}

static void report(tester *t, const char *name, double error, double tolerance) {
    gpu_check c = { .error = error, .tolerance = tolerance, .ms = vox_now_ms() - t->start };
    snprintf(c.name, sizeof c.name, "%s", name);
    t->start = vox_now_ms();
    t->failed += !gpu_check_passed(&c);
    t->fn(t->user, &c);
}

/* Compare what the GPU made with what it should be. */
static void compare(tester *t, const char *name, const gpu_buffer *b, const double *want, size_t n, double tolerance) {
    float *got = vox_alloc(n, sizeof *got);
    double error = 0, size = 0, relative = INFINITY;
    if (got && gpu_read(t->g, b, 0, got, n * sizeof *got)) {
        for (size_t i = 0; i < n; i++) {
            error += (got[i] - want[i]) * (got[i] - want[i]);
            size += want[i] * want[i];
        }
        if (isfinite(error)) relative = sqrt(error / (size > 0 ? size : 1));
    }
    report(t, name, relative, tolerance);
    vox_free(got);
}

static int group_of(vox_weight_type type) {
    return type == VOX_WEIGHT_Q8_0 ? 32 : vox_is_quantised(type) ? 256 : 4;
}

/* A random matrix of that type, and the same as floats. */
static vox_weight random_matrix(tester *t, vox_weight_type type, int rows, int cols, float **floats) {
    const size_t width = (size_t)cols, row_bytes = vox_row_bytes(type, cols);
    const int blocks = vox_is_quantised(type);
    uint8_t *data = vox_alloc(blocks ? vox_interleaved_bytes(type, rows, cols) : (size_t)rows * row_bytes, 1);
    uint8_t *panel = vox_alloc(VOX_PANEL, row_bytes);
    *floats = random_floats(t, (size_t)rows * width);
    for (int r = 0; r < rows && data && panel && *floats; r++) {
        float *row = *floats + (size_t)r * width;
        uint8_t *to = blocks ? panel + (size_t)(r % VOX_PANEL) * row_bytes : data + (size_t)r * row_bytes;
        for (int i = 0; i < cols; i++) row[i] *= 0.001f;          /* as small as real ones: tiny scales */
        vox_quantize(type, row, to, width);
        vox_dequantize(type, to, row, width);
        if (blocks && (r == rows - 1 || r % VOX_PANEL == VOX_PANEL - 1))
            vox_interleave(type, panel, r % VOX_PANEL + 1, cols, data + (size_t)(r / VOX_PANEL) * vox_panel_bytes(type, cols));
    }
    vox_free(panel);
    return (vox_weight){ type, rows, cols, data };
}

static double dot(const float *a, const float *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static double silu(double v) { return v / (1 + exp(-v)); }

/* ---- products -------------------------------------------------------------------------- */

/* Two matrices above each other or gated, times n columns. */
static void check_product(tester *t, vox_weight_type type, gpu_mode mode, int n) {
    static const char *const modes[] = { "", " and add", " and gelu", " gated" };
    const int gated = mode == GPU_SWIGLU, cols = random_int(t, 1, 3) * group_of(type);
    const int rows[2] = { random_int(t, 1, 70), gated ? 0 : random_int(t, 1, 20) };
    const int second = gated ? rows[0] : rows[1], padded = gpu_padded_rows(rows[0]), ldy = padded + (gated ? 0 : gpu_padded_rows(second));
    float *floats[2], *x = random_floats(t, (size_t)n * (size_t)cols);
    float *bias[2] = { random_floats(t, (size_t)rows[0]), random_floats(t, (size_t)second) };
    const vox_weight w[2] = { random_matrix(t, type, rows[0], cols, &floats[0]), random_matrix(t, type, second, cols, &floats[1]) };
    float *y = random_floats(t, (size_t)n * (size_t)ldy);
    double *want = vox_alloc((size_t)n * (size_t)ldy, sizeof *want);
    const vox_weight *const both[] = { &w[0], &w[1] };
    const float *const biases[] = { bias[0], bias[1] };
    gpu_matrix m = { 0 };
    gpu_buffer bx = { 0 }, by = { 0 };
    char name[64];
    if (!x || !y || !want || !w[0].data || !w[1].data || !bias[0] || !bias[1]) goto out;
    for (size_t i = 0; i < (size_t)n * (size_t)cols; i++) x[i] *= 30;
    gpu_matrix_make(t->g, &m, both, gated ? NULL : biases, 2, gated);
    bx = upload(t, x, (size_t)n * (size_t)cols * sizeof *x);
    by = upload(t, y, (size_t)n * (size_t)ldy * sizeof *y);
    gpu_product(t->g, &m, mode, &bx, 0, cols, n, &by, ldy);
    for (int c = 0; c < n; c++) {
        double *out = want + (size_t)c * (size_t)ldy;
        const float *column = x + (size_t)c * (size_t)cols, *old = y + (size_t)c * (size_t)ldy;
        for (int r = 0; r < ldy; r++) {
            const int i = r >= padded, at = i ? r - padded : r, there = at < (i ? second : rows[0]);
            double v = there ? dot(floats[i] + (size_t)at * (size_t)cols, column, cols) + (gated ? 0 : (double)bias[i][at]) : 0;
            if (gated) v = there ? silu(v) * dot(floats[1] + (size_t)at * (size_t)cols, column, cols) : 0;
            out[r] = mode == GPU_ADD ? v + (double)old[r] : mode == GPU_GELU ? v / 2 * (1 + erf(v * sqrt(0.5))) : v;
        }
    }
    snprintf(name, sizeof name, "%s x %d%s", vox_weight_type_name(type), n, modes[mode]);
    compare(t, name, &by, want, (size_t)n * (size_t)ldy, EXACT);
out:
    gpu_matrix_free(t->g, &m);
    gpu_free(t->g, &bx);
    gpu_free(t->g, &by);
    for (int i = 0; i < 2; i++) {
        vox_free(floats[i]);
        vox_free(bias[i]);
        vox_free((void *)(uintptr_t)w[i].data);
    }
    vox_free(x);
    vox_free(y);
    vox_free(want);
}

/* ---- norm and embeddings --------------------------------------------------------------- */

static void check_norm(tester *t) {
    const int dim = random_int(t, 1, 700), n = random_int(t, 1, 5);
    float *x = random_floats(t, (size_t)(n * dim)), *gain = random_floats(t, (size_t)dim);
    double *want = vox_alloc((size_t)(n * dim), sizeof *want);
    if (x && gain && want) {
        gpu_buffer bx = upload(t, x, (size_t)(n * dim) * sizeof *x), bg = upload(t, gain, (size_t)dim * sizeof *gain);
        gpu_buffer by = upload(t, NULL, (size_t)(n * dim) * sizeof *x);
        for (int c = 0; c < n; c++) {
            const float *column = x + (size_t)(c * dim);
            const double scale = 1 / sqrt(dot(column, column, dim) / dim + 1e-5);
            for (int i = 0; i < dim; i++) want[c * dim + i] = (double)column[i] * scale * (double)gain[i];
        }
        gpu_norm(t->g, &bx, 0, dim, (gpu_bind){ &bg, 0, 0 }, dim, 1e-5f, n, &by, dim);
        compare(t, "norm", &by, want, (size_t)(n * dim), EXACT);
        gpu_free(t->g, &bx);
        gpu_free(t->g, &bg);
        gpu_free(t->g, &by);
    }
    vox_free(x);
    vox_free(gain);
    vox_free(want);
}

static void check_embed(tester *t, vox_weight_type type) {
    const int cols = random_int(t, 1, 3) * group_of(type), rows = random_int(t, 20, 60), n = random_int(t, 1, 8);
    float *floats, *audio = random_floats(t, (size_t)(n * cols));
    const vox_weight w = random_matrix(t, type, rows, cols, &floats), *one = &w;
    double *want = vox_alloc((size_t)(n * cols), sizeof *want);
    gpu_column info[8];
    gpu_matrix m = { 0 };
    gpu_buffer ba = { 0 }, bi = { 0 }, bx = { 0 };
    char name[64];
    if (floats && audio && w.data && want) {
        for (int c = 0; c < n; c++) {
            info[c] = (gpu_column){ (uint32_t)random_int(t, 0, rows - 1), (uint32_t)random_int(t, 0, n - 1), 0, 0 };
            for (int i = 0; i < cols; i++)
                want[c * cols + i] = (double)floats[(size_t)info[c].token * (size_t)cols + (size_t)i] + (double)audio[(size_t)info[c].depth * (size_t)cols + (size_t)i];
        }
        gpu_matrix_make(t->g, &m, &one, NULL, 1, 0);
        ba = upload(t, audio, (size_t)(n * cols) * sizeof *audio);
        bi = upload(t, info, (size_t)n * sizeof *info);
        bx = upload(t, NULL, (size_t)(n * cols) * sizeof *audio);
        gpu_embed(t->g, &m, &ba, 0, &bi, n, &bx, cols);
        snprintf(name, sizeof name, "%s embeddings", vox_weight_type_name(type));
        compare(t, name, &bx, want, (size_t)(n * cols), EXACT);
    }
    gpu_matrix_free(t->g, &m);
    gpu_free(t->g, &ba);
    gpu_free(t->g, &bi);
    gpu_free(t->g, &bx);
    vox_free((void *)(uintptr_t)w.data);
    vox_free(floats);
    vox_free(audio);
    vox_free(want);
}

/* ---- scores ---------------------------------------------------------------------------- */

/* Whatever is not equal counts as wholly wrong. */
static double score_error(const vox_scores *a, const vox_scores *b) {
    double error = fabs((double)a->sum_exp / (double)b->sum_exp - 1);
    int same = a->n_best == b->n_best && a->text == b->text && a->pad == b->pad && a->end == b->end;
    for (int i = 0; i < b->n_best && same; i++) same = a->best[i].id == b->best[i].id && a->best[i].logit == b->best[i].logit;
    return same && isfinite(error) ? error : 1;
}

/* Logits of few values: there are many equals. */
static void check_best(tester *t, int vocab, int n_best) {
    const int n = random_int(t, 1, 8), ld = gpu_padded_rows(vocab);
    const gpu_scoring s = { vocab, random_int(t, 34, vocab - 1), n_best };
    float *logits = random_floats(t, (size_t)(n * ld));
    vox_scores got[8], want;
    double worst = INFINITY;
    char name[64];
    if (logits) {
        for (int i = 0; i < n * ld; i++) logits[i] = roundf(logits[i] * 40) / 4;
        gpu_buffer bl = upload(t, logits, (size_t)(n * ld) * sizeof *logits);
        gpu_buffer room = gpu_alloc(t->g, gpu_best_bytes(vocab, n)), found = gpu_alloc(t->g, gpu_best_bytes(1, n));
        gpu_best(t->g, &s, &bl, ld, n, &room, &found);
        if (gpu_best_read(t->g, &s, &found, n, got)) worst = 0;
        for (int i = 0; i < n && gpu_ok(t->g); i++) {
            double sum = 0;
            vox_score(vox_kernels_at(0), logits + i * ld, vocab, s.n_special, n_best, &want);
            for (int j = 0; j < vocab; j++)
                if (j != VOX_STREAMING_PAD && j != VOX_EOS) sum += exp((double)logits[i * ld + j] - (double)want.best[0].logit);
            want.sum_exp = (float)sum;
            worst = fmax(worst, score_error(&got[i], &want));
        }
        gpu_free(t->g, &bl);
        gpu_free(t->g, &room);
        gpu_free(t->g, &found);
    }
    snprintf(name, sizeof name, "best %d of %d", n_best, vocab);
    report(t, name, worst, BEST);
    vox_free(logits);
}

/* ---- attention ------------------------------------------------------------------------- */

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
    float *qkv = random_floats(t, (size_t)(n * ld)), turns[MOST_COLUMNS * GPU_MAX_HEAD_DIM];
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
    if (name) compare(t, name, &a->out, want, (size_t)(n * a->heads * dim), tolerance);
out:
    vox_free(qkv);
    vox_free(want);
}

/* Some steps over a ring that comes round, then a tree of guesses, two of which come true. */
static void check_attention(tester *t, int half, int window, int positions) {
    const int group = random_int(t, 1, 4), kv = random_int(t, 1, 3), dim = 2 * random_int(t, 1, 20), split = random_int(t, 0, 1);
    attention a = { .dim = dim, .heads = group * kv, .kv_heads = kv, .slots = window + MOST_COLUMNS, .window = window, .split = split };
    const int ld = (a.heads + 2 * kv) * dim;
    static const int tree[6] = { -1, 0, 0, 1, 2, 4 };
    char name[64];
    a.keys = random_floats(t, (size_t)(MOST_POSITIONS * kv * dim));
    a.values = random_floats(t, (size_t)(MOST_POSITIONS * kv * dim));
    a.cache = (gpu_cache){ half, kv, dim, a.slots, { &a.bk, 0, 0 }, { &a.bv, 0, 0 } };
    a.parts = (gpu_heads){ &a.qkv, ld, a.heads * dim, (a.heads + kv) * dim, a.heads, split };
    a.bk = upload(t, NULL, gpu_cache_bytes(&a.cache));
    a.bv = upload(t, NULL, gpu_cache_bytes(&a.cache));
    a.qkv = upload(t, NULL, (size_t)(MOST_COLUMNS * ld) * sizeof(float));
    a.turns = upload(t, NULL, (size_t)(MOST_COLUMNS * dim) * sizeof(float));
    a.moves = upload(t, NULL, 256);
    a.info = upload(t, NULL, MOST_COLUMNS * sizeof(gpu_column));
    a.open = upload(t, NULL, gpu_open_floats(a.heads, dim, window + MOST_COLUMNS, MOST_COLUMNS) * sizeof(float));
    a.out = upload(t, NULL, (size_t)(MOST_COLUMNS * a.heads * dim) * sizeof(float));
    int first = 0;
    for (int n; a.keys && a.values && first < positions && gpu_ok(t->g); first += n) {
        n = random_int(t, 1, MOST_COLUMNS - 1);
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

int gpu_selftest(gpu *g, uint32_t seed, gpu_check_fn fn, void *user) {
    tester t = { g, seed * 2654435761u + 1, fn, user, 0, vox_now_ms() };
    for (int type = 0; type < VOX_WEIGHT_TYPES && gpu_ok(g); type++) {
        const vox_weight_type w = (vox_weight_type)type;
        check_product(&t, w, GPU_STORE, 1);
        check_product(&t, w, GPU_ADD, random_int(&t, 3, 4));
        check_product(&t, w, GPU_STORE, random_int(&t, 17, 130));
        check_embed(&t, w);
    }
    const vox_weight_type one = VOX_WEIGHT_Q8_0;
    if (gpu_ok(g)) check_product(&t, one, GPU_SWIGLU, random_int(&t, 5, GPU_FEW_COLUMNS));
    if (gpu_ok(g)) check_product(&t, one, GPU_SWIGLU, random_int(&t, GPU_FEW_COLUMNS + 1, 16));
    if (gpu_ok(g)) check_product(&t, one, GPU_GELU, random_int(&t, 1, 2));
    if (gpu_ok(g)) check_norm(&t);
    if (gpu_ok(g)) check_best(&t, random_int(&t, 36, GPU_PART), random_int(&t, 1, VOX_MAX_BEST));
    if (gpu_ok(g)) check_best(&t, random_int(&t, GPU_PART + 1, 5 * GPU_PART), VOX_MAX_BEST);
    if (gpu_ok(g)) check_best(&t, 64 * GPU_PART, 1);
    for (int half = 0; half < 2 && gpu_ok(g); half++) {
        check_attention(&t, half, random_int(&t, 5, 60), 100);
        check_attention(&t, half, random_int(&t, 280, 400), 450);
    }
    return t.failed + !gpu_ok(g);
}
