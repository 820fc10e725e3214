/* backend.c - the steps of an utterance on the GPU: one run of commands each, whose only answer are
 * the scores. Data is written before a step is recorded, and each step ends with a wait, so nothing
 * is overwritten that a step still needs. */
#include "model/backend.h"

#include <math.h>
#include <string.h>

#include "resident.h"

enum { FIRST_SLOTS = 256 };

static int min_int(int a, int b) { return a < b ? a : b; }

static vox_status status_of(const gpu *g) { return gpu_ok(g) ? VOX_OK : VOX_ERR_DEVICE; }

/* ---- caches ---------------------------------------------------------------------------- */

static gpu_cache cache_of(const gpu_stack *t, const gpu_kv *kv, int layer, int half) {
    return (gpu_cache){ half, t->config->n_kv_heads, t->config->head_dim, kv->slots, { &kv->keys[layer], 0, 0 }, { &kv->values[layer], 0, 0 } };
}

static int most_slots(const gpu_stack *t) { return t->config->window + t->batch; }

static void free_kv(gpu *g, const gpu_stack *t, gpu_kv *kv) {
    for (int i = 0; i < t->config->n_layers; i++) {
        if (kv->keys) gpu_free(g, &kv->keys[i]);
        if (kv->values) gpu_free(g, &kv->values[i]);
    }
    vox_free(kv->keys);
    vox_free(kv->values);
    *kv = (gpu_kv){ NULL, NULL, 0 };
}

static vox_status make_kv(gpu *g, const gpu_stack *t, gpu_kv *kv, int slots, int half) {
    const size_t n = (size_t)t->config->n_layers;
    const gpu_cache c = { .half = half, .kv_heads = t->config->n_kv_heads, .head_dim = t->config->head_dim, .slots = slots };
    *kv = (gpu_kv){ vox_alloc_zero(n, sizeof *kv->keys), vox_alloc_zero(n, sizeof *kv->values), slots };
    if (!kv->keys || !kv->values) return VOX_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        kv->keys[i] = gpu_alloc(g, gpu_cache_bytes(&c));
        kv->values[i] = gpu_alloc(g, gpu_cache_bytes(&c));
    }
    return VOX_OK;
}

/* Rows of `old` bytes, one behind the other, become rows of `new` bytes. */
static void spread(gpu *g, const gpu_buffer *from, const gpu_buffer *to, int rows, uint64_t old, uint64_t new) {
    for (int r = 0; r < rows; r++) gpu_copy(g, from, (uint64_t)r * old, to, (uint64_t)r * new, old);
}

/* Until the window is full positions lie in their order from the first slot on, and memory follows. */
static vox_status make_room(gpu *g, const gpu_stack *t, gpu_kv *kv, int64_t end, int half) {
    const int most = most_slots(t), heads = t->config->n_kv_heads, pairs = t->config->head_dim / 2;
    const int need = end < most ? (int)end : most;
    const uint64_t pair = half ? 4 : 8;
    if (need <= kv->slots) return VOX_OK;
    gpu_kv more;
    int slots = 2 * kv->slots;
    while (slots < need) slots *= 2;
    if (make_kv(g, t, &more, min_int(slots, most), half) != VOX_OK) {
        free_kv(g, t, &more);
        return VOX_ERR_MEMORY;
    }
    for (int i = 0; i < t->config->n_layers && gpu_ok(g); i++) {
        spread(g, &kv->keys[i], &more.keys[i], heads * pairs, (uint64_t)kv->slots * pair, (uint64_t)more.slots * pair);
        spread(g, &kv->values[i], &more.values[i], heads, (uint64_t)(kv->slots * pairs) * pair, (uint64_t)(more.slots * pairs) * pair);
    }
    gpu_submit(g);
    free_kv(g, t, kv);
    *kv = more;
    return VOX_OK;
}

static void copy_kv(gpu *g, const gpu_stack *t, gpu_kv *kv, const gpu_kv *from) {
    for (int i = 0; i < t->config->n_layers && gpu_ok(g); i++) {
        gpu_copy(g, &from->keys[i], 0, &kv->keys[i], 0, from->keys[i].size);
        gpu_copy(g, &from->values[i], 0, &kv->values[i], 0, from->values[i].size);
    }
}

/* See kv.h about anchors. */
static void move_anchor(gpu *g, const gpu_stack *t, const gpu_kv *kv, vox_kv *positions, int64_t first, int half) {
    const int64_t anchor = vox_kv_anchor(positions, first), by = anchor - positions->anchor;
    float table[GPU_MAX_HEAD_DIM];
    if (by == 0) return;
    for (int j = 0; j < t->config->head_dim; j += 2) {
        const float f = vox_rope_frequency(t->config->rope_theta, j, t->config->head_dim);
        table[j] = (float)cos((double)by * (double)f);
        table[j + 1] = (float)-sin((double)by * (double)f);
    }
    gpu_write(g, &t->turns, 0, table, (size_t)t->config->head_dim * sizeof *table);
    for (int i = 0; i < t->config->n_layers; i++) {
        const gpu_cache c = cache_of(t, kv, i, half);
        gpu_turn(g, &c, &t->turns);
    }
    gpu_submit(g);            /* `turns` is written again */
    positions->anchor = anchor;
}

/* ---- utterances ------------------------------------------------------------------------ */

static vox_status init(vox_utterance *u) {
    const vox_model *m = u->model;
    vox_gpu *v = m->gpu;
    gpu *g = &v->device;
    vox_gpu_state *s = u->gpu = vox_alloc_zero(1, sizeof *s);
    if (!s || vox_kv_init(&u->encoder_kv, &m->config.encoder, VOX_KV_MAX_BLOCK, vox_batch_frames(m), NULL) != VOX_OK ||
        vox_kv_init(&u->decoder_kv, &m->config.decoder, VOX_KV_MAX_BLOCK, VOX_BATCH_TOKENS, NULL) != VOX_OK ||
        make_kv(g, &v->encoder, &s->encoder, min_int(FIRST_SLOTS, most_slots(&v->encoder)), v->half) != VOX_OK ||
        make_kv(g, &v->decoder, &s->decoder, min_int(FIRST_SLOTS, most_slots(&v->decoder)), v->half) != VOX_OK)
        return VOX_ERR_MEMORY;
    s->tail = gpu_alloc(g, (uint64_t)v->encoder.ld * sizeof(float));
    s->audio = gpu_alloc(g, (uint64_t)VOX_BATCH_TOKENS * (uint64_t)v->decoder.ld * sizeof(float) + GPU_SLACK);
    return status_of(g);
}

static void free_state(vox_utterance *u) {
    vox_gpu *v = u->model->gpu;
    vox_gpu_state *s = u->gpu;
    if (s) {
        free_kv(&v->device, &v->encoder, &s->encoder);
        free_kv(&v->device, &v->decoder, &s->decoder);
        gpu_free(&v->device, &s->tail);
        gpu_free(&v->device, &s->audio);
    }
    vox_free(s);
    vox_kv_free(&u->encoder_kv);
    vox_kv_free(&u->decoder_kv);
}

static void reset(vox_utterance *u) {
    static const float zeros[2048];
    vox_gpu *v = u->model->gpu;
    const int dim = u->model->config.encoder.dim;
    for (int i = 0; i < dim; i += 2048)
        gpu_write(&v->device, &u->gpu->tail, (uint64_t)i * sizeof *zeros, zeros, (size_t)min_int(dim - i, 2048) * sizeof *zeros);
    vox_kv_reset(&u->encoder_kv);
    vox_kv_reset(&u->decoder_kv);
    u->gpu->n_moves = 0;
    v->gains_of = NULL;
}

static void follow(vox_utterance *u, const vox_utterance *from) {
    vox_gpu *v = u->model->gpu;
    gpu *g = &v->device;
    struct { const gpu_stack *stack; gpu_kv *to; const gpu_kv *from; } caches[] = {
        { &v->encoder, &u->gpu->encoder, &from->gpu->encoder }, { &v->decoder, &u->gpu->decoder, &from->gpu->decoder },
    };
    for (int i = 0; i < 2; i++) {
        if (caches[i].to->slots != caches[i].from->slots) {
            free_kv(g, caches[i].stack, caches[i].to);
            if (make_kv(g, caches[i].stack, caches[i].to, caches[i].from->slots, v->half) != VOX_OK) gpu_fail(g, "there is no memory to go on");
        }
        copy_kv(g, caches[i].stack, caches[i].to, caches[i].from);
    }
    gpu_copy(g, &from->gpu->tail, 0, &u->gpu->tail, 0, from->gpu->tail.size);
    gpu_submit(g);
    u->encoder_kv.anchor = from->encoder_kv.anchor;
    u->decoder_kv.anchor = from->decoder_kv.anchor;
}

static vox_status prepare(vox_utterance *u) {
    (void)u;                  /* the prompt's copy has room for more */
    return VOX_OK;
}

/* ---- layers ---------------------------------------------------------------------------- */

/* Tests look at columns from..n-1 of an activation. */
static void show(const vox_utterance *u, const char *name, int layer, const gpu_buffer *x, int from, int n, int ld, int width) {
    vox_gpu *v = u->model->gpu;
    if (!u->tap || !u->tap->fn || !gpu_read(&v->device, x, (uint64_t)(from * ld) * sizeof(float), v->spare, (size_t)(n * ld) * sizeof(float))) return;
    for (int i = 1; i < n && ld != width; i++) memmove(v->spare + i * width, v->spare + i * ld, (size_t)width * sizeof(float));
    vox_tap_show(u->tap, name, layer, v->spare, n, width);
}

/* Columns first .. first+n-1 of x, in place. */
static void run_stack(const vox_utterance *u, gpu_stack *t, const gpu_kv *kv, int64_t first, int n, int tree, int n_moves, const char *name) {
    vox_gpu *v = u->model->gpu;
    gpu *g = &v->device;
    const vox_stack_config *s = t->config;
    const int64_t oldest = first - s->window + 1 > 0 ? first - s->window + 1 : 0;
    const gpu_heads heads = { &t->qkv, t->ldq, t->k0, t->v0, s->n_heads, s->split_halves };
    const gpu_view view = { n, (int)(first - oldest), (int)(oldest % kv->slots), s->window, &v->info, tree, &t->open };
    for (int i = 0; i < s->n_layers && gpu_ok(g); i++) {
        gpu_layer *l = &t->layers[i];
        const gpu_cache cache = cache_of(t, kv, i, v->half);
        const gpu_bind attention_gain = { &l->attention_norm, 0, 0 };
        const gpu_bind ffn_gain = t == &v->decoder ? (gpu_bind){ &v->gains, (uint64_t)i * v->gain_bytes, v->gain_bytes } : (gpu_bind){ &l->ffn_norm, 0, 0 };
        gpu_norm(g, &t->x, 0, t->ld, attention_gain, s->dim, s->norm_eps, n, &t->norm, t->ld);
        gpu_product(g, &l->qkv, GPU_STORE, &t->norm, 0, t->ld, n, &t->qkv, t->ldq);
        gpu_rope(g, &cache, &heads, n, &t->turns, (int)(first % kv->slots), &v->moves, n_moves);
        gpu_attend(g, &cache, &heads, &view, &t->attended, t->ldo);
        gpu_product(g, &l->wo, GPU_ADD, &t->attended, 0, t->ldo, n, &t->x, t->ld);
        gpu_norm(g, &t->x, 0, t->ld, ffn_gain, s->dim, s->norm_eps, n, &t->norm, t->ld);
        gpu_product(g, &l->gated, GPU_SWIGLU, &t->norm, 0, t->ld, n, &t->hidden, t->ldh);
        gpu_product(g, &l->down, GPU_ADD, &t->hidden, 0, t->ldh, n, &t->x, t->ld);
        show(u, name, i, &t->x, 0, n, t->ld, s->dim);
    }
}

/* What the positions of a step need: room, anchor, rotations. */
static vox_status begin_step(gpu *g, gpu_stack *t, gpu_kv *kv, vox_kv *positions, int64_t first, int n, const vox_tree *tree, int half) {
    float table[64 * GPU_MAX_HEAD_DIM];
    if (n > 64) return VOX_ERR_UNSUPPORTED;
    const vox_status status = make_room(g, t, kv, first + n, half);
    if (status != VOX_OK) return status;
    move_anchor(g, t, kv, positions, first, half);
    vox_rope_table(t->config, first - positions->anchor, n, tree, table);
    gpu_write(g, &t->turns, 0, table, (size_t)(n * t->config->head_dim) * sizeof *table);
    return status_of(g);
}

static vox_status encode(vox_utterance *u, int tokens) {
    const vox_model *m = u->model;
    const vox_config *c = &m->config;
    vox_gpu *v = m->gpu;
    vox_gpu_state *s = u->gpu;
    gpu *g = &v->device;
    const int n0 = tokens * vox_frames_per_token(m), n1 = n0 / 2, dim = c->encoder.dim;
    const int64_t first = u->encoded * c->downsample;
    const uint64_t frame = (uint64_t)dim * sizeof(float);
    uint32_t ignored;
    gpu_stack *t = &v->encoder;
    const vox_status status = begin_step(g, t, &s->encoder, &u->encoder_kv, first, n1, NULL, v->half);
    if (status != VOX_OK) return status;
    gpu_write(g, &v->mels, 0, u->mels, (size_t)((VOX_MEL_HISTORY + n0) * c->n_mels) * sizeof(float));
    /* Three frames side by side are a column of a convolution. */
    gpu_product(g, &v->conv0, GPU_GELU, &v->mels, 0, c->n_mels, n0, &v->conv_out, dim);
    show(u, "conv0", -1, &v->conv_out, 0, n0, dim, dim);
    gpu_copy(g, &s->tail, 0, &v->conv_in, 0, frame);
    gpu_copy(g, &v->conv_out, 0, &v->conv_in, frame, (uint64_t)n0 * frame);
    gpu_copy(g, &v->conv_out, (uint64_t)(n0 - 1) * frame, &s->tail, 0, frame);
    gpu_product(g, &v->conv1, GPU_GELU, &v->conv_in, 0, 2 * dim, n1, &t->x, t->ld);
    show(u, "conv1", -1, &t->x, 0, n1, t->ld, dim);
    run_stack(u, t, &s->encoder, first, n1, 0, 0, "enc");
    gpu_norm(g, &t->x, 0, t->ld, (gpu_bind){ &v->encoder_norm, 0, 0 }, dim, c->encoder.norm_eps, n1, &t->norm, t->ld);
    show(u, "enc.norm", -1, &t->norm, 0, n1, t->ld, dim);
    gpu_product(g, &v->adapter0, GPU_GELU, &t->norm, 0, c->downsample * dim, tokens, &v->adapter, v->decoder.ld);
    gpu_product(g, &v->adapter1, GPU_STORE, &v->adapter, 0, v->decoder.ld, tokens, &s->audio, v->decoder.ld);
    show(u, "adapter", -1, &s->audio, 0, tokens, v->decoder.ld, c->decoder.dim);
    gpu_read(g, &s->audio, 0, &ignored, sizeof ignored);
    return status_of(g);
}

/* The norm before the feed-forward layers and the conditioning on the delay, multiplied. */
static vox_status set_gains(vox_gpu *v, const vox_model *m, const float *scale) {
    const int dim = m->config.decoder.dim;
    float *gain = v->spare;
    if (scale && v->gains_of == scale) return VOX_OK;
    for (int i = 0; i < m->config.decoder.n_layers; i++) {
        for (int j = 0; j < dim; j++) gain[j] = m->weights.decoder[i].ffn_norm[j] * (scale ? scale[(size_t)i * (size_t)dim + (size_t)j] : 1.0f);
        gpu_write(&v->device, &v->gains, (uint64_t)i * v->gain_bytes, gain, (size_t)dim * sizeof *gain);
    }
    v->gains_of = scale;
    return VOX_OK;
}

static void set_columns(vox_gpu *v, const int *ids, int n, const vox_tree *tree, int window) {
    gpu_column info[VOX_MAX_TREE] = { 0 };
    for (int i = 0; i < n; i++) {
        const int depth = tree ? tree->depth[i] : i;
        info[i] = (gpu_column){ (uint32_t)ids[i], (uint32_t)depth, 0, 0 };
        for (int at = i; at >= 0; at = tree ? tree->parent[at] : at - 1)
            if ((tree ? tree->depth[at] : at) > depth - window) info[i].mask |= 1u << at;
    }
    gpu_write(&v->device, &v->info, 0, info, (size_t)n * sizeof *info);
}

static vox_status decode(vox_utterance *u, const int *ids, int n, const vox_tree *tree, const float *ffn_scale, int heads) {
    const vox_model *m = u->model;
    const vox_config *c = &m->config;
    vox_gpu *v = m->gpu;
    vox_gpu_state *s = u->gpu;
    gpu *g = &v->device;
    gpu_stack *t = &v->decoder;
    uint32_t ignored;
    const vox_status status = begin_step(g, t, &s->decoder, &u->decoder_kv, u->decoded, n, tree, v->half);
    if (status != VOX_OK) return status;
    set_gains(v, m, ffn_scale);
    set_columns(v, ids, n, tree, c->decoder.window);
    gpu_write(g, &v->moves, 0, s->moves, sizeof s->moves);
    gpu_embed(g, &v->embeddings, &s->audio, u->audio_at * t->ld, &v->info, n, &t->x, t->ld);
    run_stack(u, t, &s->decoder, u->decoded, n, 1, s->n_moves, "dec");
    s->n_moves = 0;
    if (heads) {
        gpu_norm(g, &t->x, (n - heads) * t->ld, t->ld, (gpu_bind){ &v->decoder_norm, 0, 0 }, c->decoder.dim, c->decoder.norm_eps, heads, &t->norm, t->ld);
        show(u, "dec.norm", -1, &t->norm, 0, heads, t->ld, c->decoder.dim);
        gpu_product(g, &v->embeddings, GPU_STORE, &t->norm, 0, t->ld, heads, &v->logits, gpu_padded_rows(c->vocab_size));
        show(u, "logits", -1, &v->logits, 0, heads, gpu_padded_rows(c->vocab_size), c->vocab_size);
        const gpu_scoring scoring = { c->vocab_size, m->tokenizer.n_special, u->n_best };
        gpu_best(g, &scoring, &v->logits, gpu_padded_rows(c->vocab_size), heads, &v->parts, &v->found);
        gpu_best_read(g, &scoring, &v->found, heads, u->model->scores);
    } else {
        gpu_read(g, &t->x, 0, &ignored, sizeof ignored);
    }
    return status_of(g);
}

static void keep(vox_utterance *u, const int *path, int n) {
    vox_gpu_state *s = u->gpu;
    for (int i = 0; i < n; i++) {
        if (path[i] == i) continue;
        s->moves[2 * s->n_moves] = (uint32_t)((u->decoded + path[i]) % s->decoder.slots);
        s->moves[2 * s->n_moves++ + 1] = (uint32_t)((u->decoded + i) % s->decoder.slots);
    }
}

/* Caches of new memory, which is zeros. */
static vox_status pretend_kv(vox_gpu *v, const gpu_stack *t, gpu_kv *kv, int64_t end) {
    const int slots = end < most_slots(t) ? (int)end : most_slots(t);
    free_kv(&v->device, t, kv);
    return make_kv(&v->device, t, kv, slots, v->half);
}

static vox_status pretend(vox_utterance *u, int tokens) {
    vox_gpu *v = u->model->gpu;
    const int64_t frames = (u->encoded + tokens) * u->model->config.downsample;
    const vox_status status = pretend_kv(v, &v->encoder, &u->gpu->encoder, frames);
    return status == VOX_OK ? pretend_kv(v, &v->decoder, &u->gpu->decoder, u->decoded + tokens) : status;
}

const vox_backend vox_backend_gpu = { "gpu", init, free_state, reset, follow, prepare, encode, decode, keep, pretend };
