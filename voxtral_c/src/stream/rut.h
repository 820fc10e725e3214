/* rut.h - a guard against the blank rut.
 *
 * After a long time the model may fall into writing nothing but blanks over plain speech, each of
 * them making the next one more likely. In a rut the blank leads by 3.5 to 6.6 logits, in true
 * silence by more than 8.5. So, when there were only blanks for 16 s and voice was heard in a
 * quarter of them, the blank's logit is lowered, by half a logit more with each token and by 7 at
 * most, until something else is written. Silence never gets that far, and nothing changes before.
 */
#ifndef VOX_RUT_H
#define VOX_RUT_H

#include "model/scores.h"

enum { VOX_RUT_TOKENS = 200 };

typedef struct vox_rut {
    uint8_t heard[VOX_RUT_TOKENS];    /* voice in the last tokens, a ring */
    int at, n_heard;
    int64_t blanks;                   /* in a row up to now */
    int over;                         /* tokens for which there has been reason to act */
} vox_rut;

void vox_rut_reset(vox_rut *r);

/* Before a token is chosen: whether there was voice in the newest sound. Lowers the blanks' logits
 * if there is reason to; returns 1 if that makes another token the likeliest. */
int vox_rut_guard(vox_rut *r, int voice, vox_scores *scores);

/* The token chosen. */
void vox_rut_chosen(vox_rut *r, int id);

#endif
