#include "rut.h"

#include <string.h>

#include "text/tokenizer.h"

enum { ENOUGH_VOICE = VOX_RUT_TOKENS / 4 };
#define STEP 0.5f
#define MOST 7.0f

static int is_blank(int id) { return id == VOX_STREAMING_PAD || id == VOX_EOS; }

void vox_rut_reset(vox_rut *r) { memset(r, 0, sizeof *r); }

static void hear(vox_rut *r, int voice) {
    r->n_heard += voice - r->heard[r->at];
    r->heard[r->at] = (uint8_t)voice;
    r->at = (r->at + 1) % VOX_RUT_TOKENS;
}

static int blank_leads(const vox_scores *s) {
    vox_scored ranked[VOX_MAX_BEST + 2];
    return vox_scores_rank(s, ranked) > 0 && is_blank(ranked[0].id);
}

int vox_rut_guard(vox_rut *r, int voice, vox_scores *s) {
    hear(r, voice);
    if (r->blanks < VOX_RUT_TOKENS || r->n_heard < ENOUGH_VOICE) {
        r->over = 0;
        return 0;
    }
    r->over++;
    const float penalty = r->over * STEP < MOST ? (float)r->over * STEP : MOST;
    const int before = blank_leads(s);
    s->pad -= penalty;
    s->end -= penalty;
    return before && !blank_leads(s);
}

void vox_rut_chosen(vox_rut *r, int id) { r->blanks = is_blank(id) ? r->blanks + 1 : 0; }
