#include "utterance.h"

#include <string.h>

static int mel_room(const vox_model *m) { return (VOX_BATCH_TOKENS + 1) * vox_frames_per_token(m); }

vox_status vox_utterance_init(vox_utterance *u, vox_model *m) {
    memset(u, 0, sizeof *u);
    u->model = m;
    u->backend = m->backend;
    u->n_best = 1;
    u->mels = vox_alloc((size_t)(VOX_MEL_HISTORY + mel_room(m)) * (size_t)m->config.n_mels, sizeof(float));
    vox_status status = u->mels ? vox_mel_init(&u->mel, &m->mel) : VOX_ERR_MEMORY;
    if (status == VOX_OK) status = u->backend->init(u);
    if (status == VOX_OK) vox_utterance_reset(u);
    else vox_utterance_free(u);
    return status;
}

void vox_utterance_free(vox_utterance *u) {
    if (u->backend) u->backend->free(u);
    vox_mel_free(&u->mel);
    vox_free(u->mels);
    memset(u, 0, sizeof *u);
}

void vox_utterance_reset(vox_utterance *u) {
    const vox_config *c = &u->model->config;
    vox_mel_reset(&u->mel, &u->model->mel);
    memset(u->mels, 0, (size_t)VOX_MEL_HISTORY * (size_t)c->n_mels * sizeof(float));
    vox_voice_reset(&u->voice);
    u->backend->reset(u);
    u->n_mels = 0;
    u->encoded = u->decoded = 0;
    u->audio_at = u->n_audio = 0;
}

void vox_utterance_continue(vox_utterance *u, const vox_utterance *from) {
    vox_utterance_reset(u);
    vox_mel_copy(&u->mel, &from->mel, &u->model->mel);
    memcpy(u->mels, from->mels, (size_t)(VOX_MEL_HISTORY + from->n_mels) * (size_t)u->model->config.n_mels * sizeof(float));
    u->voice = from->voice;
    u->n_mels = from->n_mels;
    u->encoded = from->encoded;
    u->decoded = from->decoded;
    u->backend->follow(u, from);
}

vox_status vox_utterance_prepare(vox_utterance *u) { return u->backend->prepare(u); }

size_t vox_utterance_hear(vox_utterance *u, const float *samples, size_t n) {
    const vox_model *m = u->model;
    const int width = m->config.n_mels;
    size_t used;
    float *to = u->mels + (size_t)(VOX_MEL_HISTORY + u->n_mels) * (size_t)width;
    int made = vox_mel_push(&u->mel, &m->mel, samples, n, &used, to, mel_room(m) - u->n_mels);
    if (made) vox_tap_show(u->tap, "mel", -1, to, made, width);
    u->n_mels += made;
    return used;
}

int vox_utterance_ready(const vox_utterance *u) { return u->n_mels / vox_frames_per_token(u->model); }

vox_status vox_utterance_encode(vox_utterance *u) {
    const vox_model *m = u->model;
    const int per_token = m->config.downsample, ready = vox_utterance_ready(u), width = m->config.n_mels;
    const int room = vox_kv_room(&u->encoder_kv, u->encoded * per_token) / per_token, most = room < 1 ? 1 : room;
    int tokens = ready < VOX_BATCH_TOKENS ? ready : VOX_BATCH_TOKENS;
    if (tokens > most) tokens = most;
    if (!tokens) return VOX_OK;
    const vox_status status = u->backend->encode(u, tokens);
    if (status != VOX_OK) return status;
    const int mels = vox_frames_per_token(m);
    for (int i = 0; i < tokens; i++)
        vox_voice_push(&u->voice, u->mels + (size_t)(VOX_MEL_HISTORY + i * mels) * (size_t)width, mels, width);
    u->n_mels -= tokens * mels;
    memmove(u->mels, u->mels + (size_t)(tokens * mels * width), (size_t)((VOX_MEL_HISTORY + u->n_mels) * width) * sizeof(float));
    u->encoded += tokens;
    u->audio_at = 0;
    u->n_audio = tokens;
    return VOX_OK;
}

vox_status vox_utterance_decode(vox_utterance *u, const int *ids, int n, const vox_tree *tree,
                                const float *ffn_scale, int heads) {
    return u->backend->decode(u, ids, n, tree, ffn_scale, heads);
}

void vox_utterance_keep(vox_utterance *u, const int *path, int n) {
    if (path) u->backend->keep(u, path, n);
    u->audio_at += n;
    u->decoded += n;
}

vox_status vox_utterance_pretend(vox_utterance *u, int tokens) {
    const vox_status status = u->backend->pretend(u, tokens);
    if (status != VOX_OK) return status;
    u->encoded += tokens;
    u->decoded += tokens;
    return VOX_OK;
}
