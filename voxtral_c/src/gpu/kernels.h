/* kernels.h - the shaders as functions: what they take, and how many groups they are started with.
 *
 * Lengths are in floats unless told otherwise. Whatever is bound may be larger than what is used:
 * readers of x go up to a unit of 64 columns beyond a row's end, where they multiply by 0, so behind
 * every x there must be GPU_SLACK bytes of its buffer.
 */
#ifndef VOX_GPU_KERNELS_H
#define VOX_GPU_KERNELS_H

#include "model/scores.h"
#include "weights/weights.h"
#include "device.h"

enum { GPU_SLACK = 256, GPU_MAX_HEAD_DIM = 128, GPU_KEYS = 256, GPU_FEW_COLUMNS = 8, GPU_PART = 2048 };

/* What a dispatch costs, for gpu_worked: its multiply-adds or, with few columns, reading `bytes`, each
 * of which takes a GPU about as long as eight of them. */
static inline double gpu_cost(double multiply_adds, double bytes) { return multiply_adds > 8 * bytes ? multiply_adds : 8 * bytes; }

typedef enum gpu_mode { GPU_STORE, GPU_ADD, GPU_GELU, GPU_SWIGLU } gpu_mode;

/* A matrix, cut into parts that can be bound. Rows come in panels of 16. */
typedef struct gpu_part {
    gpu_buffer buffer;
    int panel0, panels;
} gpu_part;

typedef struct gpu_matrix {
    vox_weight_type type;
    int rows, cols;           /* rows: of all panels */
    size_t panel_bytes;
    gpu_part *parts;
    int n_parts;
    gpu_buffer bias;          /* [rows]; handle NULL = none */
} gpu_matrix;

/* Upload the rows of one matrix above the other (equal types and cols), or (gated) of two, a panel
 * of each in turn. biases[i] may be NULL. Each matrix begins with a panel of its own: see
 * gpu_rows_before. */
void gpu_matrix_make(gpu *g, gpu_matrix *m, const vox_weight *const *weights, const float *const *biases, int count, int gated);
void gpu_matrix_free(gpu *g, gpu_matrix *m);    /* also of one zeroed */
static inline int gpu_padded_rows(int rows) { return (rows + 15) / 16 * 16; }

/* Columns of x lie ldx apart from x0 on, both multiples of 4, as the matrix' cols; those of y ldy. */
void gpu_product(gpu *g, const gpu_matrix *m, gpu_mode mode, const gpu_buffer *x, int x0, int ldx, int n,
                 const gpu_buffer *y, int ldy);

void gpu_norm(gpu *g, const gpu_buffer *x, int x0, int ldx, gpu_bind gain, int dim, float eps, int n,
              const gpu_buffer *y, int ldy);

/* x[column] = row of the embeddings + audio[audio0 + depth]; info: see gpu_column. */
void gpu_embed(gpu *g, const gpu_matrix *m, const gpu_buffer *audio, int audio0, const gpu_buffer *info, int n,
               const gpu_buffer *x, int ldx);

typedef struct gpu_column { uint32_t token, depth, mask, unused; } gpu_column;

/* A layer's cache: keys and values of `slots` positions, a ring. */
typedef struct gpu_cache {
    int half;                 /* float16 */
    int kv_heads, head_dim, slots;
    gpu_bind keys, values;
} gpu_cache;
static inline size_t gpu_cache_bytes(const gpu_cache *c) {
    return (size_t)c->kv_heads * (size_t)c->slots * (size_t)c->head_dim * (c->half ? 2 : 4);
}

/* The heads in qkv: queries from 0, keys from k0, values from v0 of each column. */
typedef struct gpu_heads {
    const gpu_buffer *qkv;
    int ld, k0, v0, heads, split;
} gpu_heads;

/* moves: pairs of slots. turns: [n][head_dim / 2] of cos, sin. */
void gpu_rope(gpu *g, const gpu_cache *c, const gpu_heads *h, int n, const gpu_buffer *turns, int slot0,
              const gpu_buffer *moves, int n_moves);
void gpu_turn(gpu *g, const gpu_cache *c, const gpu_buffer *turns);

typedef struct gpu_view {
    int n;                    /* columns; their keys come after `old` others that may be seen */
    int old, slot0;           /* the oldest one's slot */
    int window;
    const gpu_buffer *info;   /* of a tree's columns; else any */
    int tree;
    gpu_buffer *open;         /* room for gpu_open_floats */
} gpu_view;
size_t gpu_open_floats(int heads, int head_dim, int most_keys, int n);
void gpu_attend(gpu *g, const gpu_cache *c, const gpu_heads *h, const gpu_view *v, const gpu_buffer *o, int ldo);

/* The logits of n columns, ld apart, to scores: see vox_score. room and found: each of gpu_best_bytes. */
typedef struct gpu_scoring {
    int vocab, n_special, n_best;
} gpu_scoring;
size_t gpu_best_bytes(int vocab, int n);
void gpu_best(gpu *g, const gpu_scoring *s, const gpu_buffer *logits, int ld, int n, const gpu_buffer *room, const gpu_buffer *found);
/* Submit, wait and bring what was found. Returns gpu_ok. */
int gpu_best_read(gpu *g, const gpu_scoring *s, const gpu_buffer *found, int n, vox_scores *scores);

#endif
