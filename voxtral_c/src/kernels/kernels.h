/* kernels.h - the inner loops, one table of functions per instruction set.
 *
 * Order of summation: every output element is summed in an order that depends on the length of
 * the sum alone, never on how many rows or columns are computed together, nor on alignment. So a
 * column computed alone equals, bit for bit, the same column in a batch. Instruction sets differ
 * in rounding only. Arithmetic is float32; BF16 and F16 weights are widened as they
 * are read. Products of quantised weights are sums of whole numbers, exact, within a chunk of 256
 * (Q8_0: a group of 32), and float32 from one to the next.
 */
#ifndef VOX_KERNELS_H
#define VOX_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "weights/quants.h"
#include "quant.h"

/* Columns of bytes: value i of column c is scale[c] * q[c * ld + i]. */
typedef struct vox_bytes {
    int8_t *q;
    size_t ld;
    float *scale;
    int32_t *sum;             /* of a column's bytes */
} vox_bytes;

/* Keys and values of a head, a byte each with a scale for each position: a quarter of the memory of
 * float32. Number i of position p: keys[i / 4][p][i % 4], with 128 added, and values[p / 4][i][p % 4]. */
typedef struct vox_byte_block {
    uint8_t *keys;
    int8_t *values;
    float *key_scales, *value_scales;
} vox_byte_block;

enum { VOX_KV_MAX_BLOCK = 64, VOX_FIRST_POSITIONS = 128, VOX_WALK_COLUMNS = 32, VOX_WALK_LANES = 16 };

/* Lines of memory to be fetched while a block is worked on: so many from each of four places, in turn (where these lie
 * in pages of their own, the hardware fetches ahead in all of them). */
enum { VOX_AHEAD_PAGES = 4 };
typedef struct vox_ahead {
    const uint8_t *at[VOX_AHEAD_PAGES];
    int lines;
} vox_ahead;

/* Queries that look at keys and values block by block. Scores are powers of 2, and weights are relative to a level
 * that a column's first scores set; it is raised, and what was summed up is scaled down, when far larger ones come. */
typedef struct vox_walk {
    vox_bytes q;              /* the scales contain log2(e) / sqrt(dim) */
    int columns;
    int from[VOX_WALK_COLUMNS], to[VOX_WALK_COLUMNS];     /* the positions that each column sees in blocks */
    float level[VOX_WALK_COLUMNS];                        /* the score whose weight is 1; -INFINITY at first */
    float sums[VOX_WALK_COLUMNS][VOX_WALK_LANES];         /* of weights; a kernel's lanes */
    float *out;               /* [columns][dim]: values times weights */
} vox_walk;

typedef struct vox_kernels {
    const char *name;

    /* y[c * ldy + r] = sum over i < k of w[r * ldw + i] * x[c * ldx + i], for r < rows, c < cols.
     * Strides count elements; rows of w and columns of x are contiguous and may overlap. */
    void (*matmul_bf16)(const uint16_t *w, size_t ldw, int rows, int k,
                        const float *x, size_t ldx, int cols, float *y, size_t ldy);
    void (*matmul_f16)(const uint16_t *w, size_t ldw, int rows, int k,
                       const float *x, size_t ldx, int cols, float *y, size_t ldy);
    void (*matmul_f32)(const float *w, size_t ldw, int rows, int k,
                       const float *x, size_t ldx, int cols, float *y, size_t ldy);

    /* The same for weights in blocks (Q8_0, Q4_K, Q5_K, Q6_K; k is a whole number of blocks), 16 rows
     * interleaved (interleave.h), from a panel's beginning, and columns that `quantize` made: cols
     * chunks for the first 256 values, cols for the next, and so on. */
    void (*matmul_quant)(vox_weight_type type, const void *w, int rows, int k,
                         const vox_chunk *x, int cols, float *y, size_t ldy);
    /* One column: out[i * stride] for i < vox_chunks(k); k is a multiple of 32. */
    void (*quantize)(const float *x, int k, vox_chunk *out, size_t stride);

    /* out[q * ldo + d] += sum over j < keys of p[q * ldp + j] * v[j * ldv + d], for q < queries,
     * d < dim; keys in order, so that a run of keys may be added in pieces. */
    void (*add_weighted)(const float *p, size_t ldp, int queries, const float *v, size_t ldv,
                         int keys, int dim, float *out, size_t ldo);

    /* Attention over a block of 32 or 64 keys and values kept as bytes; dim is a multiple of 32. What a block's
     * keys score with each column: scores[c * ld + position]. */
    void (*score_bytes)(const vox_byte_block *b, int positions, int dim, const vox_bytes *q, int cols, float *scores,
                        size_t ld);
    /* The first scores of column c of w, n <= VOX_FIRST_POSITIONS, a multiple of 16, -INFINITY where it sees
     * nothing: q and *scale become their weights times the scales of values. */
    void (*weigh_first)(vox_walk *w, int c, const float *scores, const float *value_scales, int n, int8_t *q, float *scale);
    /* out[c][dim] += weights times values, which lie as in a block, of a multiple of 32 positions: one exact sum. */
    void (*add_bytes)(const int8_t *values, int positions, int dim, const vox_bytes *weights, int cols, float *out);
    /* The columns of w see the block; `at` is its first position, as those in w count. */
    void (*walk_block)(const vox_byte_block *b, const vox_ahead *ahead, int positions, int dim, int at, vox_walk *w);
    /* x, n a multiple of 32, as bytes from -127 to 127. */
    void (*to_bytes)(const float *x, int n, int8_t *q, float *scale, int32_t *sum);

    /* y = x / sqrt(mean(x^2) + eps) * weight; y may be x. */
    void (*rms_norm)(const float *x, const float *weight, int n, float eps, float *y);
    /* x = exp(x - max(x)) / sum, in place. */
    void (*softmax)(float *x, int n);
    /* sum of exp(x - max) */
    float (*sum_exp)(const float *x, int n, float max);
    /* a = a / (1 + exp(-a)) * b */
    void (*silu_mul)(float *a, const float *b, size_t n);
} vox_kernels;

/* NULL where this build or this processor lacks them. */
const vox_kernels *vox_kernels_generic(void);
const vox_kernels *vox_kernels_avx2(void);
const vox_kernels *vox_kernels_avxvnni(void);
const vox_kernels *vox_kernels_avx512(void);
const vox_kernels *vox_kernels_avx512vnni(void);
const vox_kernels *vox_kernels_neon(void);
const vox_kernels *vox_kernels_neondot(void);
const vox_kernels *vox_kernels_neoni8mm(void);

/* By name, or the best there is for NULL; NULL if unknown or not available here. */
const vox_kernels *vox_kernels_select(const char *name);
/* The i-th set that works here, from the slowest to the fastest; NULL behind the last. */
const vox_kernels *vox_kernels_at(int i);

/* Plain loops that need no variants (kernels/common.c). */

void vox_add(float *y, const float *x, size_t n);
/* y[i] *= x[i] */
void vox_mul(float *y, const float *x, size_t n);
/* Exact GELU: x/2 * (1 + erf(x / sqrt 2)), in place. */
void vox_gelu(float *x, size_t n);
/* How far pair j, j+1 of a head turns from one position to the next, in radians. */
float vox_rope_frequency(double theta, int j, int head_dim);
/* Rotate interleaved pairs of `heads` heads; cs holds head_dim/2 pairs (cos, sin). */
void vox_rope(float *x, int heads, int head_dim, const float *cs);
/* Heads that hold the firsts of all pairs and then the seconds become interleaved; head_dim is
 * at most 1024. */
void vox_interleave_halves(float *x, int heads, int head_dim);
/* Index of the largest value, the lowest one of equals; NaN loses against everything. */
int vox_argmax(const float *x, int n);

#endif
