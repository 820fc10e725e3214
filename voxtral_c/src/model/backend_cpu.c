/* backend_cpu.c - the steps of an utterance on the CPU. */
#include <string.h>

#include "backend.h"
#include "utterance.h"

/* Positions in a block of cache. Sharing a prompt costs at most one block's copy, so not many. */
enum { ENCODER_BLOCK = 32, DECODER_BLOCK = 64 };

/* Quantised weights gain nothing from a cache that is more precise than they are. */
static const vox_kernels *for_bytes(const vox_model *m, const vox_stack_config *s) {
    const int fits = s->head_dim % 32 == 0 && s->n_heads / s->n_kv_heads <= VOX_WALK_COLUMNS;
    return m->cache_bytes && fits ? m->compute.kernels : NULL;
}

static vox_status init(vox_utterance *u) {
    const vox_model *m = u->model;
    const vox_config *c = &m->config;
    u->conv0_tail = vox_alloc((size_t)c->encoder.dim, sizeof(float));
    u->audio = vox_alloc((size_t)VOX_BATCH_TOKENS * (size_t)c->decoder.dim, sizeof(float));
    if (!u->conv0_tail || !u->audio ||
        vox_kv_init(&u->encoder_kv, &c->encoder, ENCODER_BLOCK, vox_batch_frames(m), for_bytes(m, &c->encoder)) != VOX_OK ||
        vox_kv_init(&u->decoder_kv, &c->decoder, DECODER_BLOCK, VOX_BATCH_TOKENS, for_bytes(m, &c->decoder)) != VOX_OK)
        return VOX_ERR_MEMORY;
    u->encoder_kv.in_order = 1;
    return VOX_OK;
}

static void free_state(vox_utterance *u) {
    vox_free(u->conv0_tail);
    vox_free(u->audio);
    vox_kv_free(&u->encoder_kv);
    vox_kv_free(&u->decoder_kv);
}

static void reset(vox_utterance *u) {
    memset(u->conv0_tail, 0, (size_t)u->model->config.encoder.dim * sizeof(float));
    vox_kv_reset(&u->encoder_kv);
    vox_kv_reset(&u->decoder_kv);
}

static void follow(vox_utterance *u, const vox_utterance *from) {
    memcpy(u->conv0_tail, from->conv0_tail, (size_t)u->model->config.encoder.dim * sizeof(float));
    vox_kv_borrow(&u->encoder_kv, &from->encoder_kv);
    vox_kv_borrow(&u->decoder_kv, &from->decoder_kv);
}

static vox_status prepare(vox_utterance *u) {
    const int frames = u->model->config.downsample;
    const vox_status status = vox_kv_prepare(&u->encoder_kv, u->encoded * frames, frames);
    return status == VOX_OK ? vox_kv_prepare(&u->decoder_kv, u->decoded, 1) : status;
}

/* ---- mel frames to embeddings ---------------------------------------------------------- */

/* Two causal convolutions over three frames each, the second with stride 2. Frames lie one behind
 * the other, so three of them are one column. */
static void convolve(vox_utterance *u, int tokens) {
    vox_model *m = u->model;
    const vox_weights *w = &m->weights;
    const int dim = m->config.encoder.dim, mels = m->config.n_mels;
    const int n0 = tokens * vox_frames_per_token(m), n1 = n0 / 2;
    const size_t size = (size_t)dim * sizeof(float);
    float *first = m->conv0 + dim;
    const vox_product conv0 = { &w->conv0, w->conv0_bias, first }, conv1 = { &w->conv1, w->conv1_bias, m->frames };

    vox_matmul(&m->compute, &conv0, 1, u->mels, (size_t)mels, n0);
    vox_gelu(first, (size_t)n0 * (size_t)dim);
    vox_tap_show(u->tap, "conv0", -1, first, n0, dim);
    memcpy(m->conv0, u->conv0_tail, size);
    vox_matmul(&m->compute, &conv1, 1, m->conv0, 2 * (size_t)dim, n1);
    vox_gelu(m->frames, (size_t)n1 * (size_t)dim);
    vox_tap_show(u->tap, "conv1", -1, m->frames, n1, dim);

    memcpy(u->conv0_tail, m->conv0 + (size_t)n0 * (size_t)dim, size);
}

/* The frames of a token side by side, then two layers without bias. */
static void adapt(vox_utterance *u, int tokens) {
    vox_model *m = u->model;
    const vox_weights *w = &m->weights;
    const int dim = m->config.decoder.dim;
    const vox_product in = { &w->adapter0, NULL, m->adapter }, out = { &w->adapter1, NULL, u->audio };
    vox_matmul(&m->compute, &in, 1, m->frames, (size_t)w->adapter0.cols, tokens);
    vox_gelu(m->adapter, (size_t)tokens * (size_t)dim);
    vox_matmul(&m->compute, &out, 1, m->adapter, (size_t)dim, tokens);
    vox_tap_show(u->tap, "adapter", -1, u->audio, tokens, dim);
}

static vox_status encode(vox_utterance *u, int tokens) {
    vox_model *m = u->model;
    const vox_stack_config *s = &m->config.encoder;
    const int64_t first = u->encoded * m->config.downsample;
    const int frames = tokens * m->config.downsample;
    if (vox_kv_prepare(&u->encoder_kv, first, frames) != VOX_OK) return VOX_ERR_MEMORY;
    convolve(u, tokens);
    vox_stack_forward(&m->compute, s, m->weights.encoder, &m->encoder_buffers, &u->encoder_kv, first, frames,
                      NULL, m->frames, NULL, u->tap, "enc");
    vox_norm(&m->compute, m->frames, m->weights.encoder_norm, s->dim, s->norm_eps, frames, m->frames);
    vox_tap_show(u->tap, "enc.norm", -1, m->frames, frames, s->dim);
    adapt(u, tokens);
    return VOX_OK;
}

/* ---- embeddings to scores -------------------------------------------------------------- */

static void head(vox_utterance *u, float *x, int n) {
    vox_model *m = u->model;
    const vox_stack_config *s = &m->config.decoder;
    const vox_product out = { &m->weights.embeddings, NULL, m->logits };
    vox_norm(&m->compute, x, m->weights.decoder_norm, s->dim, s->norm_eps, n, x);
    vox_tap_show(u->tap, "dec.norm", -1, x, n, s->dim);
    vox_matmul(&m->compute, &out, 1, x, (size_t)s->dim, n);
    vox_tap_show(u->tap, "logits", -1, m->logits, n, m->config.vocab_size);
    for (int i = 0; i < n; i++) {
        float *logits = m->logits + (size_t)i * (size_t)m->config.vocab_size;
        vox_score(m->compute.kernels, logits, m->config.vocab_size, m->tokenizer.n_special, u->n_best, &m->scores[i]);
    }
}

static vox_status decode(vox_utterance *u, const int *ids, int n, const vox_tree *tree, const float *ffn_scale, int heads) {
    vox_model *m = u->model;
    const vox_stack_config *s = &m->config.decoder;
    const size_t dim = (size_t)s->dim;
    if (vox_kv_prepare(&u->decoder_kv, u->decoded, n) != VOX_OK) return VOX_ERR_MEMORY;
    for (int i = 0; i < n; i++) {
        float *x = m->hidden + (size_t)i * dim;
        vox_weight_row(&m->weights.embeddings, ids[i], x);
        vox_add(x, u->audio + (size_t)(u->audio_at + (tree ? tree->depth[i] : i)) * dim, dim);
    }
    vox_stack_forward(&m->compute, s, m->weights.decoder, &m->decoder_buffers, &u->decoder_kv, u->decoded, n,
                      tree, m->hidden, ffn_scale, u->tap, "dec");
    if (heads) head(u, m->hidden + (size_t)(n - heads) * dim, heads);
    return VOX_OK;
}

static void keep(vox_utterance *u, const int *path, int n) {
    for (int i = 0; i < n; i++)
        if (path[i] != i) vox_kv_copy(&u->decoder_kv, u->decoded + path[i], u->decoded + i);
}

/* ---- measurements ---------------------------------------------------------------------- */

static vox_status fill_kv(vox_kv *kv, int64_t first, int64_t end, int batch) {
    if (end - first > kv->window) first = end - kv->window;    /* what lies before is gone by then */
    const size_t floats = (size_t)batch * (size_t)kv->n_heads * (size_t)kv->head_dim;
    float *nothing = vox_alloc_zero(floats, sizeof *nothing);
    vox_status status = nothing ? VOX_OK : VOX_ERR_MEMORY;
    for (int64_t p = first; p < end && status == VOX_OK; p += batch) {
        const int n = end - p < batch ? (int)(end - p) : batch;
        status = vox_kv_prepare(kv, p, n);
        for (int layer = 0; layer < kv->n_layers && status == VOX_OK; layer++)
            for (int h = 0; h < kv->n_heads; h++) vox_kv_write(kv, layer, h, p, n, nothing, nothing);
    }
    vox_free(nothing);
    return status;
}

static vox_status pretend(vox_utterance *u, int tokens) {
    const int per_token = u->model->config.downsample;
    const vox_status status = fill_kv(&u->decoder_kv, u->decoded, u->decoded + tokens, VOX_BATCH_TOKENS);
    return status == VOX_OK ? fill_kv(&u->encoder_kv, u->encoded * per_token, (u->encoded + tokens) * per_token, vox_batch_frames(u->model))
                            : status;
}

const vox_backend vox_backend_cpu = { "cpu", init, free_state, reset, follow, prepare, encode, decode, keep, pretend };
