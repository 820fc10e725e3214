/* files.h - what the files of a model say, in either container. */
#ifndef VOX_FILES_H
#define VOX_FILES_H

#include "text/tokenizer.h"
#include "weights.h"

typedef struct vox_files {
    vox_config config;
    vox_tokenizer tokenizer;
    vox_weights weights;
    vox_precision precision;  /* what the weights are stored in */
    int is_gguf;
    gguf meta;                /* GGUF: the values alone; they lie in the mapping of `weights` */
    const float *filters;     /* of the front end, in the mapping; NULL: the usual ones */
} vox_files;

/* The precision of a model whose matrices are for the most part of this type. */
vox_precision vox_precision_of(vox_weight_type type);
vox_weight_type vox_precision_weights(vox_precision precision);      /* and back; not of AUTO */

/* `precision` is AUTO, BF16 or F32: how the weights shall be held in memory. pool: as in
 * vox_weights_load. */
vox_status vox_files_load(vox_files *f, const char *path, vox_precision precision, vox_pool *pool, vox_error *err);
void vox_files_free(vox_files *f);    /* also of one zeroed */

/* *file: the GGUF file that `path` is, or the only one in the folder `path`; NULL if it is an
 * official folder, or nothing that is known, which loading will explain. Freed by the caller. */
vox_status vox_find_gguf(const char *path, char **file, vox_error *err);

#endif
