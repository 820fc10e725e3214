#include "kernels.h"

#include <math.h>

#include "model/draft.h"
#include "text/tokenizer.h"

void gpu_norm(gpu *g, const gpu_buffer *x, int x0, int ldx, gpu_bind gain, int dim, float eps, int n,
              const gpu_buffer *y, int ldy) {
    const struct { uint32_t dim, ldx, x0, ldy; float eps; } p = { (uint32_t)dim, (uint32_t)ldx, (uint32_t)x0, (uint32_t)ldy, eps };
    const gpu_bind binds[] = { { x, 0, 0 }, gain, { y, 0, 0 } };
    gpu_dispatch(g, GPU_NORM, 0, binds, 3, &p, sizeof p, (uint32_t)n, 1, 1);
}

void gpu_rope(gpu *g, const gpu_cache *c, const gpu_heads *h, int n, const gpu_buffer *turns, int slot0,
              const gpu_buffer *moves, int n_moves) {
    const uint32_t pairs = (uint32_t)c->head_dim / 2, block = n_moves ? (uint32_t)n : 4;
    const struct { uint32_t n, heads, kv_heads, pairs, ld, k0, v0, slots, slot0, block, moves, split; float scale; } p = {
        (uint32_t)n, (uint32_t)h->heads, (uint32_t)c->kv_heads, pairs, (uint32_t)h->ld, (uint32_t)h->k0, (uint32_t)h->v0,
        (uint32_t)c->slots, (uint32_t)slot0, block, (uint32_t)n_moves, (uint32_t)h->split, 1.0f / sqrtf((float)c->head_dim),
    };
    const gpu_bind binds[] = { { h->qkv, 0, 0 }, { turns, 0, 0 }, { moves, 0, 0 }, c->keys, c->values };
    const uint32_t lanes = (p.n * p.heads + (p.n + block - 1) / block * p.kv_heads) * pairs;
    gpu_dispatch(g, GPU_ROPE, (uint32_t)c->half, binds, 5, &p, sizeof p, (lanes + 63) / 64, 1, 1);
}

void gpu_turn(gpu *g, const gpu_cache *c, const gpu_buffer *turns) {
    const struct { uint32_t kv_heads, pairs, slots; } p = { (uint32_t)c->kv_heads, (uint32_t)c->head_dim / 2, (uint32_t)c->slots };
    const gpu_bind binds[] = { { turns, 0, 0 }, c->keys };
    const uint32_t groups = (p.kv_heads * p.pairs * p.slots + 63) / 64, most = 32768;
    gpu_dispatch(g, GPU_TURN, (uint32_t)c->half, binds, 2, &p, sizeof p, groups < most ? groups : most, (groups + most - 1) / most, 1);
}

static uint32_t parts_of(int keys) { return (uint32_t)(keys + GPU_KEYS - 1) / GPU_KEYS; }

size_t gpu_open_floats(int heads, int head_dim, int most_keys, int n) {
    return (size_t)parts_of(most_keys) * (size_t)heads * (size_t)n * (size_t)(head_dim + 2);
}

void gpu_attend(gpu *g, const gpu_cache *c, const gpu_heads *h, const gpu_view *v, const gpu_buffer *o, int ldo) {
    const uint32_t group = (uint32_t)(h->heads / c->kv_heads), parts = parts_of(v->old + v->n), n = (uint32_t)v->n;
    const uint32_t rows = n * group <= 4 ? 4 : 8;
    const struct { uint32_t n, group, kv_heads, pairs, ldq, slots, slot0, old, window, tree, split, ldo; } p = {
        n, group, (uint32_t)c->kv_heads, (uint32_t)c->head_dim / 2, (uint32_t)h->ld, (uint32_t)c->slots, (uint32_t)v->slot0,
        (uint32_t)v->old, (uint32_t)v->window, (uint32_t)v->tree, (uint32_t)h->split, (uint32_t)ldo,
    };
    const gpu_bind binds[] = { { h->qkv, 0, 0 }, c->keys, c->values, { v->info, 0, 0 }, { o, 0, 0 }, { v->open, 0, 0 } };
    gpu_dispatch(g, GPU_ATTEND, (uint32_t)c->half | rows << 8, binds, 6, &p, sizeof p, parts, (n * group + rows - 1) / rows,
                 (uint32_t)c->kv_heads);
    if (parts > 1) {
        const struct { uint32_t n, heads, head_dim, parts, ldo; } j = { n, (uint32_t)h->heads, (uint32_t)c->head_dim, parts, (uint32_t)ldo };
        const gpu_bind join[] = { { v->open, 0, 0 }, { o, 0, 0 } };
        gpu_dispatch(g, GPU_JOIN, 0, join, 2, &j, sizeof j, (uint32_t)h->heads, n, 1);
    }
    const double keys = (double)v->old + v->n;
    gpu_worked(g, gpu_cost(2.0 * h->heads * c->head_dim * keys * v->n, 2.0 * c->kv_heads * c->head_dim * keys * (c->half ? 2 : 4)));
}

/* ---- scores ---------------------------------------------------------------------------- */

/* What is kept of a part of a column: see shaders/best.wgsl. */
enum { RECORD = VOX_MAX_BEST + 3 };
typedef struct pair { float x, y; } pair;

static uint32_t vocab_parts(int vocab) { return (uint32_t)(vocab + GPU_PART - 1) / GPU_PART; }

size_t gpu_best_bytes(int vocab, int n) { return (size_t)vocab_parts(vocab) * (size_t)n * RECORD * sizeof(pair); }

void gpu_best(gpu *g, const gpu_scoring *s, const gpu_buffer *logits, int ld, int n, const gpu_buffer *room, const gpu_buffer *found) {
    const struct { uint32_t vocab, ld, special, best, pad, end, parts; } p = {
        (uint32_t)s->vocab, (uint32_t)ld, (uint32_t)s->n_special, (uint32_t)s->n_best, VOX_STREAMING_PAD, VOX_EOS, vocab_parts(s->vocab),
    };
    const gpu_bind parts[] = { { logits, 0, 0 }, { logits, 0, 0 }, { room, 0, 0 } };
    const gpu_bind join[] = { { logits, 0, 0 }, { room, 0, 0 }, { found, 0, 0 } };
    gpu_dispatch(g, GPU_BEST, 0, parts, 3, &p, sizeof p, p.parts, (uint32_t)n, 1);
    gpu_dispatch(g, GPU_BEST, 1, join, 3, &p, sizeof p, 1, (uint32_t)n, 1);
}

static void unpack(const gpu_scoring *s, const pair *record, vox_scores *scores) {
    const pair text = record[s->n_best], blanks = record[s->n_best + 2];
    *scores = (vox_scores){ .pad = blanks.x, .end = blanks.y, .sum_exp = record[s->n_best + 1].x };
    scores->text = text.y < (float)s->vocab ? (int)text.y : s->n_special;
    while (scores->n_best < s->n_best && record[scores->n_best].y < (float)s->vocab) {
        const pair best = record[scores->n_best];
        scores->best[scores->n_best++] = (vox_scored){ (int)best.y, best.x };
    }
}

int gpu_best_read(gpu *g, const gpu_scoring *s, const gpu_buffer *found, int n, vox_scores *scores) {
    pair records[VOX_DRAFT_COLUMNS * RECORD];
    const size_t length = (size_t)s->n_best + 3;
    if (!gpu_read(g, found, 0, records, (size_t)n * length * sizeof *records)) return 0;
    for (int i = 0; i < n; i++) unpack(s, records + (size_t)i * length, &scores[i]);
    return 1;
}
