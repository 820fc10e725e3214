/* cache.h - quantised copies of models, made once. */
#ifndef VOX_CACHE_H
#define VOX_CACHE_H

#include "base.h"

/* *file: what to load for params->precision, `path` itself or a copy in the cache, which is made
 * if it is not there yet. Freed by the caller. */
vox_status vox_cache_find(const char *path, const vox_model_params *params, char **file, vox_error *err);

#endif
