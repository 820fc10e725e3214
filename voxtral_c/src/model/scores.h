/* scores.h - what the logits of a column come down to: all that choosing a token needs of them, and so
 * all that a GPU has to give back. */
#ifndef VOX_SCORES_H
#define VOX_SCORES_H

#include "kernels/kernels.h"
#include "vox.h"

enum { VOX_MAX_BEST = 1 + VOX_MAX_ALTERNATIVES };

typedef struct vox_scored {
    int id;
    float logit;
} vox_scored;

/* The blanks stand apart, for a stream may lower them; `best` and `sum_exp` are of all others. */
typedef struct vox_scores {
    float pad, end;                   /* the blanks' logits */
    vox_scored best[VOX_MAX_BEST];    /* from the likeliest on; of equals the lowest id comes first */
    int n_best;                       /* fewer than asked for if there are no more numbers among the logits */
    float sum_exp;                    /* of exp(logit - that of best[0]) */
    int text;                         /* the likeliest token that is text */
} vox_scores;

/* The first n_special tokens are no text. The logits are written to, and restored. */
void vox_score(const vox_kernels *k, float *logits, int vocab, int n_special, int n_best, vox_scores *s);

/* All in order, blanks included: ranked[VOX_MAX_BEST + 2]; returns how many. */
int vox_scores_rank(const vox_scores *s, vox_scored *ranked);

#endif
