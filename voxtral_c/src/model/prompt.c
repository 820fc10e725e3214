#include "prompt.h"

#include <math.h>
#include <string.h>

#include "gpu/resident.h"

float vox_delay_frequency(int i, int half) {
    return (float)exp((double)(-(float)log(10000.0) * (float)i / (float)half));
}

/* 1 + up(gelu(down(t))) for each layer, t being the delay as a sinusoid, all in float32. */
static vox_status make_scale(vox_model *m, int delay, float *scale) {
    const int dim = m->config.decoder.dim, half = dim / 2, inner = m->config.ada_dim;
    float *t = vox_alloc((size_t)dim, sizeof *t), *hidden = vox_alloc((size_t)inner, sizeof *hidden);
    for (int i = 0; t && i < half; i++) {
        const float angle = (float)delay * vox_delay_frequency(i, half);
        t[i] = (float)cos((double)angle);
        t[half + i] = (float)sin((double)angle);
    }
    for (int i = 0; t && hidden && i < m->config.decoder.n_layers; i++, scale += dim) {
        const vox_layer_weights *w = &m->weights.decoder[i];
        const vox_product down = { &w->ada_down, NULL, hidden }, up = { &w->ada_up, NULL, scale };
        vox_matmul(&m->compute, &down, 1, t, (size_t)dim, 1);
        vox_gelu(hidden, (size_t)inner);
        vox_matmul(&m->compute, &up, 1, hidden, (size_t)inner, 1);
        for (int j = 0; j < dim; j++) scale[j] += 1.0f;
    }
    vox_status status = t && hidden ? VOX_OK : VOX_ERR_MEMORY;
    vox_free(t);
    vox_free(hidden);
    return status;
}

static vox_status decode_waiting(vox_utterance *u, const float *ffn_scale) {
    int ids[VOX_BATCH_TOKENS];
    const int n = u->n_audio - u->audio_at;
    for (int i = 0; i < n; i++) ids[i] = vox_prompt_token(u->decoded + i);
    if (!n) return VOX_OK;
    const vox_status status = vox_utterance_decode(u, ids, n, NULL, ffn_scale, 0);
    if (status == VOX_OK) vox_utterance_keep(u, NULL, n);
    return status;
}

vox_status vox_prompt_play(vox_utterance *u, const float *ffn_scale) {
    static const float silence[1280];
    const vox_model *m = u->model;
    size_t left = (size_t)m->tokenizer.n_left_pad * (size_t)m->config.samples_per_token;
    while (left > 0 || vox_utterance_ready(u) > 0) {
        const size_t n = left < sizeof silence / sizeof *silence ? left : sizeof silence / sizeof *silence;
        const size_t used = vox_utterance_hear(u, silence, n);
        left -= used;
        if (used > 0 && left > 0 && vox_utterance_ready(u) < VOX_BATCH_TOKENS) continue;
        vox_status status = vox_utterance_encode(u);
        if (status == VOX_OK) status = decode_waiting(u, ffn_scale);
        if (status != VOX_OK) return status;
    }
    return VOX_OK;
}

static void free_prompt(vox_prompt *p) {
    vox_utterance_free(&p->state);
    vox_free(p->ffn_scale);
    vox_free(p);
}

static vox_status play_anew(vox_prompt *p, vox_model *m) {
    vox_utterance_free(&p->state);
    vox_status status = vox_utterance_init(&p->state, m);
    if (status == VOX_OK) status = vox_prompt_play(&p->state, p->ffn_scale);
    if (status != VOX_OK) vox_utterance_free(&p->state);
    return status;
}

void vox_model_fall_back(vox_model *m) {
    if (m->backend == &vox_backend_cpu) return;
    vox_gpu_explain(m);
    m->backend = &vox_backend_cpu;
}

/* Play the prompt where the model's work is done now, if it has not been played there. */
static vox_status settle(vox_prompt *p, vox_model *m) {
    vox_status status = p->state.backend == m->backend ? VOX_OK : play_anew(p, m);
    if (status != VOX_ERR_DEVICE) return status;
    vox_model_fall_back(m);
    return play_anew(p, m);
}

vox_status vox_prompt_get(vox_model *m, int delay, const vox_prompt **out) {
    for (vox_prompt *p = m->prompts; p; p = p->next)
        if (p->delay == delay) {
            *out = p;
            return settle(p, m);
        }
    vox_prompt *p = vox_alloc_zero(1, sizeof *p);
    if (!p) return VOX_ERR_MEMORY;
    p->delay = delay;
    p->ffn_scale = vox_alloc((size_t)m->config.decoder.n_layers * (size_t)m->config.decoder.dim, sizeof(float));
    vox_status status = p->ffn_scale ? make_scale(m, delay, p->ffn_scale) : VOX_ERR_MEMORY;
    if (status == VOX_OK) status = settle(p, m);
    if (status != VOX_OK) {
        free_prompt(p);
        return status;
    }
    p->next = m->prompts;
    m->prompts = p;
    *out = p;
    return VOX_OK;
}

void vox_prompts_free(vox_model *m) {
    while (m->prompts) {
        vox_prompt *next = m->prompts->next;
        free_prompt(m->prompts);
        m->prompts = next;
    }
}
