/* ops.h - operations on float32 arrays, on as many threads as pay: the vocabulary in which the
 * model is written.
 *
 * Arrays of n positions are stored position by position: x[position * width + i].
 */
#ifndef VOX_OPS_H
#define VOX_OPS_H

#include "kernels/kernels.h"
#include "kv.h"
#include "machine/threads.h"
#include "weights/weights.h"

/* What the operations run on. scratch: one block of scratch_size floats for each thread. chunks:
 * room for the quantised columns of one product, at least vox_chunks(k) for the longest. */
typedef struct vox_compute {
    const vox_kernels *kernels;
    vox_pool *pool;
    float *scratch;
    size_t scratch_size;
    vox_chunk *chunks;
    size_t n_chunks;
} vox_compute;

/* A batch whose positions are guesses: each of its columns continues the column parent[i] < i (-1:
 * what the cache holds), and so stands at position first + depth[i]. It sees the columns it
 * descends from and no others, though all their keys lie in the cache, column i's at first + i. */
enum { VOX_MAX_TREE = 16 };

typedef struct vox_tree {
    int parent[VOX_MAX_TREE], depth[VOX_MAX_TREE];
} vox_tree;

/* Floats of scratch that attention needs for this stack and batch size. */
size_t vox_attention_scratch(const vox_stack_config *c, int max_positions);

/* y[n][rows] = W x[n][ldx...] + bias. Consecutive columns of x lie ldx apart and may overlap. */
typedef struct vox_product {
    const vox_weight *w;
    const float *bias;        /* may be NULL */
    float *y;
} vox_product;

enum { VOX_MAX_PRODUCTS = 3 };

/* Do the items on all threads if `work` multiply-adds are worth it. */
void vox_run(const vox_compute *c, vox_job_fn fn, void *arg, int items, double work);

/* Several products of the same x (count <= VOX_MAX_PRODUCTS, equal cols): one job for all. */
void vox_matmul(const vox_compute *c, const vox_product *products, int count,
                const float *x, size_t ldx, int n);

/* y[n][dim]; y may be x */
void vox_norm(const vox_compute *c, const float *x, const float *weight, int dim, float eps, int n, float *y);

/* a = silu(a) * b, both [n][width] */
void vox_silu(const vox_compute *c, float *a, const float *b, int width, int n);

/* Causal attention of n queries at positions first .. first+n-1 (or of a tree's columns, unless
 * that is NULL) over the layer's cache, which already holds their keys and values:
 * o[n][heads * head_dim]. A column of a tree has the bits it would have in a batch of its own. */
void vox_attention(const vox_compute *c, const vox_stack_config *s, const vox_kv *kv, int layer,
                   int64_t first, int n, const vox_tree *tree, const float *q, float *o);

/* table[n][head_dim / 2] of (cos, sin) for positions first .. first+n-1, or a tree's. */
void vox_rope_table(const vox_stack_config *s, int64_t first, int n, const vox_tree *tree, float *table);

#endif
