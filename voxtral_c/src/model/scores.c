#include "scores.h"

#include <math.h>
#include <string.h>

#include "text/tokenizer.h"

/* Put it where it belongs among the n there are and keep `most`; returns the new number. */
static int insert(vox_scored *ranked, int n, int most, vox_scored new) {
    int at = n;
    while (at > 0 && (new.logit > ranked[at - 1].logit || (new.logit == ranked[at - 1].logit && new.id < ranked[at - 1].id))) at--;
    if (at == most) return n;
    if (n < most) n++;
    memmove(ranked + at + 1, ranked + at, (size_t)(n - 1 - at) * sizeof *ranked);
    ranked[at] = new;
    return n;
}

void vox_score(const vox_kernels *k, float *logits, int vocab, int n_special, int n_best, vox_scores *s) {
    float least = -INFINITY;  /* of a logit that is ranked it must be more: NaN is not */
    s->pad = logits[VOX_STREAMING_PAD];
    s->end = logits[VOX_EOS];
    s->n_best = 0;
    logits[VOX_STREAMING_PAD] = logits[VOX_EOS] = -INFINITY;
    for (int i = 0; i < vocab; i++) {
        if (!(logits[i] > least)) continue;
        s->n_best = insert(s->best, s->n_best, n_best, (vox_scored){ i, logits[i] });
        if (s->n_best == n_best) least = s->best[n_best - 1].logit;
    }
    s->sum_exp = s->n_best ? k->sum_exp(logits, vocab, s->best[0].logit) : 0;
    if (s->n_best && s->best[0].id >= n_special) s->text = s->best[0].id;
    else s->text = n_special + vox_argmax(logits + n_special, vocab - n_special);
    logits[VOX_STREAMING_PAD] = s->pad;
    logits[VOX_EOS] = s->end;
}

int vox_scores_rank(const vox_scores *s, vox_scored *ranked) {
    const vox_scored blanks[] = { { VOX_EOS, s->end }, { VOX_STREAMING_PAD, s->pad } };
    int n = s->n_best;
    memcpy(ranked, s->best, (size_t)n * sizeof *ranked);
    for (int i = 0; i < 2; i++)
        if (blanks[i].logit > -INFINITY) n = insert(ranked, n, VOX_MAX_BEST + 2, blanks[i]);
    return n;
}
