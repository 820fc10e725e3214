#include "ops.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* Multiply-adds below which waking another thread costs more than it saves, and the least worth
 * handing out as one item. */
#define INLINE_WORK 400000.0
#define ITEM_WORK 60000.0

enum { ROW_STEP = VOX_PANEL };       /* items are whole panels of rows */

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }

void vox_run(const vox_compute *c, vox_job_fn fn, void *arg, int items, double work) {
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
    int count, n;
    int rows;                 /* of all products, in steps */
    int regions, region;      /* a region of rows for each thread, so many rows */
    int items, big, chunk, small;     /* of a region: `big` ones of so many rows, and behind them smaller ones */
    _Atomic uint64_t left[VOX_MAX_THREADS];       /* of each region: the first item (low half) and the end */
    const float *x;
    size_t ldx;
} product_job;

static void multiply_rows(const product_job *job, const vox_product *p, int from, int rows) {
    const vox_kernels *k = job->c->kernels;
    const vox_weight *w = p->w;
    const size_t cols = (size_t)w->cols, ldy = (size_t)w->rows;
    const void *data = (const char *)w->data + vox_weight_bytes(w, from);
    float *y = p->y + from;
    if (vox_is_quantised(w->type)) k->matmul_quant(w->type, data, rows, w->cols, job->c->chunks, job->n, y, ldy);
    else if (w->type == VOX_WEIGHT_BF16) k->matmul_bf16(data, cols, rows, w->cols, job->x, job->ldx, job->n, y, ldy);
    else if (w->type == VOX_WEIGHT_F16) k->matmul_f16(data, cols, rows, w->cols, job->x, job->ldx, job->n, y, ldy);
    else k->matmul_f32(data, cols, rows, w->cols, job->x, job->ldx, job->n, y, ldy);
    if (p->bias)
        for (int i = 0; i < job->n; i++) vox_add(y + (size_t)i * ldy, p->bias + from, (size_t)rows);
}

static int rounded_up(int rows) { return (rows + ROW_STEP - 1) / ROW_STEP * ROW_STEP; }

/* Where an item of a region begins; rows of all products lie one behind the other. */
static int item_begin(const product_job *job, int region, int item) {
    const int big = min_int(item, job->big), in_region = min_int(big * job->chunk + (item - big) * job->small, job->region);
    return min_int(region * job->region + in_region, job->rows);
}

/* From the front of a region (its thread goes through memory in order, so what it fetches ahead is its own), or the back. */
static int take(product_job *job, int region, int front) {
    uint64_t left = atomic_load(&job->left[region]);
    for (;;) {
        const uint32_t first = (uint32_t)left, end = (uint32_t)(left >> 32);
        if (first == end) return -1;
        const uint64_t then = front ? left + 1 : left - ((uint64_t)1 << 32);
        if (atomic_compare_exchange_weak(&job->left[region], &left, then)) return (int)(front ? first : end - 1);
    }
}

/* There are as many calls as items: each finds one, the thread's own or another's that is left. */
static void product_item(void *arg, int call, int thread) {
    product_job *job = arg;
    int region = thread % job->regions, item = take(job, region, 1);
    (void)call;
    for (int i = 1; item < 0 && i < job->regions; i++) {
        region = (thread + i) % job->regions;
        item = take(job, region, 0);
    }
    if (item < 0) return;
    int begin = item_begin(job, region, item), end = item_begin(job, region, item + 1);
    for (int i = 0; i < job->count && end > 0; i++) {
        const vox_product *p = &job->products[i];
        const int from = max_int(begin, 0), to = min_int(end, p->w->rows), all = rounded_up(p->w->rows);
        if (from < to) multiply_rows(job, p, from, to - from);
        begin -= all;
        end -= all;
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
    job->rows = 0;
    for (int i = 0; i < job->count; i++) job->rows += rounded_up(job->products[i].w->rows);
    const double row_work = (double)job->products[0].w->cols * job->n;
    job->regions = row_work * job->rows < INLINE_WORK ? 1 : vox_pool_threads(c->pool);
    job->region = rounded_up((job->rows + job->regions - 1) / job->regions);
    /* A few items per thread, so that a thread put aside by the system leaves little undone; not
     * too small, so that rows stream from memory. The last quarter in smaller ones, so that no
     * thread waits long for another's last. */
    const int least = (int)(ITEM_WORK / row_work) + 1;
    job->chunk = rounded_up(min_int(max_int(job->region / 8, least), job->region));
    job->small = rounded_up(min_int(max_int(job->chunk / 4, least), job->chunk));
    job->big = job->region * 3 / 4 / job->chunk;
    const int rest = job->region - job->big * job->chunk;
    job->items = job->big + (rest + job->small - 1) / job->small;
    for (int i = 0; i < job->regions; i++) atomic_init(&job->left[i], (uint64_t)job->items << 32);
    vox_run(c, product_item, job, job->items * job->regions, row_work * job->rows);
}

void vox_matmul(const vox_compute *c, const vox_product *products, int count,
                const float *x, size_t ldx, int n) {
    int quantised = 0, batch = n;
    for (int i = 0; i < count; i++) quantised |= vox_is_quantised(products[i].w->type);
    const int k = products[0].w->cols;
    if (quantised) batch = min_int(n, (int)(c->n_chunks / vox_chunks(k)));
    for (int from = 0; from < n; from += batch) {
        vox_product part[VOX_MAX_PRODUCTS];
        product_job job = { .c = c, .products = part, .count = count, .n = min_int(batch, n - from), .x = x + (size_t)from * ldx, .ldx = ldx };
        for (int i = 0; i < count; i++) {
            part[i] = products[i];
            part[i].y += (size_t)from * (size_t)part[i].w->rows;
        }
        if (quantised) vox_run(c, quantise_item, &job, job.n, 4.0 * k * job.n);
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
    vox_run(c, silu_item, &job, n, 20.0 * width * n);
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
