/* cache.h - copies of models, made once: quantised, and their weights interleaved as kernels read them. */
#ifndef VOX_CACHE_H
#define VOX_CACHE_H

#include "machine/base.h"

/* *file: what to load for params->precision, `path` itself or a copy in the cache, which is made
 * if it is not there yet. Freed by the caller. `note` of `size` bytes: empty, or a sentence on why
 * there is no copy of a quantised file, whose weights then have to be interleaved in memory. */
vox_status vox_cache_find(const char *path, const vox_model_params *params, char **file, char *note, size_t size,
                          vox_error *err);

/* A copy that cannot be read is removed; returns whether `file` was one. */
int vox_cache_drop(const char *file, const vox_model_params *params);

/* Removes copies of models that are gone, damaged ones, and halves that nobody is making; calls `gone`
 * with the path of each. Returns 0 without memory. */
typedef void vox_cache_gone(const char *path);
int vox_cache_tidy(const vox_model_params *params, vox_cache_gone *gone);

/* Where they are kept, freed by the caller; NULL without memory. And: make that folder. */
char *vox_cache_folder(const vox_model_params *params);
vox_status vox_cache_make(const char *folder, vox_error *err);

#endif
