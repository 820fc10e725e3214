#include "selftest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/kernels.h"
#include "text/tokenizer.h"
#include "weights/interleave.h"
#include "tester.h"

#define BEST 1e-5             /* sums of exponentials */

static int group_of(vox_weight_type type) {
    return type == VOX_WEIGHT_Q8_0 ? 32 : vox_is_quantised(type) ? 256 : 4;
}

/* A random matrix of that type, and the same as floats. */
static vox_weight random_matrix(tester *t, vox_weight_type type, int rows, int cols, float **floats) {
    const size_t width = (size_t)cols, row_bytes = vox_row_bytes(type, cols);
    const int blocks = vox_is_quantised(type);
    uint8_t *data = vox_alloc(blocks ? vox_interleaved_bytes(type, rows, cols) : (size_t)rows * row_bytes, 1);
    uint8_t *panel = vox_alloc(VOX_PANEL, row_bytes);
    *floats = test_random_floats(t, (size_t)rows * width);
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

static double silu(double v) { return v / (1 + exp(-v)); }

/* ---- products -------------------------------------------------------------------------- */

/* So many that the kernel for few columns has work for all its threads and some twice, and odd ends, if four
 * panels can be bound together. */
static int columns_for(tester *t, vox_weight_type type, int n) {
    const int group = group_of(type), slices = 16 * 64;
    const int wide = t->g->max_binding > (uint64_t)4 * VOX_PANEL * sizeof(float) * 2 * slices;
    if (n > GPU_FEW_COLUMNS || !wide) return test_random_int(t, 1, 3) * group;
    return test_random_int(t, slices / group + 1, slices / group + slices / group / 4 + 1) * group;
}

/* Two matrices above each other or gated, times n columns. */
static void check_product(tester *t, vox_weight_type type, gpu_mode mode, int n) {
    static const char *const modes[] = { "", " and add", " and gelu", " gated" };
    const int gated = mode == GPU_SWIGLU, cols = columns_for(t, type, n);
    const int rows[2] = { test_random_int(t, 1, 70), gated ? 0 : test_random_int(t, 1, 20) };
    const int second = gated ? rows[0] : rows[1], padded = gpu_padded_rows(rows[0]), ldy = padded + (gated ? 0 : gpu_padded_rows(second));
    float *floats[2], *x = test_random_floats(t, (size_t)n * (size_t)cols);
    float *bias[2] = { test_random_floats(t, (size_t)rows[0]), test_random_floats(t, (size_t)second) };
    const vox_weight w[2] = { random_matrix(t, type, rows[0], cols, &floats[0]), random_matrix(t, type, second, cols, &floats[1]) };
    float *y = test_random_floats(t, (size_t)n * (size_t)ldy);
    double *want = vox_alloc((size_t)n * (size_t)ldy, sizeof *want);
    const vox_weight *const both[] = { &w[0], &w[1] };
    const float *const biases[] = { bias[0], bias[1] };
    gpu_matrix m = { 0 };
    gpu_buffer bx = { 0 }, by = { 0 };
    char name[64];
    if (!x || !y || !want || !w[0].data || !w[1].data || !bias[0] || !bias[1]) goto out;
    for (size_t i = 0; i < (size_t)n * (size_t)cols; i++) x[i] *= 30;
    gpu_matrix_make(t->g, &m, both, gated ? NULL : biases, 2, gated);
    bx = test_upload(t, x, (size_t)n * (size_t)cols * sizeof *x);
    by = test_upload(t, y, (size_t)n * (size_t)ldy * sizeof *y);
    gpu_product(t->g, &m, mode, &bx, 0, cols, n, &by, ldy);
    for (int c = 0; c < n; c++) {
        double *out = want + (size_t)c * (size_t)ldy;
        const float *column = x + (size_t)c * (size_t)cols, *old = y + (size_t)c * (size_t)ldy;
        for (int r = 0; r < ldy; r++) {
            const int i = r >= padded, at = i ? r - padded : r, there = at < (i ? second : rows[0]);
            double v = there ? test_dot(floats[i] + (size_t)at * (size_t)cols, column, cols) + (gated ? 0 : (double)bias[i][at]) : 0;
            if (gated) v = there ? silu(v) * test_dot(floats[1] + (size_t)at * (size_t)cols, column, cols) : 0;
            out[r] = mode == GPU_ADD ? v + (double)old[r] : mode == GPU_GELU ? v / 2 * (1 + erf(v * sqrt(0.5))) : v;
        }
    }
    snprintf(name, sizeof name, "%s x %d%s", vox_weight_type_name(type), n, modes[mode]);
    test_compare(t, name, &by, want, (size_t)n * (size_t)ldy, EXACT);
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
    const int dim = test_random_int(t, 1, 700), n = test_random_int(t, 1, 5);
    float *x = test_random_floats(t, (size_t)(n * dim)), *gain = test_random_floats(t, (size_t)dim);
    double *want = vox_alloc((size_t)(n * dim), sizeof *want);
    if (x && gain && want) {
        gpu_buffer bx = test_upload(t, x, (size_t)(n * dim) * sizeof *x), bg = test_upload(t, gain, (size_t)dim * sizeof *gain);
        gpu_buffer by = test_upload(t, NULL, (size_t)(n * dim) * sizeof *x);
        for (int c = 0; c < n; c++) {
            const float *column = x + (size_t)(c * dim);
            const double scale = 1 / sqrt(test_dot(column, column, dim) / dim + 1e-5);
            for (int i = 0; i < dim; i++) want[c * dim + i] = (double)column[i] * scale * (double)gain[i];
        }
        gpu_norm(t->g, &bx, 0, dim, (gpu_bind){ &bg, 0, 0 }, dim, 1e-5f, n, &by, dim);
        test_compare(t, "norm", &by, want, (size_t)(n * dim), EXACT);
        gpu_free(t->g, &bx);
        gpu_free(t->g, &bg);
        gpu_free(t->g, &by);
    }
    vox_free(x);
    vox_free(gain);
    vox_free(want);
}

static void check_embed(tester *t, vox_weight_type type) {
    const int cols = test_random_int(t, 1, 3) * group_of(type), rows = test_random_int(t, 20, 60), n = test_random_int(t, 1, 8);
    float *floats, *audio = test_random_floats(t, (size_t)(n * cols));
    const vox_weight w = random_matrix(t, type, rows, cols, &floats), *one = &w;
    double *want = vox_alloc((size_t)(n * cols), sizeof *want);
    gpu_column info[8];
    gpu_matrix m = { 0 };
    gpu_buffer ba = { 0 }, bi = { 0 }, bx = { 0 };
    char name[64];
    if (floats && audio && w.data && want) {
        for (int c = 0; c < n; c++) {
            info[c] = (gpu_column){ (uint32_t)test_random_int(t, 0, rows - 1), (uint32_t)test_random_int(t, 0, n - 1), 0, 0 };
            for (int i = 0; i < cols; i++)
                want[c * cols + i] = (double)floats[(size_t)info[c].token * (size_t)cols + (size_t)i] + (double)audio[(size_t)info[c].depth * (size_t)cols + (size_t)i];
        }
        gpu_matrix_make(t->g, &m, &one, NULL, 1, 0);
        ba = test_upload(t, audio, (size_t)(n * cols) * sizeof *audio);
        bi = test_upload(t, info, (size_t)n * sizeof *info);
        bx = test_upload(t, NULL, (size_t)(n * cols) * sizeof *audio);
        gpu_embed(t->g, &m, &ba, 0, &bi, n, &bx, cols);
        snprintf(name, sizeof name, "%s embeddings", vox_weight_type_name(type));
        test_compare(t, name, &bx, want, (size_t)(n * cols), EXACT);
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
    const int n = test_random_int(t, 1, 8), ld = gpu_padded_rows(vocab);
    const gpu_scoring s = { vocab, test_random_int(t, 34, vocab - 1), n_best };
    float *logits = test_random_floats(t, (size_t)(n * ld));
    vox_scores got[8], want;
    double worst = INFINITY;
    char name[64];
    if (logits) {
        for (int i = 0; i < n * ld; i++) logits[i] = roundf(logits[i] * 40) / 4;
        gpu_buffer bl = test_upload(t, logits, (size_t)(n * ld) * sizeof *logits);
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
    test_report(t, name, worst, BEST);
    vox_free(logits);
}

static int wants(uint32_t need, vox_weight_type type) { return (int)(need >> type & 1); }

/* The type that most work is done with: the last one, as they go from plain to packed. */
static vox_weight_type main_type(uint32_t need) {
    int type = VOX_WEIGHT_Q8_0;
    if (!wants(need, VOX_WEIGHT_Q8_0))
        for (int i = 0; i < VOX_WEIGHT_TYPES; i++)
            if (wants(need, (vox_weight_type)i)) type = i;
    return (vox_weight_type)type;
}

int gpu_selftest(gpu *g, uint32_t need, uint32_t seed, gpu_check_fn fn, void *user) {
    tester t = { g, seed * 2654435761u + 1, fn, user, 0, vox_now_ms() };
    const vox_weight_type one = main_type(need);
    const int all = need == GPU_NEED_ALL;
    for (int i = 0; i < VOX_WEIGHT_TYPES && gpu_ok(g); i++) {
        const vox_weight_type type = (vox_weight_type)i;
        if (!wants(need, type)) continue;
        check_product(&t, type, all ? GPU_STORE : GPU_ADD, 1);
        check_product(&t, type, GPU_STORE, test_random_int(&t, 17, 130));
        if (all) check_product(&t, type, GPU_ADD, test_random_int(&t, 3, 4));
        if (need >> GPU_NEED_EMBEDDINGS & 1u << type) check_embed(&t, type);
    }
    if (gpu_ok(g)) check_product(&t, one, GPU_SWIGLU, all ? test_random_int(&t, 5, GPU_FEW_COLUMNS) : 3);
    if (gpu_ok(g)) check_product(&t, one, GPU_SWIGLU, test_random_int(&t, GPU_FEW_COLUMNS + 1, 16));
    if (gpu_ok(g)) check_product(&t, one, GPU_GELU, 1);
    if (gpu_ok(g)) check_norm(&t);
    if (gpu_ok(g)) check_best(&t, test_random_int(&t, 36, GPU_PART), test_random_int(&t, 1, VOX_MAX_BEST));
    if (gpu_ok(g)) check_best(&t, test_random_int(&t, GPU_PART + 1, 5 * GPU_PART), VOX_MAX_BEST);
    if (gpu_ok(g)) check_best(&t, 64 * GPU_PART, 1);
    for (int half = 0; half < 2 && gpu_ok(g); half++) {
        if (!(need & (half ? GPU_NEED_F16_CACHE : GPU_NEED_F32_CACHE))) continue;
        test_attention(&t, half, test_random_int(&t, 5, 60), 100);
        test_attention(&t, half, test_random_int(&t, 280, 400), 450);
    }
    return t.failed + !gpu_ok(g);
}
