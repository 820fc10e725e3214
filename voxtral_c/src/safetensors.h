/* safetensors.h - a memory-mapped .safetensors file with a validated header.
 *
 * After opening, every tensor lies inside the file and its size fits its shape and type.
 */
#ifndef VOX_SAFETENSORS_H
#define VOX_SAFETENSORS_H

#include "json.h"

typedef enum vox_dtype { VOX_BF16, VOX_F16, VOX_F32, VOX_OTHER } vox_dtype;

enum { VOX_MAX_DIMS = 4 };

typedef struct st_tensor {
    const char *name;         /* not NUL-terminated, name_len bytes; lives in the mapping */
    size_t name_len;
    vox_dtype dtype;
    int n_dims;
    int64_t shape[VOX_MAX_DIMS];
    int64_t count;            /* number of elements */
    const uint8_t *data;      /* in the mapping; any alignment */
} st_tensor;

typedef struct safetensors {
    char *path;
    void *map;                /* read-only, map_size bytes */
    size_t map_size;
    st_tensor *tensors;
    size_t n_tensors;
} safetensors;

vox_status safetensors_open(safetensors *st, const char *path, vox_error *err);
void safetensors_close(safetensors *st);   /* also of one zeroed or half opened */

const st_tensor *safetensors_find(const safetensors *st, const char *name);

/* Elements begin .. begin+n-1 as float32. The type must not be VOX_OTHER. */
void safetensors_read(const st_tensor *t, int64_t begin, int64_t n, float *out);

const char *vox_dtype_name(vox_dtype type);

#endif
