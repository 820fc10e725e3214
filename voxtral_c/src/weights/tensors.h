/* tensors.h - a memory-mapped file of named tensors, whatever its container. */
#ifndef VOX_TENSORS_H
#define VOX_TENSORS_H

#include "machine/base.h"
#include "quants.h"

enum { VOX_MAX_DIMS = 4 };

typedef struct vox_tensor {
    const char *name;         /* not NUL-terminated, name_len bytes; lives in the mapping */
    size_t name_len;
    vox_weight_type type;     /* VOX_WEIGHT_TYPES: one that this engine does not read */
    int interleaved;          /* of a type in blocks: as in interleave.h, else as in GGUF */
    int n_dims;
    int64_t shape[VOX_MAX_DIMS];   /* the last one runs fastest: [rows, cols] */
    int64_t count;            /* number of elements */
    const uint8_t *data;      /* in the mapping; any alignment */
} vox_tensor;

typedef struct vox_tensors {
    char *path;
    void *map;                /* read-only, map_size bytes */
    size_t map_size;
    vox_tensor *list;
    size_t n;
} vox_tensors;

/* Map a file of at least `least` bytes; its tensors are the container's business. */
vox_status vox_tensors_map(vox_tensors *t, const char *path, size_t least, vox_error *err);
void vox_tensors_close(vox_tensors *t);    /* also of one zeroed or half opened */

const vox_tensor *vox_tensors_find(const vox_tensors *t, const char *name);

/* Elements begin .. begin+n-1 as float32, whole blocks, of an interleaved one whole rows. The type
 * must be a known one. */
void vox_tensor_read(const vox_tensor *t, int64_t begin, int64_t n, float *out);

/* The pages of its bytes from .. to-1, read so far, need not stay in this process. */
void vox_tensor_release(const vox_tensor *t, uint64_t from, uint64_t to);

#endif
