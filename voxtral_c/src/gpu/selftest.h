/* selftest.h - every kernel against the CPU, on small random data: whether this GPU and its driver
 * compute what they should. */
#ifndef VOX_GPU_SELFTEST_H
#define VOX_GPU_SELFTEST_H

#include "kernels.h"

typedef struct gpu_check {
    char name[64];
    double error;             /* root of the mean square, relative to the reference's */
    double tolerance;
    double ms;
} gpu_check;

static inline int gpu_check_passed(const gpu_check *c) { return c->error <= c->tolerance; }

typedef void (*gpu_check_fn)(void *user, const gpu_check *check);

/* What is wanted of a GPU: a bit for each vox_weight_type of products, one for each of embeddings, and for each
 * kind of cache. A model needs some; each kernel that need not be made saves time at the first start. */
enum { GPU_NEED_EMBEDDINGS = VOX_WEIGHT_TYPES, GPU_NEED_F32_CACHE = 1 << 2 * VOX_WEIGHT_TYPES, GPU_NEED_F16_CACHE = 2 * GPU_NEED_F32_CACHE,
       GPU_NEED_ALL = 2 * GPU_NEED_F16_CACHE - 1 };

/* Shapes and values follow from the seed. Tells `fn` of each check. Returns how many failed, and one more if the
 * GPU gives up (see gpu_ok). */
int gpu_selftest(gpu *g, uint32_t need, uint32_t seed, gpu_check_fn fn, void *user);

#endif
