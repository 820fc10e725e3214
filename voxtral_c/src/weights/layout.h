/* layout.h - the tensors that a model is made of: their names in the official file and in GGUF,
 * their shapes, what each is for, and where it goes in vox_weights. */
#ifndef VOX_LAYOUT_H
#define VOX_LAYOUT_H

#include "weights.h"

typedef enum vox_slot_kind {
    VOX_SLOT_VECTOR,          /* norms and biases: [rows] */
    VOX_SLOT_MATRIX,          /* [rows][cols] */
    VOX_SLOT_ATTENTION_OUT,   /* likewise; quantisation spares it */
    VOX_SLOT_EMBEDDING,       /* likewise */
    VOX_SLOT_CONV             /* [rows][cols][3] */
} vox_slot_kind;

typedef struct vox_slot {
    char official[160], gguf[64];
    vox_slot_kind kind;
    int rows, cols;           /* cols 0 for vectors */
    int heads;                /* of queries and keys: the rows belong to so many heads, whose halves
                                 GGUF has apart and the official file interleaved; else 0 */
    void *target;             /* the vox_weight, or the pointer to floats of a vector */
} vox_slot;

/* How a tensor is stored in a file whose matrices are mostly of `type`: what quantisation to 4 and 5
 * bits would hurt most is spared, and rows that are no whole number of blocks get smaller ones. */
vox_weight_type vox_slot_type(const vox_slot *slot, vox_weight_type type);

typedef vox_status (*vox_slot_fn)(void *user, const vox_slot *slot);

/* Call fn for each tensor in the order of our GGUF files, until one fails. `w` (may be NULL) has
 * its layers allocated. */
vox_status vox_layout_each(const vox_config *config, vox_weights *w, vox_slot_fn fn, void *user);

#endif
