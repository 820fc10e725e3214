#include "utterance.h"

#include <string.h>

/* Positions in a block of cache. Sharing a prompt costs at most one block's copy, so not many. */
enum { ENCODER_BLOCK = 32, DECODER_BLOCK = 64, HISTORY = 2 };

static int frames_per_token(const vox_model *m) { return 2 * m->config.downsample; }

/* Quantised weights gain nothing from a cache that is more precise than they are. */
static const vox_kernels *for_bytes(const vox_model *m, const vox_stack_config *s) {
    return m->cache_bytes && s->head_dim % 32 == 0 ? m->compute.kernels : NULL;
}

static int mel_room(const vox_model *m) { return (VOX_BATCH_TOKENS + 1) * frames_per_token(m); }

vox_status vox_utterance_init(vox_utterance *u, vox_model *m) {
    const vox_config *c = &m->config;
    memset(u, 0, sizeof *u);
    u->model = m;
    u->mels = vox_alloc((size_t)(HISTORY + mel_room(m)) * (size_t)c->n_mels, sizeof(float));
    u->conv0_tail = vox_alloc((size_t)c->encoder.dim, sizeof(float));
    u->audio = vox_alloc((size_t)VOX_BATCH_TOKENS * (size_t)c->decoder.dim, sizeof(float));
    if (!u->mels || !u->conv0_tail || !u->audio || vox_mel_init(&u->mel, &m->mel) != VOX_OK ||
        vox_kv_init(&u->encoder_kv, &c->encoder, ENCODER_BLOCK, vox_batch_frames(m),
                    for_bytes(m, &c->encoder)) != VOX_OK ||
        vox_kv_init(&u->decoder_kv, &c->decoder, DECODER_BLOCK, VOX_BATCH_TOKENS,
                    for_bytes(m, &c->decoder)) != VOX_OK) {
        vox_utterance_free(u);
        return VOX_ERR_MEMORY;
    }
    vox_utterance_reset(u);
    return VOX_OK;
}

void vox_utterance_free(vox_utterance *u) {
    vox_mel_free(&u->mel);
    vox_free(u->mels);
    vox_free(u->conv0_tail);
    vox_free(u->audio);
    vox_kv_free(&u->encoder_kv);
    vox_kv_free(&u->decoder_kv);
    memset(u, 0, sizeof *u);
}

void vox_utterance_reset(vox_utterance *u) {
    const vox_config *c = &u->model->config;
    vox_mel_reset(&u->mel, &u->model->mel);
    memset(u->mels, 0, (size_t)HISTORY * (size_t)c->n_mels * sizeof(float));
    memset(u->conv0_tail, 0, (size_t)c->encoder.dim * sizeof(float));
    vox_voice_reset(&u->voice);
    vox_kv_reset(&u->encoder_kv);
    vox_kv_reset(&u->decoder_kv);
    u->n_mels = 0;
    u->encoded = u->decoded = 0;
    u->audio_at = u->n_audio = 0;
}

void vox_utterance_continue(vox_utterance *u, const vox_utterance *from) {
    const vox_config *c = &u->model->config;
    vox_utterance_reset(u);
    vox_mel_copy(&u->mel, &from->mel, &u->model->mel);
    memcpy(u->mels, from->mels, (size_t)(HISTORY + from->n_mels) * (size_t)c->n_mels * sizeof(float));
    memcpy(u->conv0_tail, from->conv0_tail, (size_t)c->encoder.dim * sizeof(float));
    u->voice = from->voice;
    vox_kv_borrow(&u->encoder_kv, &from->encoder_kv);
    vox_kv_borrow(&u->decoder_kv, &from->decoder_kv);
    u->n_mels = from->n_mels;
    u->encoded = from->encoded;
    u->decoded = from->decoded;
}

vox_status vox_utterance_prepare(vox_utterance *u) {
    const int frames = u->model->config.downsample;
    const vox_status status = vox_kv_prepare(&u->encoder_kv, u->encoded * frames, frames);
    return status == VOX_OK ? vox_kv_prepare(&u->decoder_kv, u->decoded, 1) : status;
}

/* ---- samples to embeddings ------------------------------------------------------------- */

size_t vox_utterance_hear(vox_utterance *u, const float *samples, size_t n) {
    const vox_model *m = u->model;
    const int width = m->config.n_mels;
    size_t used;
    float *to = u->mels + (size_t)(HISTORY + u->n_mels) * (size_t)width;
    int made = vox_mel_push(&u->mel, &m->mel, samples, n, &used, to, mel_room(m) - u->n_mels);
    if (made) vox_tap_show(u->tap, "mel", -1, to, made, width);
    u->n_mels += made;
    return used;
}

int vox_utterance_ready(const vox_utterance *u) { return u->n_mels / frames_per_token(u->model); }

/* Two causal convolutions over three frames each, the second with stride 2. Frames lie one behind
 * the other, so three of them are one column. */
static void convolve(vox_utterance *u, int tokens) {
    vox_model *m = u->model;
    const vox_weights *w = &m->weights;
    const int dim = m->config.encoder.dim, mels = m->config.n_mels;
    const int n0 = tokens * frames_per_token(m), n1 = n0 / 2;
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
    u->n_mels -= n0;
    memmove(u->mels, u->mels + (size_t)n0 * (size_t)mels, (size_t)(HISTORY + u->n_mels) * (size_t)mels * sizeof(float));
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

vox_status vox_utterance_encode(vox_utterance *u) {
    vox_model *m = u->model;
    const vox_stack_config *s = &m->config.encoder;
    const int per_token = m->config.downsample, ready = vox_utterance_ready(u);
    const int64_t first = u->encoded * per_token;
    const int room = vox_kv_room(&u->encoder_kv, first) / per_token, most = room < 1 ? 1 : room;
    int tokens = ready < VOX_BATCH_TOKENS ? ready : VOX_BATCH_TOKENS;
    if (tokens > most) tokens = most;
    const int frames = tokens * per_token;
    if (!tokens) return VOX_OK;
    if (vox_kv_prepare(&u->encoder_kv, first, frames) != VOX_OK) return VOX_ERR_MEMORY;
    for (int i = 0; i < tokens; i++)
        vox_voice_push(&u->voice, u->mels + (size_t)(HISTORY + i * frames_per_token(m)) * (size_t)m->config.n_mels,
                       frames_per_token(m), m->config.n_mels);
    convolve(u, tokens);
    vox_stack_forward(&m->compute, s, m->weights.encoder, &m->encoder_buffers, &u->encoder_kv, first, frames,
                      NULL, m->frames, NULL, u->tap, "enc");
    vox_norm(&m->compute, m->frames, m->weights.encoder_norm, s->dim, s->norm_eps, frames, m->frames);
    vox_tap_show(u->tap, "enc.norm", -1, m->frames, frames, s->dim);
    adapt(u, tokens);
    u->encoded += tokens;
    u->audio_at = 0;
    u->n_audio = tokens;
    return VOX_OK;
}

/* ---- embeddings to logits -------------------------------------------------------------- */

static void head(vox_utterance *u, float *x, int n) {
    vox_model *m = u->model;
    const vox_stack_config *s = &m->config.decoder;
    const vox_product out = { &m->weights.embeddings, NULL, m->logits };
    vox_norm(&m->compute, x, m->weights.decoder_norm, s->dim, s->norm_eps, n, x);
    vox_tap_show(u->tap, "dec.norm", -1, x, n, s->dim);
    vox_matmul(&m->compute, &out, 1, x, (size_t)s->dim, n);
    vox_tap_show(u->tap, "logits", -1, m->logits, n, m->config.vocab_size);
}

vox_status vox_utterance_decode(vox_utterance *u, const int *ids, int n, const vox_tree *tree,
                                const float *ffn_scale, int heads) {
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

void vox_utterance_keep(vox_utterance *u, const int *path, int n) {
    for (int i = 0; path && i < n; i++)
        if (path[i] != i) vox_kv_copy(&u->decoder_kv, u->decoded + path[i], u->decoded + i);
    u->audio_at += n;
    u->decoded += n;
}
