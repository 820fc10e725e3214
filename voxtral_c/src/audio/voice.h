/* voice.h - whether something like speech is to be heard, judged by loudness alone.
 *
 * The loudness of a token is the mean of its log-mel values in the band where speech is (about
 * 130 Hz to 3 kHz). It counts as voice when it stands out from the quietest token of the last three
 * seconds by 6 dB: speech rises and falls that much within a word, while silence, hum and steady
 * noise of any level do not.
 */
#ifndef VOX_VOICE_H
#define VOX_VOICE_H

#include "machine/base.h"

enum { VOX_VOICE_MEMORY = 64 };

typedef struct vox_voice {
    float loudness[VOX_VOICE_MEMORY];     /* of the last tokens, token t at t % VOX_VOICE_MEMORY */
    uint8_t heard[VOX_VOICE_MEMORY];
    int64_t n;                            /* tokens so far */
} vox_voice;

void vox_voice_reset(vox_voice *v);

/* The next token's mel frames[count][n_mels]. */
void vox_voice_push(vox_voice *v, const float *frames, int count, int n_mels);

/* 1 if voice was heard in that token, one of the last VOX_VOICE_MEMORY. */
int vox_voice_at(const vox_voice *v, int64_t token);

#endif
