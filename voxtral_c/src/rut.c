#include "rut.h"

#include <string.h>

#include "kernels/kernels.h"
#include "tokenizer.h"

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

int vox_rut_guard(vox_rut *r, int voice, float *logits, int vocab) {
    hear(r, voice);
    if (r->blanks < VOX_RUT_TOKENS || r->n_heard < ENOUGH_VOICE) {
        r->over = 0;
        return 0;
    }
    r->over++;
    const float penalty = r->over * STEP < MOST ? (float)r->over * STEP : MOST;
    const int before = vox_argmax(logits, vocab);
    logits[VOX_STREAMING_PAD] -= penalty;
    logits[VOX_EOS] -= penalty;
    return is_blank(before) && !is_blank(vox_argmax(logits, vocab));
}

void vox_rut_chosen(vox_rut *r, int id) { r->blanks = is_blank(id) ? r->blanks + 1 : 0; }
