/* find.h - which file a model's name means. */
#ifndef VOX_FIND_H
#define VOX_FIND_H

#include "base.h"

/* *file: the GGUF file that `path` is, or the only one in the folder `path`; NULL if it is an
 * official folder, or nothing that is known, which loading will explain. Freed by the caller. */
vox_status vox_find_gguf(const char *path, char **file, vox_error *err);

#endif
