#include "voice.h"

#include <string.h>

enum { FLOOR_TOKENS = 40 };   /* 3.2 s */
#define STANDS_OUT 0.15f      /* 6 dB: mel values count in units of 40 dB */

void vox_voice_reset(vox_voice *v) { memset(v, 0, sizeof *v); }

static float loudness(const float *frames, int count, int n_mels) {
    const int low = n_mels / 20, high = n_mels * 7 / 10;
    float sum = 0;
    for (int i = 0; i < count; i++)
        for (int j = low; j < high; j++) sum += frames[(size_t)i * (size_t)n_mels + (size_t)j];
    return high > low ? sum / (float)(count * (high - low)) : 0;
}

void vox_voice_push(vox_voice *v, const float *frames, int count, int n_mels) {
    const float now = loudness(frames, count, n_mels);
    float least = now;
    for (int64_t t = v->n < FLOOR_TOKENS ? 0 : v->n - FLOOR_TOKENS; t < v->n; t++)
        if (v->loudness[t % VOX_VOICE_MEMORY] < least) least = v->loudness[t % VOX_VOICE_MEMORY];
    v->loudness[v->n % VOX_VOICE_MEMORY] = now;
    v->heard[v->n % VOX_VOICE_MEMORY] = now > least + STANDS_OUT;
    v->n++;
}

int vox_voice_at(const vox_voice *v, int64_t token) { return v->heard[token % VOX_VOICE_MEMORY]; }
