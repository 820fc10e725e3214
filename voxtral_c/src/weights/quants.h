/* quants.h - how the numbers of a matrix are stored: plain floats and GGUF's blocks.
 *
 * A row is a whole number of blocks. Layouts are those of the GGUF format (ggml-common.h).
 */
#ifndef VOX_QUANTS_H
#define VOX_QUANTS_H

#include <stddef.h>
#include <stdint.h>

typedef enum vox_weight_type {
    VOX_WEIGHT_F32,
    VOX_WEIGHT_BF16,
    VOX_WEIGHT_F16,
    VOX_WEIGHT_Q8_0,
    VOX_WEIGHT_Q4_K,
    VOX_WEIGHT_Q5_K,
    VOX_WEIGHT_Q6_K,
    VOX_WEIGHT_TYPES
} vox_weight_type;

/* 32 weights: w = d * q */
typedef struct vox_q8_0 {
    uint16_t d;               /* float16, as are all d and dmin */
    int8_t q[32];
} vox_q8_0;

/* 256 weights in 8 groups of 32: w = d * scale[g] * q - dmin * min[g]; scales and mins are 6 bit,
 * packed in 12 bytes. Nibbles: byte 32 i + j of q holds group 2 i (low) and 2 i + 1 (high). */
typedef struct vox_q4_k {
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t q[128];
} vox_q4_k;

/* As Q4_K, with the fifth bit of weight 32 g + j in bit g of qh[j]. */
typedef struct vox_q5_k {
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t q[128];
} vox_q5_k;

/* 256 weights in 16 groups of 16: w = d * scale[g] * (q - 32). Per half of 128: ql[64] the low
 * four bits, qh[32] the high two. */
typedef struct vox_q6_k {
    uint8_t ql[128], qh[64];
    int8_t scales[16];
    uint16_t d;
} vox_q6_k;

_Static_assert(sizeof(vox_q8_0) == 34 && sizeof(vox_q4_k) == 144 && sizeof(vox_q5_k) == 176 &&
               sizeof(vox_q6_k) == 210, "blocks have no padding");

/* Weights in a block (1 for plain floats) and its bytes. */
int vox_block_weights(vox_weight_type type);
size_t vox_block_bytes(vox_weight_type type);
int vox_is_quantised(vox_weight_type type);      /* is stored in blocks */
/* Bytes of a row of `cols` weights, a whole number of blocks. */
size_t vox_row_bytes(vox_weight_type type, int cols);
/* "f32", "bf16", "f16", "q8_0", "q4_k", "q5_k", "q6_k" */
const char *vox_weight_type_name(vox_weight_type type);

/* n weights of a row, n a whole number of blocks. dequantize is exact; quantize rounds to the
 * nearest (k types: scales and minimums by least squares). `row` need not be aligned. */
void vox_dequantize(vox_weight_type type, const void *row, float *out, size_t n);
void vox_quantize(vox_weight_type type, const float *x, void *row, size_t n);
/* One block of Q8_0 or a k type (quantize.c). */
void vox_quantize_block(vox_weight_type type, const float *x, void *block);

/* Exact, and rounded to the nearest, ties to even. */
float vox_f16_to_f32(uint16_t h);
uint16_t vox_f32_to_f16(float f);

#endif
