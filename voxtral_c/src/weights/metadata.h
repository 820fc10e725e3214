/* metadata.h - what a GGUF file says about the model besides its tensors. */
#ifndef VOX_METADATA_H
#define VOX_METADATA_H

#include "files.h"
#include "gguf_write.h"

/* Metadata for a copy of the model at `path` with weights of type `type`. */
vox_status vox_write_metadata(gguf_bytes *b, const vox_files *f, const char *path, vox_precision type, vox_error *err);

#endif
