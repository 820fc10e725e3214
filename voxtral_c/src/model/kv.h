/* kv.h - keys and values of the last positions, for all layers of a stack.
 *
 * A ring of blocks of positions. Blocks are allocated when first written, so memory follows use
 * up to the window and then stays. A cache may borrow another's blocks (those of the prompt that
 * every utterance begins with): borrowed blocks are read in place and replaced before a write.
 *
 * Keys are kept rotated. Attention depends on differences of positions alone, so before the rotary
 * positions run out, all keys of the window are turned back together and counting goes on from
 * there: an utterance may last for ever.
 */
#ifndef VOX_KV_H
#define VOX_KV_H

#include "weights/config.h"
#include "kernels/kernels.h"

enum { VOX_MAX_HEAD_DIM = 1024 };

typedef struct vox_kv_block {
    unsigned char *data;      /* [layer][kv head]: float32 keys[position][head_dim], then values
                                 alike; or what a vox_byte_block points to */
    int borrowed;
} vox_kv_block;

typedef struct vox_kv {
    const vox_kernels *kernels;   /* what makes bytes; NULL = float32 */
    int in_order;             /* set where no position is ever a guess, see vox_tree: then all bytes lie in
                                 their final place */
    int n_layers, n_heads, head_dim, window, max_positions;
    double rope_theta;
    int64_t anchor;           /* the position whose rotary position is 0 */
    int block_positions, n_blocks;
    vox_kv_block *blocks;
    unsigned char **pieces;   /* the blocks' own memory, [n_blocks] at most */
} vox_kv;

/* Room for a window of positions while a batch of max_batch is being added. Bytes, if kernels is not
 * NULL, need a head_dim of a multiple of 32 and a block of 32 or 64. No block is longer than VOX_KV_MAX_BLOCK. */
vox_status vox_kv_init(vox_kv *kv, const vox_stack_config *c, int block_positions, int max_batch,
                       const vox_kernels *kernels);
void vox_kv_free(vox_kv *kv);             /* also of one zeroed */

/* Give `kv` (initialised, same shape) the contents of `from`, which must outlive it unchanged. */
void vox_kv_borrow(vox_kv *kv, const vox_kv *from);

/* Forget everything, keep the memory. */
void vox_kv_reset(vox_kv *kv);

/* How many positions from `first` on may be added together: the anchor moves at fixed positions,
 * however the work is cut, and a batch must not reach over one. At least 1. */
int vox_kv_room(const vox_kv *kv, int64_t first);

/* The anchor that holds once `first` is reached: where that differs from the present one, all keys are
 * turned back by the difference. vox_kv_prepare sees to it; so does who keeps the keys elsewhere. */
int64_t vox_kv_anchor(const vox_kv *kv, int64_t first);

/* Make positions first .. first+n-1 writable, n <= max_batch, and move the anchor if it is time.
 * VOX_ERR_MEMORY if that fails, and then nothing is lost. */
vox_status vox_kv_prepare(vox_kv *kv, int64_t first, int n);

/* Write a head of k and v, each [n][heads * head_dim], at prepared positions of a layer. Heads may be
 * written at the same time. */
void vox_kv_write(vox_kv *kv, int layer, int head, int64_t first, int n, const float *k, const float *v);

/* Copy all that is kept of position `from` to `to`, a prepared one. */
void vox_kv_copy(vox_kv *kv, int64_t from, int64_t to);

/* Of bytes: a head's part of a block; and the position's block, whose keys begin that part. */
size_t vox_kv_head_bytes(const vox_kv *kv);
vox_byte_block vox_kv_bytes_at(const vox_kv *kv, int layer, int head, int64_t position);

/* Of float32: the keys (values = 0) or values (1) of a head from `position` on: the pointer to the first and
 * in *run how many follow it contiguously (head_dim floats each), up to the block's end. */
const float *vox_kv_run(const vox_kv *kv, int layer, int values, int head, int64_t position, int *run);

#endif
