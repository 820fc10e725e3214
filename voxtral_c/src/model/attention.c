/* attention.c - what the queries of a batch see of the cache.
 *
 * An item of work is a key-value head, the query heads that share it, and a tile of positions: its
 * columns. Keys that only other columns see get weight 0, which adds nothing, not even a rounding,
 * so that a column never depends on the batch it is in.
 */
#include "ops.h"

#include <math.h>
#include <string.h>

typedef struct attention_job {
    const vox_compute *c;
    const vox_stack_config *s;
    const vox_kv *kv;
    int layer, n, tile;       /* tile: positions of an item */
    int64_t first;
    const vox_tree *tree;
    const float *q;
    float *o;
} attention_job;

typedef struct tile {
    int head, from, columns;  /* from: its first column of the batch */
    int group;                /* query heads, columns here, for each column of the batch */
    int64_t start, low, high; /* least position of a query, first and last key's */
    const float *q;           /* its columns lie behind one another, [group][head_dim] each `width` apart */
    size_t width;
    float *out;               /* [columns][head_dim] */
    float *spare;
} tile;

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }
static int64_t max_position(int64_t a, int64_t b) { return a > b ? a : b; }

static int tile_positions(const vox_stack_config *c) {
    return max_int(1, VOX_WALK_COLUMNS / (c->n_heads / c->n_kv_heads));
}

/* A tile's output and queries, scores, and the newest values. */
size_t vox_attention_scratch(const vox_stack_config *c, int max_positions) {
    const int positions = min_int(tile_positions(c), max_positions);
    const size_t columns = (size_t)positions * (size_t)(c->n_heads / c->n_kv_heads), hd = (size_t)c->head_dim;
    const size_t row = (size_t)c->window + (size_t)max_positions + 2 * VOX_KV_MAX_BLOCK;
    return columns * (2 * hd + row) + VOX_FIRST_POSITIONS * hd;
}

static int64_t position_of(const attention_job *job, int column) {
    return job->first + (job->tree ? job->tree->depth[column] : column);
}

/* Columns of the tree that column i sees, itself last; returns their number. */
static int path_to(const vox_tree *tree, int i, int *path) {
    const int length = tree->depth[i] + 1;
    for (int at = length - 1; at >= 0; at--, i = tree->parent[i]) path[at] = i;
    return length;
}

static const float *query(const attention_job *job, const tile *t, int c) {
    return t->q + (size_t)(c / t->group) * t->width + (size_t)(c % t->group) * (size_t)job->s->head_dim;
}

/* ---- keys and values as float32 -------------------------------------------------------- */

/* The weights of the keys that column c sees; row[0] is the key at t->low. Those of a tree are brought together for it,
 * as they would lie in a batch of their own, and then put back. */
static void weigh(const attention_job *job, const tile *t, int c, float *row, size_t ld) {
    const vox_tree *tree = job->tree;
    const int column = t->from + c / t->group;
    const int64_t position = position_of(job, column), base = job->first - t->low;
    const int64_t begin = max_position(position - job->s->window + 1 - t->low, 0), end = position + 1 - t->low;
    int path[VOX_MAX_TREE];
    const int length = tree ? path_to(tree, column, path) : 0;
    for (int i = 0; i < length; i++) row[base + i] = row[base + path[i]];
    memset(row, 0, (size_t)begin * sizeof *row);
    job->c->kernels->softmax(row + begin, (int)(end - begin));
    memset(row + end, 0, (ld - (size_t)end) * sizeof *row);
    for (int i = length - 1; i >= 0 && path[i] != i; i--) {
        row[base + path[i]] = row[base + i];
        row[base + i] = 0;
    }
}

static void attend_floats(const attention_job *job, const tile *t) {
    const vox_kernels *k = job->c->kernels;
    const int dim = job->s->head_dim;
    const size_t hd = (size_t)dim, ld = (size_t)(t->high - t->low + 1);
    const float scale = 1.0f / sqrtf((float)dim);
    float *q = t->spare, *scores = q + (size_t)t->columns * hd;
    int length;
    for (int c = 0; c < t->columns; c++)
        for (int i = 0; i < dim; i++) q[(size_t)c * hd + (size_t)i] = query(job, t, c)[i] * scale;
    for (int64_t p = t->low; p <= t->high; p += length) {
        const float *keys = vox_kv_run(job->kv, job->layer, 0, t->head, p, &length);
        if (length > t->high - p + 1) length = (int)(t->high - p + 1);
        k->matmul_f32(keys, hd, length, dim, q, hd, t->columns, scores + (p - t->low), ld);
    }
    for (int c = 0; c < t->columns; c++) weigh(job, t, c, scores + (size_t)c * ld, ld);
    for (int64_t p = t->low; p <= t->high; p += length) {
        const float *values = vox_kv_run(job->kv, job->layer, 1, t->head, p, &length);
        if (length > t->high - p + 1) length = (int)(t->high - p + 1);
        k->add_weighted(scores + (p - t->low), ld, t->columns, values, hd, length, dim, t->out, hd);
    }
}

/* ---- keys and values as bytes ---------------------------------------------------------- */

/* The newest positions, this many and the rest of their block, are guesses perhaps, and lie elsewhere then than they
 * will. So they are weighed together: the sums of their bytes are exact in any order. */
enum { NEAR = VOX_MAX_TREE - 1 };

/* Where they begin for a query. Blocks before are complete and hold no guesses. */
static int64_t near_from(const attention_job *job, int64_t position) {
    if (job->kv->in_order) return position + 1;
    const int64_t from = position < NEAR ? 0 : position - NEAR;
    return from - from % job->kv->block_positions;
}

static void hide(float *scores, float *scales, int from, int to) {
    for (int i = from; i < to; i++) {
        scores[i] = -INFINITY;
        scales[i] = 0;
    }
}

/* The near positions as column c sees them, from `near` on: their scores and the scales of their values are brought
 * together as they would lie in a batch of the column's own, and the bytes made of them are put back. */
static void weigh_near(const attention_job *job, const tile *t, int c, int64_t near, float *scores, const float *scales, int n,
                       vox_walk *w, int8_t *q, float *scale) {
    const vox_tree *tree = job->tree;
    const int column = t->from + c / t->group;
    const int64_t position = position_of(job, column), base = job->first - near;
    const int64_t begin = max_position(max_position(position - job->s->window + 1, near_from(job, position)) - near, 0);
    int path[VOX_MAX_TREE];
    const int length = tree ? path_to(tree, column, path) : 0;
    float own[VOX_FIRST_POSITIONS];
    memcpy(own, scales, (size_t)n * sizeof *own);
    for (int i = 0; i < length; i++) {
        scores[base + i] = scores[base + path[i]];
        own[base + i] = scales[base + path[i]];
    }
    hide(scores, own, 0, (int)begin);
    hide(scores, own, (int)(position + 1 - near), n);
    job->c->kernels->weigh_first(w, c, scores, own, n, q, scale);
    for (int i = length - 1; i >= 0 && path[i] != i; i--) {
        q[base + path[i]] = q[base + i];
        q[base + i] = 0;
    }
}

static void add_near(const attention_job *job, const tile *t, vox_walk *w, float *rows) {
    const int block = job->kv->block_positions, dim = job->s->head_dim;
    const int64_t near = max_position(near_from(job, t->start), t->low);
    const int n = (int)((t->high - near) / block + 1) * block;
    float scales[VOX_FIRST_POSITIONS], scale[VOX_WALK_COLUMNS];
    int8_t *q = (int8_t *)(rows + (size_t)t->columns * (size_t)n), *values = q + (size_t)t->columns * (size_t)n;
    for (int i = 0; i < n; i += block) {
        const vox_byte_block b = vox_kv_bytes_at(job->kv, job->layer, t->head, near + i);
        job->c->kernels->score_bytes(&b, block, dim, &w->q, t->columns, rows + i, (size_t)n);
        memcpy(scales + i, b.value_scales, (size_t)block * sizeof *scales);
        memcpy(values + (size_t)i * (size_t)dim, b.values, (size_t)block * (size_t)dim);
    }
    for (int c = 0; c < t->columns; c++)
        weigh_near(job, t, c, near, rows + (size_t)c * (size_t)n, scales, n, w, q + (size_t)c * (size_t)n, &scale[c]);
    const vox_bytes weights = { q, (size_t)n, scale, w->q.sum };
    job->c->kernels->add_bytes(values, n, dim, &weights, t->columns, w->out);
}

/* Queries as bytes, and what each sees in blocks. */
static void start_walk(const attention_job *job, const tile *t, vox_walk *w) {
    const int dim = job->s->head_dim;
    const float scale = 1.44269504f / sqrtf((float)dim);
    for (int c = 0; c < t->columns; c++) {
        const int64_t position = position_of(job, t->from + c / t->group);
        job->c->kernels->to_bytes(query(job, t, c), dim, w->q.q + (size_t)c * w->q.ld, &w->q.scale[c], &w->q.sum[c]);
        w->q.scale[c] *= scale;
        w->from[c] = (int)max_position(position - job->s->window + 1 - t->low, 0);
        w->to[c] = (int)(near_from(job, position) - t->low);
        w->level[c] = -INFINITY;
    }
    memset(w->sums, 0, sizeof w->sums);
}

static void finish_walk(vox_walk *w, int dim) {
    for (int c = 0; c < w->columns; c++) {
        float *out = w->out + (size_t)c * (size_t)dim, sum = 0;
        for (int i = 0; i < VOX_WALK_LANES; i++) sum += w->sums[c][i];
        for (int i = 0; i < dim; i++) out[i] *= 1.0f / sum;
    }
}

/* While a block is worked on, the next one is fetched in four parts in turn, which lie in pages of their own where blocks are large. */
static vox_ahead look_ahead(const attention_job *job, const tile *t, int64_t next) {
    const int line = 64, lines = ((int)vox_kv_head_bytes(job->kv) + VOX_AHEAD_PAGES * line - 1) / (VOX_AHEAD_PAGES * line);
    const uint8_t *from = vox_kv_bytes_at(job->kv, job->layer, t->head, next).keys;
    vox_ahead ahead = { .lines = lines };
    for (int i = 0; i < VOX_AHEAD_PAGES; i++) ahead.at[i] = from + i * lines * line;
    return ahead;
}

static void attend_bytes(const attention_job *job, const tile *t) {
    const int block = job->kv->block_positions, dim = job->s->head_dim;
    float q_scale[VOX_WALK_COLUMNS];
    int32_t q_sum[VOX_WALK_COLUMNS];
    vox_walk w = { .q = { (int8_t *)t->spare, (size_t)dim, q_scale, q_sum }, .columns = t->columns, .out = t->out };
    start_walk(job, t, &w);
    if (!job->kv->in_order) add_near(job, t, &w, t->spare + (size_t)t->columns * (size_t)dim);
    int end = 0;
    for (int c = 0; c < t->columns; c++) end = max_int(end, w.to[c]);
    for (int at = 0; at < end; at += block) {
        const vox_byte_block b = vox_kv_bytes_at(job->kv, job->layer, t->head, t->low + at);
        const vox_ahead ahead = at + block < end ? look_ahead(job, t, t->low + at + block) : (vox_ahead){ { 0 }, 0 };
        job->c->kernels->walk_block(&b, &ahead, block, dim, at, &w);
    }
    finish_walk(&w, dim);
}

/* ---- items ----------------------------------------------------------------------------- */

static void attention_item(void *arg, int item, int thread) {
    const attention_job *job = arg;
    const vox_stack_config *s = job->s;
    const int tiles = (job->n + job->tile - 1) / job->tile, group = s->n_heads / s->n_kv_heads;
    const int from = item % tiles * job->tile, count = min_int(job->tile, job->n - from);
    const size_t hd = (size_t)s->head_dim, width = (size_t)s->n_heads * hd, part = (size_t)group * hd;
    tile t = { .head = item / tiles, .from = from, .columns = count * group, .group = group, .width = width };
    t.start = job->tree ? job->first : job->first + from;
    t.low = max_position(t.start - s->window + 1, 0);
    t.high = job->first + from + count - 1;
    t.q = job->q + (size_t)from * width + (size_t)t.head * part;
    t.out = job->c->scratch + (size_t)thread * job->c->scratch_size;
    t.spare = t.out + (size_t)t.columns * hd;
    memset(t.out, 0, (size_t)t.columns * hd * sizeof *t.out);
    if (job->kv->kernels) {
        t.low -= t.low % job->kv->block_positions;
        attend_bytes(job, &t);
    } else {
        attend_floats(job, &t);
    }
    for (int i = 0; i < count; i++)
        memcpy(job->o + (size_t)(from + i) * width + (size_t)t.head * part, t.out + (size_t)i * part, part * sizeof *t.out);
}

void vox_attention(const vox_compute *c, const vox_stack_config *s, const vox_kv *kv, int layer,
                   int64_t first, int n, const vox_tree *tree, const float *q, float *o) {
    attention_job job = { c, s, kv, layer, n, min_int(tile_positions(s), n), first, tree, q, o };
    const int64_t seen = first + n < s->window ? first + n : s->window;
    const int tiles = (n + job.tile - 1) / job.tile;
    vox_run(c, attention_item, &job, s->n_kv_heads * tiles, 2.0 * s->n_heads * s->head_dim * (double)seen * n);
}
