/* attention.c - what the queries of a batch see of the cache.
 *
 * An item of work is a key-value head, the query heads that share it, and a tile of positions: its
 * columns. Keys that only other columns see get weight 0, which adds nothing, not even a rounding,
 * so that a column never depends on the batch it is in.
 */
#include "ops.h"

#include <math.h>
#include <string.h>

enum { QUERY_TILE = 24 };     /* columns of a tile */

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
    float *q, *out;           /* [columns][head_dim] */
    float *scores;            /* [columns][ld], from key `low` on: then weights */
    size_t ld;
    float *spare;
} tile;

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }
static int64_t max_position(int64_t a, int64_t b) { return a > b ? a : b; }

static int tile_positions(const vox_stack_config *c) {
    return max_int(1, QUERY_TILE / (c->n_heads / c->n_kv_heads));
}

/* Bytes of values nearer than this to a query are multiplied as floats: as many as may be guesses,
 * which lie elsewhere than where they will, and the rest of their block. */
enum { NEAR = VOX_MAX_TREE - 1 };

static int most_near(int tile_columns) { return NEAR + VOX_KV_MAX_BLOCK + max_int(tile_columns, VOX_MAX_TREE); }

/* What a tile points to, and its spare: queries and weights as bytes, their scales and sums, near
 * values. */
size_t vox_attention_scratch(const vox_stack_config *c, int max_positions) {
    const int positions = min_int(tile_positions(c), max_positions);
    const size_t columns = (size_t)positions * (size_t)(c->n_heads / c->n_kv_heads), hd = (size_t)c->head_dim;
    const size_t row = (size_t)c->window + (size_t)max_positions + 2 * VOX_KV_MAX_BLOCK;
    return columns * (2 * hd + row + hd + VOX_KV_MAX_BLOCK + 2) + (size_t)most_near(positions) * hd;
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

/* The weights of the keys that the column sees; row[0] is the key at `low`. Those of a tree are
 * brought together for it, as they would lie in a batch of their own, and then put back. */
static void weigh(const attention_job *job, int column, int64_t low, float *row, size_t ld) {
    const vox_tree *tree = job->tree;
    const int64_t position = position_of(job, column), base = job->first - low;
    const int64_t begin = max_position(position - job->s->window + 1, low) - low, end = position + 1 - low;
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

static void weigh_all(const attention_job *job, const tile *t) {
    for (int c = 0; c < t->columns; c++) weigh(job, t->from + c / t->group, t->low, t->scores + (size_t)c * t->ld, t->ld);
}

/* ---- keys and values as float32 -------------------------------------------------------- */

static void attend_floats(const attention_job *job, const tile *t) {
    const vox_kernels *k = job->c->kernels;
    const int dim = job->s->head_dim;
    const size_t hd = (size_t)dim;
    int length;
    for (int64_t p = t->low; p <= t->high; p += length) {
        const float *keys = vox_kv_run(job->kv, job->layer, 0, t->head, p, &length);
        if (length > t->high - p + 1) length = (int)(t->high - p + 1);
        k->matmul_f32(keys, hd, length, dim, t->q, hd, t->columns, t->scores + (p - t->low), t->ld);
    }
    weigh_all(job, t);
    memset(t->out, 0, (size_t)t->columns * hd * sizeof *t->out);
    for (int64_t p = t->low; p <= t->high; p += length) {
        const float *values = vox_kv_run(job->kv, job->layer, 1, t->head, p, &length);
        if (length > t->high - p + 1) length = (int)(t->high - p + 1);
        k->add_weighted(t->scores + (p - t->low), t->ld, t->columns, values, hd, length, dim, t->out, hd);
    }
}

/* ---- keys and values as bytes ---------------------------------------------------------- */

/* The next block comes from memory while this one is worked on. */
static void fetch(const int8_t *p, size_t n) {
    for (size_t i = 0; i < n; i += 64) __builtin_prefetch(p + i);
}

static void score_blocks(const attention_job *job, const tile *t, const vox_bytes *q) {
    const int block = job->kv->block_positions, dim = job->s->head_dim;
    for (int c = 0; c < t->columns; c++)
        job->c->kernels->to_bytes(t->q + (size_t)c * (size_t)dim, NULL, dim, q->q + (size_t)c * q->ld, &q->scale[c], &q->sum[c]);
    for (int64_t p = t->low; p <= t->high; p += block) {
        const vox_kv_bytes b = vox_kv_bytes_at(job->kv, job->layer, t->head, p);
        if (p + block <= t->high)
            fetch(vox_kv_bytes_at(job->kv, job->layer, t->head, p + block).keys, (size_t)block * (size_t)dim);
        job->c->kernels->score_bytes(b.keys, b.key_scales, block, dim, q, t->columns, t->scores + (p - t->low), t->ld);
    }
}

/* Where the near values of a query begin. Blocks before it are complete and hold no guesses. */
static int64_t near_from(const attention_job *job, const tile *t, int64_t position) {
    const int64_t from = position < NEAR ? 0 : position - NEAR;
    return max_position(from - from % job->kv->block_positions, t->low);
}

/* Add the blocks before each column's near values, and take their weights away. */
static void add_blocks(const attention_job *job, const tile *t, const vox_bytes *w) {
    const int block = job->kv->block_positions, dim = job->s->head_dim;
    const int64_t sure = near_from(job, t, t->start);
    int64_t end = sure;
    for (int c = 0; c < t->columns; c += t->group)
        end = max_position(end, near_from(job, t, position_of(job, t->from + c / t->group)));
    for (int64_t p = t->low; p < end; p += block) {
        const vox_kv_bytes b = vox_kv_bytes_at(job->kv, job->layer, t->head, p);
        if (p + block < end)
            fetch(vox_kv_bytes_at(job->kv, job->layer, t->head, p + block).values, (size_t)block * (size_t)dim);
        for (int c = 0; c < t->columns; c++) {
            float *row = t->scores + (size_t)c * t->ld + (p - t->low);
            int8_t *bytes = w->q + (size_t)c * w->ld;
            if (p < sure || p < near_from(job, t, position_of(job, t->from + c / t->group))) {
                job->c->kernels->to_bytes(row, b.value_scales, block, bytes, &w->scale[c], &w->sum[c]);
                memset(row, 0, (size_t)block * sizeof *row);
            } else {
                memset(bytes, 0, (size_t)block);
                w->scale[c] = 0;
                w->sum[c] = 0;
            }
        }
        job->c->kernels->weigh_bytes(b.values, block, dim, w, t->columns, t->out, (size_t)dim);
    }
}

static void attend_bytes(const attention_job *job, const tile *t) {
    const size_t hd = (size_t)job->s->head_dim, columns = (size_t)t->columns;
    const int64_t near = near_from(job, t, t->start);
    float *values = t->spare, *scale = values + (size_t)(t->high - near + 1) * hd;
    int32_t *sum = (int32_t *)(void *)(scale + columns);
    int8_t *bytes = (int8_t *)(sum + columns);
    const vox_bytes q = { bytes, hd, scale, sum }, w = { bytes, (size_t)job->kv->block_positions, scale, sum };
    score_blocks(job, t, &q);
    weigh_all(job, t);
    memset(t->out, 0, columns * hd * sizeof *t->out);
    add_blocks(job, t, &w);
    for (int64_t p = near; p <= t->high; p++)
        vox_kv_value(job->kv, job->layer, t->head, p, values + (size_t)(p - near) * hd);
    job->c->kernels->add_weighted(t->scores + (near - t->low), t->ld, t->columns, values, hd, (int)(t->high - near + 1),
                                  (int)hd, t->out, hd);
}

/* ---- items ----------------------------------------------------------------------------- */

static void attention_item(void *arg, int item, int thread) {
    const attention_job *job = arg;
    const vox_stack_config *s = job->s;
    const int tiles = (job->n + job->tile - 1) / job->tile, group = s->n_heads / s->n_kv_heads;
    const int from = item % tiles * job->tile, count = min_int(job->tile, job->n - from);
    const size_t hd = (size_t)s->head_dim, width = (size_t)s->n_heads * hd, part = (size_t)group * hd;
    const float scale = 1.0f / sqrtf((float)s->head_dim);
    tile t = { .head = item / tiles, .from = from, .columns = count * group, .group = group };
    t.start = job->tree ? job->first : job->first + from;
    t.low = max_position(t.start - s->window + 1, 0);
    t.high = job->first + from + count - 1;
    t.ld = (size_t)(t.high - t.low + 1);
    if (job->kv->kernels) {               /* whole blocks */
        const int block = job->kv->block_positions;
        t.low -= t.low % block;
        t.ld = (size_t)((t.high - t.low) / block + 1) * (size_t)block;
    }
    t.q = job->c->scratch + (size_t)thread * job->c->scratch_size;
    t.out = t.q + (size_t)t.columns * hd;
    t.scores = t.out + (size_t)t.columns * hd;
    t.spare = t.scores + (size_t)t.columns * t.ld;
    for (int i = 0; i < count; i++) {
        const float *src = job->q + (size_t)(from + i) * width + (size_t)t.head * part;
        for (size_t j = 0; j < part; j++) t.q[(size_t)i * part + j] = src[j] * scale;
    }
    if (job->kv->kernels) attend_bytes(job, &t);
    else attend_floats(job, &t);
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
