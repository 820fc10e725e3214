/* words.h - from tokens to text events: whole characters, word beginnings and word times. */
#ifndef VOX_WORDS_H
#define VOX_WORDS_H

#include "model/scores.h"
#include "text/tokenizer.h"

#define VOX_TOKEN_SECONDS 0.08

/* The token chosen at a step and the best ones behind it. */
typedef struct vox_choice {
    int64_t index;            /* generated tokens before it in the utterance */
    int id;
    float probability;
    int n_alternatives;
    int alternative_ids[VOX_MAX_ALTERNATIVES];
    float alternative_probabilities[VOX_MAX_ALTERNATIVES];
} vox_choice;

typedef struct vox_words {
    const vox_tokenizer *tokenizer;
    char *text;               /* the event's text */
    char *alternatives;       /* VOX_MAX_ALTERNATIVES texts */
    size_t room;              /* bytes of each */
    vox_utf8 utf8;
    int marked;               /* a word mark has come and no text yet */
    double time;              /* end of the word being written */
    float probability;        /* least one of the tokens in utf8's tail; 1 if it is empty */
    vox_choice last;          /* that brought text */
} vox_words;

vox_status vox_words_init(vox_words *w, const vox_tokenizer *tok);
void vox_words_free(vox_words *w);        /* also of one zeroed */
void vox_words_reset(vox_words *w);       /* a new utterance */

/* Fill in a TOKEN event. */
void vox_words_token(vox_words *w, const vox_choice *choice, vox_event *event);
/* Take the token's bytes; returns 1 and fills in a TEXT event if text became complete. */
int vox_words_text(vox_words *w, const vox_choice *choice, vox_event *event);
/* The utterance ends: likewise for a character cut off. */
int vox_words_end(vox_words *w, vox_event *event);

/* Choose greedily: the most probable token (the lowest id of equals) and n alternatives, fewer than were scored. */
void vox_choose(const vox_scores *s, int n_alternatives, vox_choice *choice);

#endif
