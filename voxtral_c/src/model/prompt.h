/* prompt.h - the state after the silence that every utterance begins with.
 *
 * The decoder's prompt starts with n_left_pad positions of silence. All but the last of them
 * depend on nothing but the model and the delay (the last one's mel frame reaches 2.5 ms into the
 * audio), so they are computed once and every utterance continues from there.
 */
#ifndef VOX_PROMPT_H
#define VOX_PROMPT_H

#include "utterance.h"

typedef struct vox_prompt {
    struct vox_prompt *next;
    int delay;                /* in tokens */
    float *ffn_scale;         /* [decoder layers][dim]: the conditioning on the delay */
    vox_utterance state;      /* the left padding fed, what can be known of it encoded and decoded */
} vox_prompt;

/* The model's prompt for that delay, computed if need be; it lives as long as the model. */
vox_status vox_prompt_get(vox_model *model, int delay, const vox_prompt **out);
void vox_prompts_free(vox_model *model);

/* The GPU has failed: from now on the model's work is the CPU's. m->gpu_why tells why. Prompts follow
 * when they are asked for. Does nothing the second time. */
void vox_model_fall_back(vox_model *model);

/* Feed the left padding to an utterance just reset and decode all that it makes known. */
vox_status vox_prompt_play(vox_utterance *u, const float *ffn_scale);

/* Of the sinusoid that tells the decoder the delay: of `half` frequencies the i-th. */
float vox_delay_frequency(int i, int half);

/* Number of positions before the first generated token's, and the token at each. */
static inline int vox_prompt_length(const vox_model *m, int delay) { return 1 + m->tokenizer.n_left_pad + delay; }
static inline int vox_prompt_token(int64_t position) { return position == 0 ? VOX_BOS : VOX_STREAMING_PAD; }

#endif
