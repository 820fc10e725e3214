/* draft.h - guesses at the next tokens, which the decoder then verifies in one pass.
 *
 * A pass over the weights costs nearly the same for one column as for a few. Tokens come in three
 * kinds: pads, in runs; word marks, each followed by text; text. So after a pad the guesses are
 * further pads and, at each of these places, a word mark; after a word mark the text that the
 * logits before it favoured. Guesses form a tree. How likely each is and what a pass costs is
 * learned on the way; it decides how many guesses are made, never which tokens come out.
 */
#ifndef VOX_DRAFT_H
#define VOX_DRAFT_H

#include "ops.h"

enum { VOX_DRAFT_COLUMNS = 8 };   /* most columns of a pass, the token known already included */

typedef enum vox_kind { VOX_PAD, VOX_WORD, VOX_TEXT, VOX_KINDS } vox_kind;

typedef struct vox_drafter {
    float follows[VOX_KINDS][VOX_KINDS];    /* how often a kind is followed by another, of late */
    float guessed[2];         /* how often the text favoured at the word mark, or one token before
                                 it, is the one that comes */
    double cost[VOX_DRAFT_COLUMNS + 1];     /* of a pass with so many columns, to one with one */
    double ms;                /* of a pass with one column, as things are just now; 0 = unknown */
    int guess[2];             /* text favoured by the last logits, by those before; -1 = none */
    int last;                 /* token */
    int columns;              /* 0 = as many as pay; else never more; 1 = no guesses */
    int always;               /* tests: `columns` whether they pay or not */
} vox_drafter;

void vox_drafter_init(vox_drafter *d);
/* A new utterance, or whatever else breaks the order of tokens. */
void vox_drafter_begin(vox_drafter *d);

/* The token chosen, and the text that its logits favoured. */
void vox_drafter_saw(vox_drafter *d, int id, int text);

/* A pass with so many columns took that long. */
void vox_drafter_took(vox_drafter *d, int columns, double ms);

/* Append guesses to a batch of n columns, the last of which holds the newest token: ids, parents
 * and depths, none deeper than `deepest`. Returns the new number of columns. */
int vox_draft(const vox_drafter *d, int n, int deepest, int *ids, vox_tree *tree);

#endif
