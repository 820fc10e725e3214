/* stack.h - a stack of transformer layers with a sliding window: encoder and decoder alike. */
#ifndef VOX_STACK_H
#define VOX_STACK_H

#include "ops.h"

/* A test's look at intermediate tensors: data[n][width], the next n positions of `name`; `layer`
 * counts from 0 or is -1. Costs nothing while fn is NULL. */
typedef struct vox_tap {
    void (*fn)(void *user, const char *name, int layer, const float *data, int n, int width);
    void *user;
} vox_tap;

static inline void vox_tap_show(const vox_tap *tap, const char *name, int layer, const float *data, int n, int width) {
    if (tap && tap->fn) tap->fn(tap->user, name, layer, data, n, width);
}

/* Working memory for batches of up to max_positions; nothing in it outlives a call. */
typedef struct vox_stack_buffers {
    float *norm, *q, *k, *v, *attended, *gate, *up, *out, *rope;
} vox_stack_buffers;

vox_status vox_stack_buffers_init(vox_stack_buffers *b, const vox_stack_config *c, int max_positions);
void vox_stack_buffers_free(vox_stack_buffers *b);   /* also of ones zeroed */

/* Run positions first .. first+n-1, or the columns of `tree` if that is not NULL, x[n][dim],
 * through all layers in place. Their keys and values
 * go to kv, where vox_kv_prepare has made room. ffn_scale[layer][dim] (or NULL) multiplies the
 * feed-forward input. `name` is what taps call each layer's output. */
void vox_stack_forward(const vox_compute *c, const vox_stack_config *s, const vox_layer_weights *layers,
                       const vox_stack_buffers *b, vox_kv *kv, int64_t first, int n,
                       const vox_tree *tree, float *x, const float *ffn_scale, const vox_tap *tap, const char *name);

#endif
