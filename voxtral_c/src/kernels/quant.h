/* quant.h - activations as products with quantised weights take them. */
#ifndef VOX_QUANT_H
#define VOX_QUANT_H

#include <stddef.h>
#include <stdint.h>

enum { VOX_CHUNK = 256, VOX_GROUP = 32, VOX_GROUPS = VOX_CHUNK / VOX_GROUP };

/* 256 values of one column (fewer at a column's end: then zeros), in groups of 32: x = d * q with
 * d = max |x| / 127 and q rounded to the nearest, ties to even: the same bits on every processor. A
 * group that is not finite gives some q and a useless d; one below 1e-30 counts as zeros. What the sums are for: weights are unsigned in the product, w = scale * (u - offset) - min. */
typedef struct vox_chunk {
    int8_t q[VOX_CHUNK];
    float d[VOX_GROUPS];
    float sum[VOX_GROUPS];                /* d * sum of q */
    int32_t offset_q8[VOX_GROUPS];        /* -128 * sum of q: Q8_0 */
    int32_t offset_q6[2 * VOX_GROUPS];    /* -32 * sum of q over 16: Q6_K */
} vox_chunk;

/* Chunks of a column of k values. */
static inline size_t vox_chunks(int k) { return ((size_t)k + VOX_CHUNK - 1) / VOX_CHUNK; }

#endif
