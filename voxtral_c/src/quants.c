#include "quants.h"

static const struct {
    const char *name;
    int weights;
    size_t bytes;
} types[VOX_WEIGHT_TYPES] = {
    [VOX_WEIGHT_F32] = { "f32", 1, 4 },
    [VOX_WEIGHT_BF16] = { "bf16", 1, 2 },
    [VOX_WEIGHT_F16] = { "f16", 1, 2 },
    [VOX_WEIGHT_Q8_0] = { "q8_0", 32, sizeof(vox_q8_0) },
    [VOX_WEIGHT_Q4_K] = { "q4_k", 256, sizeof(vox_q4_k) },
    [VOX_WEIGHT_Q5_K] = { "q5_k", 256, sizeof(vox_q5_k) },
    [VOX_WEIGHT_Q6_K] = { "q6_k", 256, sizeof(vox_q6_k) },
};

int vox_block_weights(vox_weight_type type) { return types[type].weights; }

size_t vox_block_bytes(vox_weight_type type) { return types[type].bytes; }

size_t vox_row_bytes(vox_weight_type type, int cols) {
    return (size_t)cols / (size_t)types[type].weights * types[type].bytes;
}

const char *vox_weight_type_name(vox_weight_type type) { return types[type].name; }
