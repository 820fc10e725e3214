#include "draft.h"

#include <string.h>

#include "text/tokenizer.h"

#define MEMORY 0.05f          /* weight of the newest of things learned */
#define LEAST 0.02f           /* chance below which a guess is not made */

/* Passes become slow and fast again together, when the machine has other work, and much sooner than
 * their costs among each other change. A number of columns that is not tried looks a little cheaper
 * with each that is, so that a cost measured in a bad moment is measured again. */
#define MS_MEMORY 0.25
#define COST_MEMORY 0.05
#define FORGET 0.9995

static vox_kind kind_of(int id) {
    return id == VOX_STREAMING_PAD ? VOX_PAD : id == VOX_STREAMING_WORD ? VOX_WORD : VOX_TEXT;
}

/* What transcripts of read speech show. */
void vox_drafter_init(vox_drafter *d) {
    static const float follows[VOX_KINDS][VOX_KINDS] = { { 0.8f, 0.2f, 0 }, { 0, 0, 1 }, { 0.5f, 0, 0.5f } };
    memset(d, 0, sizeof *d);
    memcpy(d->follows, follows, sizeof follows);
    d->guessed[0] = d->guessed[1] = 0.5f;
    for (int i = 1; i <= VOX_DRAFT_COLUMNS; i++) d->cost[i] = 1 + 0.05 * (i - 1);
    vox_drafter_begin(d);
}

void vox_drafter_begin(vox_drafter *d) {
    d->last = VOX_STREAMING_PAD;
    d->guess[0] = d->guess[1] = -1;
}

static void learn(float *rate, int happened) { *rate += MEMORY * ((float)happened - *rate); }

void vox_drafter_saw(vox_drafter *d, int id, int text) {
    const vox_kind from = kind_of(d->last), to = kind_of(id);
    for (int k = 0; k < VOX_KINDS; k++) learn(&d->follows[from][k], k == (int)to);
    if (from == VOX_WORD && to == VOX_TEXT)
        for (int i = 0; i < 2; i++)
            if (d->guess[i] >= 0) learn(&d->guessed[i], id == d->guess[i]);
    d->guess[1] = d->guess[0];
    d->guess[0] = text;
    d->last = id;
}

void vox_drafter_took(vox_drafter *d, int columns, double ms) {
    if (columns > VOX_DRAFT_COLUMNS || !(ms > 0)) return;
    if (!(d->ms > 0)) d->ms = ms / d->cost[columns];
    const double off = ms / (d->ms * d->cost[columns]);       /* a wait for other work is not believed */
    d->ms *= 1 + MS_MEMORY * ((off < 3 ? off : 3) - 1);
    for (int i = 1; i <= VOX_DRAFT_COLUMNS; i++) d->cost[i] *= i == columns ? 1 + COST_MEMORY * ((off < 1.5 ? off : 1.5) - 1) : FORGET;
    const double one = d->cost[1];
    for (int i = 1; i <= VOX_DRAFT_COLUMNS; i++) d->cost[i] /= one;
    d->ms *= one;
}

/* ---- the tree -------------------------------------------------------------------------- */

typedef struct guess {
    int id, parent, depth;
    float chance;             /* that all on the way to it and itself come true */
} guess;

typedef struct guesses {
    guess open[2 * VOX_DRAFT_COLUMNS + 2];
    int n;
} guesses;

static void offer(guesses *g, int id, int parent, int depth, float chance) {
    if (chance >= LEAST) g->open[g->n++] = (guess){ id, parent, depth, chance };
}

/* Guesses at what follows a column with token `id`; `text` is favoured behind a word mark. */
static void offer_next(guesses *g, const vox_drafter *d, int id, int column, int depth, float chance, int newest) {
    const vox_kind kind = kind_of(id);
    if (kind == VOX_WORD) {
        /* Of a word mark already there its own logits tell more than those before it. */
        if (d->guess[0] >= 0) offer(g, d->guess[0], column, depth, chance * d->guessed[newest ? 0 : 1]);
        return;
    }
    offer(g, VOX_STREAMING_PAD, column, depth, chance * d->follows[kind][VOX_PAD]);
    offer(g, VOX_STREAMING_WORD, column, depth, chance * d->follows[kind][VOX_WORD]);
}

static guess take_best(guesses *g) {
    int best = 0;
    for (int i = 1; i < g->n; i++)
        if (g->open[i].chance > g->open[best].chance) best = i;
    const guess taken = g->open[best];
    g->open[best] = g->open[--g->n];
    return taken;
}

int vox_draft(const vox_drafter *d, int n, int deepest, int *ids, vox_tree *tree) {
    const int root = n - 1, most = d->columns ? d->columns : VOX_DRAFT_COLUMNS;
    int best = n;
    float tokens = 1;
    double best_rate = 1 / d->cost[1];
    guesses g = { .n = 0 };
    offer_next(&g, d, ids[root], root, tree->depth[root] + 1, 1, 1);
    for (int columns = 2; columns <= most && n < VOX_MAX_TREE && g.n > 0;) {
        const guess new = take_best(&g);
        if (new.depth > deepest) continue;
        ids[n] = new.id;
        tree->parent[n] = new.parent;
        tree->depth[n] = new.depth;
        offer_next(&g, d, new.id, n, new.depth + 1, new.chance, 0);
        tokens += new.chance;
        n++;
        const double rate = tokens / d->cost[columns++];
        if (rate <= best_rate && !d->always) continue;
        best_rate = rate;
        best = n;
    }
    return best;
}
