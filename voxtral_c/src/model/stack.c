#include "stack.h"

#include <string.h>

vox_status vox_stack_buffers_init(vox_stack_buffers *b, const vox_stack_config *c, int max_positions) {
    const size_t n = (size_t)max_positions, head = (size_t)c->head_dim;
    memset(b, 0, sizeof *b);
    b->norm = vox_alloc(n * (size_t)c->dim, sizeof(float));
    b->q = vox_alloc(n * (size_t)c->n_heads * head, sizeof(float));
    b->k = vox_alloc(n * (size_t)c->n_kv_heads * head, sizeof(float));
    b->v = vox_alloc(n * (size_t)c->n_kv_heads * head, sizeof(float));
    b->attended = vox_alloc(n * (size_t)c->n_heads * head, sizeof(float));
    b->gate = vox_alloc(n * (size_t)c->hidden_dim, sizeof(float));
    b->up = vox_alloc(n * (size_t)c->hidden_dim, sizeof(float));
    b->out = vox_alloc(n * (size_t)c->dim, sizeof(float));
    b->rope = vox_alloc(n * head, sizeof(float));
    if (b->norm && b->q && b->k && b->v && b->attended && b->gate && b->up && b->out && b->rope) return VOX_OK;
    vox_stack_buffers_free(b);
    return VOX_ERR_MEMORY;
}

void vox_stack_buffers_free(vox_stack_buffers *b) {
    vox_free(b->norm);
    vox_free(b->q);
    vox_free(b->k);
    vox_free(b->v);
    vox_free(b->attended);
    vox_free(b->gate);
    vox_free(b->up);
    vox_free(b->out);
    vox_free(b->rope);
    memset(b, 0, sizeof *b);
}

typedef struct position_job {
    const vox_stack_config *s;
    const vox_stack_buffers *b;
    vox_kv *kv;
    int layer, n;
    int64_t first;
} position_job;

/* Turn one key-value head and the query heads that share it, and write it into the cache. */
static void position_head(void *arg, int item, int thread) {
    const position_job *job = arg;
    const vox_stack_config *s = job->s;
    const int group = s->n_heads / s->n_kv_heads;
    const size_t head = (size_t)s->head_dim;
    (void)thread;
    for (int i = 0; i < job->n; i++) {
        const float *cs = job->b->rope + (size_t)i * head;
        float *q = job->b->q + ((size_t)i * (size_t)s->n_heads + (size_t)(item * group)) * head;
        float *k = job->b->k + ((size_t)i * (size_t)s->n_kv_heads + (size_t)item) * head;
        if (s->split_halves) {
            vox_interleave_halves(q, group, s->head_dim);
            vox_interleave_halves(k, 1, s->head_dim);
        }
        vox_rope(q, group, s->head_dim, cs);
        vox_rope(k, 1, s->head_dim, cs);
    }
    vox_kv_write(job->kv, job->layer, item, job->first, job->n, job->b->k, job->b->v);
}

/* x += wo(attention(norm(x))) */
static void add_attention(const vox_compute *c, const vox_stack_config *s, const vox_layer_weights *w,
                          const vox_stack_buffers *b, vox_kv *kv, int layer, int64_t first, int n,
                          const vox_tree *tree, float *x) {
    const size_t dim = (size_t)s->dim;
    position_job positions = { s, b, kv, layer, n, first };
    const vox_product qkv[] = { { &w->wq, w->bq, b->q }, { &w->wk, NULL, b->k }, { &w->wv, w->bv, b->v } };
    const vox_product out = { &w->wo, w->bo, b->out };
    vox_norm(c, x, w->attention_norm, s->dim, s->norm_eps, n, b->norm);
    vox_matmul(c, qkv, 3, b->norm, dim, n);
    vox_run(c, position_head, &positions, s->n_kv_heads, 4.0 * (s->n_heads + 2 * s->n_kv_heads) * s->head_dim * n);
    vox_attention(c, s, kv, layer, first, n, tree, b->q, b->attended);
    vox_matmul(c, &out, 1, b->attended, (size_t)w->wo.cols, n);
    vox_add(x, b->out, (size_t)n * dim);
}

/* x += w2(silu(w1 y) * w3 y) for y = norm(x) * scale */
static void add_feed_forward(const vox_compute *c, const vox_stack_config *s, const vox_layer_weights *w,
                             const vox_stack_buffers *b, const float *scale, int n, float *x) {
    const size_t dim = (size_t)s->dim;
    const vox_product in[] = { { &w->w1, NULL, b->gate }, { &w->w3, NULL, b->up } };
    const vox_product out = { &w->w2, w->b2, b->out };
    vox_norm(c, x, w->ffn_norm, s->dim, s->norm_eps, n, b->norm);
    for (int i = 0; scale && i < n; i++) vox_mul(b->norm + (size_t)i * dim, scale, dim);
    vox_matmul(c, in, 2, b->norm, dim, n);
    vox_silu(c, b->gate, b->up, s->hidden_dim, n);
    vox_matmul(c, &out, 1, b->gate, (size_t)s->hidden_dim, n);
    vox_add(x, b->out, (size_t)n * dim);
}

void vox_stack_forward(const vox_compute *c, const vox_stack_config *s, const vox_layer_weights *layers,
                       const vox_stack_buffers *b, vox_kv *kv, int64_t first, int n,
                       const vox_tree *tree, float *x, const float *ffn_scale, const vox_tap *tap, const char *name) {
    vox_rope_table(s, first - kv->anchor, n, tree, b->rope);
    for (int i = 0; i < s->n_layers; i++) {
        const float *scale = ffn_scale ? ffn_scale + (size_t)i * (size_t)s->dim : NULL;
        add_attention(c, s, &layers[i], b, kv, i, first, n, tree, x);
        add_feed_forward(c, s, &layers[i], b, scale, n, x);
        vox_tap_show(tap, name, i, x, n, s->dim);
    }
}
