/* rescue.h - what an utterance on a GPU needs to go on elsewhere: the newest sound it has heard and
 * the tokens written over it. A GPU that fails takes all that was computed with it; from these the
 * CPU computes it again, hearing at most the last half minute. */
#ifndef VOX_RESCUE_H
#define VOX_RESCUE_H

#include "words.h"

enum { VOX_RESCUE_TOKENS = 375, VOX_RESCUE_ROOM = 512 };   /* 30 s; tokens are remembered a little longer */

typedef struct vox_rescue {
    float *samples;           /* a ring of `room`; NULL = nothing is kept */
    size_t room;
    int tokens[VOX_RESCUE_ROOM];      /* a ring */
    int64_t n_samples, n_tokens;      /* in the utterance so far */
    int64_t at;               /* of the samples the present state has heard; else equal to n_samples */
    int64_t dropped;          /* tokens of sound at its beginning that the present state never heard */
    int64_t again;            /* tokens to be fed anew before others are chosen */
} vox_rescue;

vox_status vox_rescue_init(vox_rescue *r);
void vox_rescue_free(vox_rescue *r);          /* also of one zeroed */
void vox_rescue_reset(vox_rescue *r);         /* a new utterance */

void vox_rescue_heard(vox_rescue *r, const float *samples, size_t n);
void vox_rescue_chosen(vox_rescue *r, int id);

/* Begin again: samples from `at` on are to be heard anew. */
void vox_rescue_begin(vox_rescue *r, int samples_per_token);
/* The next of them that lie side by side; 0 when all have been heard. */
size_t vox_rescue_samples(const vox_rescue *r, const float **samples);
/* Token `index` of those that the present state has heard. */
static inline int vox_rescue_token(const vox_rescue *r, int64_t index) {
    return r->tokens[(index + r->dropped) % VOX_RESCUE_ROOM];
}

#endif
