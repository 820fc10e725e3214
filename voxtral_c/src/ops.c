#include "ops.h"

#include <math.h>
#include <string.h>

/* Multiply-adds below which waking another thread costs more than it saves, and the least worth
 * handing out as one item. */
#define INLINE_WORK 400000.0
#define ITEM_WORK 60000.0

enum {
    ROW_STEP = 32,            /* rows that the widest kernel takes at once */
    QUERY_TILE = 24           /* columns of a tile of attention */
};

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }

static void run(const vox_compute *c, vox_job_fn fn, void *arg, int items, double work) {
    if (work >= INLINE_WORK) {
        vox_pool_run(c->pool, fn, arg, items);
        return;
    }
    for (int i = 0; i < items; i++) fn(arg, i, 0);
}

/* ---- products -------------------------------------------------------------------------- */

typedef struct product_job {
    const vox_compute *c;
    const vox_product *products;
    int count, n, chunk;      /* chunk: rows of an item */
    const float *x;
    size_t ldx;
} product_job;

static int is_quantised(const vox_weight *w) { return vox_block_weights(w->type) > 1; }

static void multiply_rows(const product_job *job, const vox_product *p, int from, int rows) {
    const vox_kernels *k = job->c->kernels;
    const vox_weight *w = p->w;
    const size_t cols = (size_t)w->cols, ldy = (size_t)w->rows;
    const void *data = (const char *)w->data + (size_t)from * vox_row_bytes(w->type, w->cols);
    float *y = p->y + from;
    if (is_quantised(w)) k->matmul_quant(w->type, data, rows, w->cols, job->c->chunks, job->n, y, ldy);
    else if (w->type == VOX_WEIGHT_BF16) k->matmul_bf16(data, cols, rows, w->cols, job->x, job->ldx, job->n, y, ldy);
    else if (w->type == VOX_WEIGHT_F16) k->matmul_f16(data, cols, rows, w->cols, job->x, job->ldx, job->n, y, ldy);
    else k->matmul_f32(data, cols, rows, w->cols, job->x, job->ldx, job->n, y, ldy);
    if (p->bias)
        for (int i = 0; i < job->n; i++) vox_add(y + (size_t)i * ldy, p->bias + from, (size_t)rows);
}

static void product_item(void *arg, int item, int thread) {
    const product_job *job = arg;
    (void)thread;
    for (int i = 0; i < job->count; i++) {
        const vox_product *p = &job->products[i];
        const int chunks = (p->w->rows + job->chunk - 1) / job->chunk;
        if (item < chunks) {
            const int from = item * job->chunk;
            multiply_rows(job, p, from, min_int(job->chunk, p->w->rows - from));
            return;
        }
        item -= chunks;
    }
}

static void quantise_item(void *arg, int item, int thread) {
    const product_job *job = arg;
    (void)thread;
    job->c->kernels->quantize(job->x + (size_t)item * job->ldx, job->products[0].w->cols, job->c->chunks + item,
                              (size_t)job->n);
}

static void multiply(product_job *job) {
    const vox_compute *c = job->c;
    int rows = 0, items = 0;
    for (int i = 0; i < job->count; i++) rows += job->products[i].w->rows;
    const double row_work = (double)job->products[0].w->cols * job->n;
    /* A few items per thread, so that a thread put aside by the system leaves little undone; not
     * too small, so that rows stream from memory. */
    const int even = rows / (vox_pool_threads(c->pool) * 8);
    job->chunk = max_int(even, (int)(ITEM_WORK / row_work) + 1);
    job->chunk = (min_int(job->chunk, rows) + ROW_STEP - 1) / ROW_STEP * ROW_STEP;
    for (int i = 0; i < job->count; i++) items += (job->products[i].w->rows + job->chunk - 1) / job->chunk;
    run(c, product_item, job, items, row_work * rows);
}

void vox_matmul(const vox_compute *c, const vox_product *products, int count,
                const float *x, size_t ldx, int n) {
    int quantised = 0, batch = n;
    for (int i = 0; i < count; i++) quantised |= is_quantised(products[i].w);
    const int k = products[0].w->cols;
    if (quantised) batch = min_int(n, (int)(c->n_chunks / vox_chunks(k)));
    for (int from = 0; from < n; from += batch) {
        vox_product part[VOX_MAX_PRODUCTS];
        product_job job = { c, part, count, min_int(batch, n - from), 0, x + (size_t)from * ldx, ldx };
        for (int i = 0; i < count; i++) {
            part[i] = products[i];
            part[i].y += (size_t)from * (size_t)part[i].w->rows;
        }
        if (quantised) run(c, quantise_item, &job, job.n, 4.0 * k * job.n);
        multiply(&job);
    }
}

/* ---- elementwise ----------------------------------------------------------------------- */

void vox_norm(const vox_compute *c, const float *x, const float *weight, int dim, float eps, int n, float *y) {
    for (int i = 0; i < n; i++)
        c->kernels->rms_norm(x + (size_t)i * (size_t)dim, weight, dim, eps, y + (size_t)i * (size_t)dim);
}

typedef struct silu_job {
    const vox_compute *c;
    float *a;
    const float *b;
    int width;
} silu_job;

static void silu_item(void *arg, int item, int thread) {
    const silu_job *job = arg;
    const size_t at = (size_t)item * (size_t)job->width;
    (void)thread;
    job->c->kernels->silu_mul(job->a + at, job->b + at, (size_t)job->width);
}

void vox_silu(const vox_compute *c, float *a, const float *b, int width, int n) {
    silu_job job = { c, a, b, width };
    run(c, silu_item, &job, n, 20.0 * width * n);
}

void vox_rope_table(const vox_stack_config *s, int64_t first, int n, const vox_tree *tree, float *table) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < s->head_dim; j += 2) {
            /* float32 at each step, as the model was trained: the angle's rounding is part of it. */
            const float f = vox_rope_frequency(s->rope_theta, j, s->head_dim);
            const float angle = (float)(first + (tree ? tree->depth[i] : i)) * f;
            *table++ = (float)cos((double)angle);
            *table++ = (float)sin((double)angle);
        }
}

/* ---- attention ------------------------------------------------------------------------- */

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

static int tile_positions(const vox_stack_config *c) {
    return max_int(1, QUERY_TILE / (c->n_heads / c->n_kv_heads));
}

/* Queries and outputs of a tile, and a row of scores for each. */
size_t vox_attention_scratch(const vox_stack_config *c, int max_positions) {
    const int tile = min_int(tile_positions(c), max_positions);
    const size_t columns = (size_t)tile * (size_t)(c->n_heads / c->n_kv_heads);
    return columns * (2 * (size_t)c->head_dim + (size_t)c->window + (size_t)max_positions);
}

/* scores[column][key - low] for keys low..high, block by block. */
static void score_keys(const attention_job *job, int head, int columns, int64_t low, int64_t high,
                       const float *q, float *scores, size_t ld) {
    const size_t hd = (size_t)job->s->head_dim;
    int length;
    for (int64_t p = low; p <= high; p += length) {
        const float *keys = vox_kv_run(job->kv, job->layer, 0, head, p, &length);
        if (length > high - p + 1) length = (int)(high - p + 1);
        job->c->kernels->matmul_f32(keys, hd, length, (int)hd, q, hd, columns, scores + (p - low), ld);
    }
}

static void add_values(const attention_job *job, int head, int columns, int64_t low, int64_t high,
                       const float *scores, size_t ld, float *out) {
    const size_t hd = (size_t)job->s->head_dim;
    int length;
    memset(out, 0, (size_t)columns * hd * sizeof *out);
    for (int64_t p = low; p <= high; p += length) {
        const float *values = vox_kv_run(job->kv, job->layer, 1, head, p, &length);
        if (length > high - p + 1) length = (int)(high - p + 1);
        job->c->kernels->add_weighted(scores + (p - low), ld, columns, values, hd, length, (int)hd, out, hd);
    }
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
    const int64_t position = job->first + (tree ? tree->depth[column] : column);
    const int64_t begin = (position - job->s->window + 1 > low ? position - job->s->window + 1 : low) - low;
    const int64_t end = position + 1 - low, base = job->first - low;
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

/* One key-value head, the query heads that share it, and a tile of positions. Keys that only
 * other positions of the tile see get weight 0, which adds nothing, not even a rounding. */
static void attention_item(void *arg, int item, int thread) {
    const attention_job *job = arg;
    const vox_stack_config *s = job->s;
    const int tiles = (job->n + job->tile - 1) / job->tile;
    const int head = item / tiles, from = item % tiles * job->tile;
    const int count = min_int(job->tile, job->n - from), group = s->n_heads / s->n_kv_heads;
    const int columns = count * group;
    const size_t hd = (size_t)s->head_dim, width = (size_t)s->n_heads * hd, part = (size_t)group * hd;
    const int64_t start = job->tree ? job->first : job->first + from, high = job->first + from + count - 1;
    const int64_t low = start - s->window + 1 > 0 ? start - s->window + 1 : 0;
    const size_t ld = (size_t)(high - low + 1);
    float *q = job->c->scratch + (size_t)thread * job->c->scratch_size;
    float *out = q + (size_t)columns * hd, *scores = out + (size_t)columns * hd;
    const float scale = 1.0f / sqrtf((float)s->head_dim);

    for (int i = 0; i < count; i++) {
        const float *src = job->q + (size_t)(from + i) * width + (size_t)head * part;
        for (size_t j = 0; j < part; j++) q[(size_t)i * part + j] = src[j] * scale;
    }
    score_keys(job, head, columns, low, high, q, scores, ld);
    for (int col = 0; col < columns; col++) weigh(job, from + col / group, low, scores + (size_t)col * ld, ld);
    add_values(job, head, columns, low, high, scores, ld, out);
    for (int i = 0; i < count; i++)
        memcpy(job->o + (size_t)(from + i) * width + (size_t)head * part, out + (size_t)i * part, part * sizeof *out);
}

void vox_attention(const vox_compute *c, const vox_stack_config *s, const vox_kv *kv, int layer,
                   int64_t first, int n, const vox_tree *tree, const float *q, float *o) {
    attention_job job = { c, s, kv, layer, n, min_int(tile_positions(s), n), first, tree, q, o };
    const int64_t seen = first + n < s->window ? first + n : s->window;
    const int tiles = (n + job.tile - 1) / job.tile;
    run(c, attention_item, &job, s->n_kv_heads * tiles, 2.0 * s->n_heads * s->head_dim * (double)seen * n);
}
