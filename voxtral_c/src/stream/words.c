#include "words.h"

#include <math.h>
#include <string.h>

vox_status vox_words_init(vox_words *w, const vox_tokenizer *tok) {
    size_t longest = 0, len;
    memset(w, 0, sizeof *w);
    w->tokenizer = tok;
    for (int id = tok->n_special; id < tok->n_vocab; id++) {
        vox_tokenizer_bytes(tok, id, &len);
        if (len > longest) longest = len;
    }
    w->room = VOX_UTF8_ROOM(longest);
    w->text = vox_alloc(w->room, 1);
    w->alternatives = vox_alloc(VOX_MAX_ALTERNATIVES, w->room);
    if (!w->text || !w->alternatives) {
        vox_words_free(w);
        return VOX_ERR_MEMORY;
    }
    vox_words_reset(w);
    return VOX_OK;
}

void vox_words_free(vox_words *w) {
    vox_free(w->text);
    vox_free(w->alternatives);
    memset(w, 0, sizeof *w);
}

void vox_words_reset(vox_words *w) {
    w->utf8.n = 0;
    w->marked = 0;
    w->time = 0;
    w->probability = 1;
}

static double frame_end(int64_t index) { return (double)(index + 1) * VOX_TOKEN_SECONDS; }

static void fill(vox_words *w, const vox_choice *choice, vox_event *event) {
    event->index = choice->index;
    event->id = choice->id;
    event->n_alternatives = choice->n_alternatives;
    for (int i = 0; i < choice->n_alternatives; i++) {
        vox_utf8 whole = { { 0 }, 0 };
        char *text = w->alternatives + (size_t)i * w->room;
        size_t len;
        const char *bytes = vox_tokenizer_bytes(w->tokenizer, choice->alternative_ids[i], &len);
        const size_t n = vox_utf8_push(&whole, bytes, len, text);
        vox_utf8_end(&whole, text + n);
        event->alternatives[i] = (vox_alternative){ choice->alternative_ids[i], text, choice->alternative_probabilities[i] };
    }
}

void vox_words_token(vox_words *w, const vox_choice *choice, vox_event *event) {
    event->type = VOX_EVENT_TOKEN;
    event->time = frame_end(choice->index);
    event->probability = choice->probability;
    fill(w, choice, event);
}

/* A word begins at a mark or with a space. The mark's place says when it ended; a word without a
 * mark came from a queue of words and ended before the frame its text stands in. */
static void fill_text(vox_words *w, const vox_choice *choice, vox_event *event) {
    event->type = VOX_EVENT_TEXT;
    event->text = w->text;
    event->word_start = w->marked || w->text[0] == ' ';
    if (event->word_start && !w->marked) w->time = frame_end(choice->index);
    w->marked = 0;
    event->time = w->time > 0 ? w->time : frame_end(choice->index);
    event->probability = w->probability;
    fill(w, choice, event);
}

int vox_words_text(vox_words *w, const vox_choice *choice, vox_event *event) {
    size_t len;
    if (choice->id == VOX_STREAMING_WORD) {
        w->marked = 1;
        w->time = frame_end(choice->index);
        return 0;
    }
    const char *bytes = vox_tokenizer_bytes(w->tokenizer, choice->id, &len);
    if (!len) return 0;
    w->last = *choice;
    if (choice->probability < w->probability) w->probability = choice->probability;
    if (!vox_utf8_push(&w->utf8, bytes, len, w->text)) return 0;
    fill_text(w, choice, event);
    w->probability = w->utf8.n ? choice->probability : 1;
    return 1;
}

int vox_words_end(vox_words *w, vox_event *event) {
    if (!vox_utf8_end(&w->utf8, w->text)) return 0;
    fill_text(w, &w->last, event);
    return 1;
}

void vox_choose(const vox_scores *s, int n_alternatives, vox_choice *choice) {
    vox_scored ranked[VOX_MAX_BEST + 2] = { { 0, 0 } };
    const int n = vox_scores_rank(s, ranked);
    const float most = ranked[0].logit, others = s->n_best ? s->sum_exp * expf(s->best[0].logit - most) : 0;
    const float sum = others + expf(s->pad - most) + expf(s->end - most);
    choice->id = ranked[0].id;
    choice->probability = sum >= 1 ? 1 / sum : 0;       /* not >= 1: the logits are NaN */
    choice->n_alternatives = 0;
    for (int i = 1; i < n && i <= n_alternatives; i++) {
        choice->alternative_ids[i - 1] = ranked[i].id;
        choice->alternative_probabilities[i - 1] = choice->probability * expf(ranked[i].logit - most);
        choice->n_alternatives = i;
    }
}
