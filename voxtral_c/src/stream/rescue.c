#include "rescue.h"

#include <string.h>

vox_status vox_rescue_init(vox_rescue *r) {
    memset(r, 0, sizeof *r);
    r->room = (size_t)(VOX_RESCUE_TOKENS * VOX_TOKEN_SECONDS * VOX_SAMPLE_RATE);
    r->samples = vox_alloc(r->room, sizeof *r->samples);
    return r->samples ? VOX_OK : VOX_ERR_MEMORY;
}

void vox_rescue_free(vox_rescue *r) {
    vox_free(r->samples);
    r->samples = NULL;
}

void vox_rescue_reset(vox_rescue *r) { r->n_samples = r->n_tokens = r->at = r->dropped = r->again = 0; }

void vox_rescue_heard(vox_rescue *r, const float *samples, size_t n) {
    while (r->samples && n > 0) {
        const size_t at = (size_t)r->n_samples % r->room, part = n < r->room - at ? n : r->room - at;
        memcpy(r->samples + at, samples, part * sizeof *samples);
        r->at = r->n_samples += (int64_t)part;
        samples += part;
        n -= part;
    }
}

void vox_rescue_chosen(vox_rescue *r, int id) { r->tokens[r->n_tokens++ % VOX_RESCUE_ROOM] = id; }

void vox_rescue_begin(vox_rescue *r, int samples_per_token) {
    const int64_t lost = r->n_samples - (int64_t)r->room;
    r->dropped = lost > 0 ? (lost + samples_per_token - 1) / samples_per_token : 0;
    r->at = r->dropped * samples_per_token;
    r->again = r->n_tokens > r->dropped ? r->n_tokens - r->dropped : 0;
}

size_t vox_rescue_samples(const vox_rescue *r, const float **samples) {
    const size_t rest = (size_t)(r->n_samples - r->at);
    if (!rest) return 0;
    const size_t from = (size_t)r->at % r->room;
    *samples = r->samples + from;
    return rest < r->room - from ? rest : r->room - from;
}
