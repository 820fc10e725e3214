/* convert.h - a model as one GGUF file. */
#ifndef VOX_CONVERT_H
#define VOX_CONVERT_H

#include "machine/base.h"

/* Of a file in the cache: the path of the model that it is a copy of. */
#define VOX_COPY_OF "voxtral.copy_of"

/* As vox_quantize_model. interleave: matrices in blocks have 16 rows interleaved, as only this engine
 * reads them; then the type may be AUTO, which leaves all numbers of a GGUF file as they are. */
vox_status vox_convert(const char *path, const char *out, const vox_quantize_params *params, int interleave,
                       vox_error *err);

#endif
