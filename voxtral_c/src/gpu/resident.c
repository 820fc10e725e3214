#include "resident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/cache.h"
#include "guard.h"
#include "scout.h"
#include "selftest.h"
#include "verdict.h"

static int fits(const vox_stack_config *s) {
    return s->dim % 16 == 0 && s->head_dim % 2 == 0 && s->head_dim <= GPU_MAX_HEAD_DIM && s->hidden_dim % 4 == 0 &&
           s->n_heads * s->head_dim % 4 == 0;
}

static vox_status check_shapes(const vox_model *m, vox_error *err) {
    const vox_config *c = &m->config;
    if (fits(&c->encoder) && fits(&c->decoder) && c->n_mels % 4 == 0) return VOX_OK;
    return vox_fail(err, VOX_ERR_UNSUPPORTED, "This model's dimensions are not made for a GPU: they are no multiples of 16.");
}

/* Keys and values of one utterance when its windows are full. */
static double cache_bytes(const vox_model *m, const vox_stack_config *s) {
    return 2.0 * s->n_layers * s->window * s->n_kv_heads * s->head_dim * (m->cache_bytes ? 2 : 4);
}

/* A card says when it has no memory left. Where memory is shared the system would rather swap, or end somebody: what
 * the GPU and the processor hold must leave a quarter to others. */
static vox_status check_room(const vox_model *m, const gpu *g, vox_error *err) {
    const double mapped = (double)m->weights.file.map_size, owned = m->weights.owned_bytes, total = vox_memory_total();
    const double needed = owned + (owned > mapped ? owned : mapped) + cache_bytes(m, &m->config.encoder) + cache_bytes(m, &m->config.decoder);
    if (!g->shares_memory || total <= 0 || needed <= 0.75 * total) return VOX_OK;
    return vox_fail(err, VOX_ERR_UNSUPPORTED, "The model takes %.1f GB with %s, which shares the machine's %.1f GB of memory.", needed / 1e9, g->name, total / 1e9);
}

/* ---- weights --------------------------------------------------------------------------- */

static gpu_buffer vector(gpu *g, const float *x, int n) {
    gpu_buffer b = gpu_alloc(g, (uint64_t)n * sizeof *x);
    gpu_write(g, &b, 0, x, (size_t)n * sizeof *x);
    return b;
}

static void matrix(gpu *g, gpu_matrix *m, const vox_weight *w, const float *bias) {
    gpu_matrix_make(g, m, &w, &bias, 1, 0);
}

static void make_layer(gpu *g, gpu_layer *layer, const vox_stack_config *s, const vox_layer_weights *w) {
    const vox_weight *const qkv[] = { &w->wq, &w->wk, &w->wv }, *const gated[] = { &w->w1, &w->w3 };
    const float *const biases[] = { w->bq, NULL, w->bv };
    gpu_matrix_make(g, &layer->qkv, qkv, biases, 3, 0);
    gpu_matrix_make(g, &layer->gated, gated, NULL, 2, 1);
    matrix(g, &layer->wo, &w->wo, w->bo);
    matrix(g, &layer->down, &w->w2, w->b2);
    layer->attention_norm = vector(g, w->attention_norm, s->dim);
    layer->ffn_norm = vector(g, w->ffn_norm, s->dim);
}

static gpu_buffer activations(gpu *g, int n, int ld) { return gpu_alloc(g, (uint64_t)n * (uint64_t)ld * sizeof(float) + GPU_SLACK); }

static void make_stack(gpu *g, gpu_stack *t, const vox_stack_config *s, const vox_layer_weights *layers, int batch) {
    const int q = gpu_padded_rows(s->n_heads * s->head_dim), k = gpu_padded_rows(s->n_kv_heads * s->head_dim);
    *t = (gpu_stack){ .config = s, .batch = batch, .ld = gpu_padded_rows(s->dim), .k0 = q, .v0 = q + k, .ldq = q + 2 * k, .ldo = q,
                      .ldh = gpu_padded_rows(s->hidden_dim) };
    t->layers = vox_alloc_zero((size_t)s->n_layers, sizeof *t->layers);
    if (!t->layers) {
        gpu_fail(g, "there is no memory for the model");
        return;
    }
    for (int i = 0; i < s->n_layers && gpu_ok(g); i++) make_layer(g, &t->layers[i], s, &layers[i]);
    t->x = activations(g, batch, t->ld);
    t->norm = activations(g, batch, t->ld);
    t->qkv = activations(g, batch, t->ldq);
    t->attended = activations(g, batch, t->ldo);
    t->hidden = activations(g, batch, t->ldh);
    t->turns = activations(g, batch, s->head_dim);
    t->open = gpu_alloc(g, gpu_open_floats(s->n_heads, s->head_dim, s->window + batch, batch) * sizeof(float));
}

static void free_stack(gpu *g, gpu_stack *t) {
    gpu_buffer *const buffers[] = { &t->x, &t->norm, &t->qkv, &t->attended, &t->hidden, &t->turns, &t->open };
    for (int i = 0; t->layers && i < t->config->n_layers; i++) {
        gpu_layer *l = &t->layers[i];
        gpu_matrix_free(g, &l->qkv);
        gpu_matrix_free(g, &l->wo);
        gpu_matrix_free(g, &l->gated);
        gpu_matrix_free(g, &l->down);
        gpu_free(g, &l->attention_norm);
        gpu_free(g, &l->ffn_norm);
    }
    vox_free(t->layers);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) gpu_free(g, buffers[i]);
}

static void make_model(vox_gpu *v, const vox_model *m) {
    const vox_config *c = &m->config;
    const vox_weights *w = &m->weights;
    const int frames = vox_batch_frames(m), dim = c->encoder.dim;
    gpu *g = &v->device;
    make_stack(g, &v->encoder, &c->encoder, w->encoder, frames);
    make_stack(g, &v->decoder, &c->decoder, w->decoder, VOX_BATCH_TOKENS);
    matrix(g, &v->conv0, &w->conv0, w->conv0_bias);
    matrix(g, &v->conv1, &w->conv1, w->conv1_bias);
    matrix(g, &v->adapter0, &w->adapter0, NULL);
    matrix(g, &v->adapter1, &w->adapter1, NULL);
    matrix(g, &v->embeddings, &w->embeddings, NULL);
    v->encoder_norm = vector(g, w->encoder_norm, dim);
    v->decoder_norm = vector(g, w->decoder_norm, c->decoder.dim);
    v->mels = activations(g, 2 * frames + VOX_MEL_HISTORY, c->n_mels);
    v->conv_out = activations(g, 2 * frames, dim);
    v->conv_in = activations(g, 2 * frames + 1, dim);
    v->adapter = activations(g, VOX_BATCH_TOKENS, v->decoder.ld);
    v->info = gpu_alloc(g, VOX_MAX_TREE * sizeof(gpu_column));
    v->moves = gpu_alloc(g, sizeof ((vox_gpu_state *)0)->moves);
    v->logits = activations(g, VOX_DRAFT_COLUMNS, gpu_padded_rows(c->vocab_size));
    v->parts = gpu_alloc(g, gpu_best_bytes(c->vocab_size, VOX_DRAFT_COLUMNS));
    v->found = gpu_alloc(g, gpu_best_bytes(1, VOX_DRAFT_COLUMNS));
    v->gain_bytes = ((size_t)c->decoder.dim * sizeof(float) + GPU_ALIGN - 1) / GPU_ALIGN * GPU_ALIGN;
    v->gains = gpu_alloc(g, (uint64_t)c->decoder.n_layers * v->gain_bytes);
    v->spare_floats = VOX_DRAFT_COLUMNS * (size_t)gpu_padded_rows(c->vocab_size);
    if (v->spare_floats < (size_t)(2 * frames * dim)) v->spare_floats = (size_t)(2 * frames * dim);
    if (v->spare_floats < (size_t)(VOX_BATCH_TOKENS * v->decoder.ld)) v->spare_floats = (size_t)(VOX_BATCH_TOKENS * v->decoder.ld);
    v->spare = vox_alloc(v->spare_floats, sizeof *v->spare);
    v->half = m->cache_bytes;
    if (!v->spare) gpu_fail(g, "there is no memory for the model");
}

static uint32_t need_of_layers(const vox_layer_weights *layers, int n) {
    uint32_t need = 0;
    for (int i = 0; i < n; i++)
        need |= 1u << layers[i].wq.type | 1u << layers[i].wo.type | 1u << layers[i].w1.type | 1u << layers[i].w2.type;
    return need;
}

uint32_t vox_gpu_need(const vox_model *m) {
    const vox_weights *w = &m->weights;
    const vox_weight *const others[] = { &w->conv0, &w->conv1, &w->adapter0, &w->adapter1, &w->embeddings };
    uint32_t need = need_of_layers(w->encoder, m->config.encoder.n_layers) | need_of_layers(w->decoder, m->config.decoder.n_layers);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) need |= 1u << others[i]->type;
    return need | 1u << GPU_NEED_EMBEDDINGS << w->embeddings.type | (m->cache_bytes ? GPU_NEED_F16_CACHE : GPU_NEED_F32_CACHE);
}

vox_status vox_gpu_attach(vox_model *m, const gpu_options *options, const char *folder, vox_error *err) {
    uint32_t ignored;
    vox_status status = check_shapes(m, err);
    if (status != VOX_OK) return status;
    vox_gpu *v = vox_alloc_zero(1, sizeof *v);
    if (!v) return vox_fail(err, VOX_ERR_MEMORY, "There is no memory for the GPU.");
    status = gpu_open(&v->device, options, err);
    if (status == VOX_OK) status = check_room(m, &v->device, err);
    if (status == VOX_OK) gpu_scout_at_work(folder, v->device.name);
    if (status == VOX_OK) status = gpu_verdict(&v->device, options, vox_gpu_need(m), folder, err);
    if (status != VOX_OK) {
        gpu_guard_crash(NULL, NULL);
        gpu_close(&v->device);
        vox_free(v);
        return status;
    }
    m->gpu = v;
    v->folder = vox_copy_text(folder);
    make_model(v, m);
    if (!gpu_read(&v->device, &v->info, 0, &ignored, sizeof ignored)) {
        status = vox_fail(err, v->device.dead ? VOX_ERR_DEVICE : VOX_ERR_UNSUPPORTED, "The model cannot be used on %s: %s.",
                          v->device.name, v->device.why);
        vox_gpu_detach(m);
        return status;
    }
    m->backend = &vox_backend_gpu;
    return VOX_OK;
}

void vox_gpu_explain(vox_model *m) {
    const gpu *g = &m->gpu->device;
    vox_error why = { m->gpu_why, sizeof m->gpu_why };
    char *report = m->gpu->folder ? gpu_report(g, m->gpu->folder, "It failed while it was at work.") : NULL;
    vox_fail(&why, VOX_ERR_DEVICE, "%s cannot be used any more: %s%s%s.", g->name, g->why, report ? "; a report lies in " : "", report ? report : "");
    m->gpu_failed = 1;
    gpu_guard_crash(NULL, NULL);
    vox_free(report);
}

vox_status vox_gpu_scout(const char *cache_dir, uint32_t need, char *err_text, size_t err_size) {
    const vox_model_params p = { .cache_dir = cache_dir };
    const gpu_options o = vox_gpu_options();
    vox_error err = { err_text, err_size };
    char *folder = vox_cache_folder(&p);
    gpu g;
    if (!folder) return vox_fail(&err, VOX_ERR_MEMORY, "There is no memory for the GPU.");
    vox_status status = gpu_open(&g, &o, &err);
    if (status == VOX_OK) status = gpu_verdict(&g, &o, need, folder, &err);
    gpu_close(&g);
    vox_free(folder);
    return status;
}

const char *vox_gpu_name(const vox_gpu *v) { return v->device.name; }

double vox_gpu_bandwidth(vox_gpu *v) {
    gpu *g = &v->device;
    const gpu_buffer *from = &v->embeddings.parts[0].buffer;
    gpu_buffer to = gpu_alloc(g, from->size);
    uint32_t ignored;
    double best = 0;
    for (int i = 0; i < 4 && gpu_ok(g); i++) {
        const double start = vox_now_ms();
        for (int j = 0; j < 8; j++) gpu_copy(g, from, 0, &to, 0, from->size);
        if (!gpu_read(g, &to, 0, &ignored, sizeof ignored)) break;
        const double gbs = 16 * (double)from->size / 1e6 / (vox_now_ms() - start);
        if (i > 0 && gbs > best) best = gbs;       /* the first touches the memory */
    }
    gpu_free(g, &to);
    return best;
}

static void on_check(void *user, const gpu_check *c) {
    struct { vox_gpu_check_fn fn; void *user; vox_gpu_result *result; } *to = user;
    const vox_gpu_check check = { c->name, c->error, c->tolerance, c->ms, gpu_check_passed(c) };
    to->result->checks++;
    if (to->fn) to->fn(&check, to->user);
}

vox_status vox_gpu_selftest(const char *adapter, vox_gpu_check_fn fn, void *user, vox_gpu_result *result, char *err_text, size_t err_size) {
    vox_error err = { err_text, err_size };
    gpu_options o = vox_gpu_options();
    struct { vox_gpu_check_fn fn; void *user; vox_gpu_result *result; } to = { fn, user, result };
    gpu g;
    memset(result, 0, sizeof *result);
    o.adapter = adapter;
    o.software = 1;
    const vox_status status = gpu_open(&g, &o, &err);
    if (status != VOX_OK) return status;
    const double start = vox_now_ms();
    snprintf(result->name, sizeof result->name, "%s", g.name);
    snprintf(result->driver, sizeof result->driver, "%s", g.driver);
    result->api = g.api;
    result->software = g.software;
    result->subgroups = g.subgroups;
    result->failed = gpu_selftest(&g, GPU_NEED_ALL, 1, on_check, &to);
    if (result->failed && gpu_ok(&g) && g.subgroups) {      /* as gpu_verdict does */
        result->wrong_with_subgroups = result->failed;
        o.no_subgroups = 1;
        gpu_close(&g);
        const vox_status again = gpu_open(&g, &o, &err);
        if (again != VOX_OK) return again;
        result->checks = result->subgroups = 0;
        result->failed = gpu_selftest(&g, GPU_NEED_ALL, 1, on_check, &to);
    }
    snprintf(result->why, sizeof result->why, "%s", g.why);
    result->ms = vox_now_ms() - start;
    gpu_close(&g);
    char *folder = vox_cache_folder(&(vox_model_params){ 0 });
    if (folder) gpu_scout_remembered(folder, result->avoided, sizeof result->avoided);
    vox_free(folder);
    return VOX_OK;
}

/* Seconds, as VOXTRAL_GPU_DEADLINE asks; 0 = the usual. */
static double deadline(void) {
    const char *text = getenv("VOXTRAL_GPU_DEADLINE");
    const double seconds = text ? strtod(text, NULL) : 0;
    return seconds > 0 && seconds <= 3600 ? seconds : 0;
}

static int is_set(const char *name, char value) {
    const char *text = getenv(name);
    return text && text[0] == value && !text[1];
}

gpu_options vox_gpu_options(void) {
    const char *binding = getenv("VOXTRAL_GPU_BINDING");
    return (gpu_options){ .checked = is_set("VOXTRAL_GPU_CHECKS", '1'), .no_subgroups = is_set("VOXTRAL_GPU_SUBGROUPS", '0'),
                          .max_binding = binding ? strtoull(binding, NULL, 10) : 0, .deadline_ms = 1000 * deadline() };
}

void vox_gpu_detach(vox_model *m) {
    vox_gpu *v = m->gpu;
    if (!v) return;
    gpu *g = &v->device;
    gpu_guard_crash(NULL, NULL);
    gpu_matrix *const matrices[] = { &v->conv0, &v->conv1, &v->adapter0, &v->adapter1, &v->embeddings };
    gpu_buffer *const buffers[] = { &v->encoder_norm, &v->decoder_norm, &v->mels, &v->conv_out, &v->conv_in, &v->adapter, &v->info,
                                    &v->moves, &v->logits, &v->parts, &v->found, &v->gains };
    free_stack(g, &v->encoder);
    free_stack(g, &v->decoder);
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) gpu_matrix_free(g, matrices[i]);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) gpu_free(g, buffers[i]);
    gpu_close(g);
    vox_free(v->spare);
    vox_free(v->folder);
    vox_free(v);
    m->gpu = NULL;
}
