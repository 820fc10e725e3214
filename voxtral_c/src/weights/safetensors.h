/* safetensors.h - the header of a .safetensors file, validated. */
#ifndef VOX_SAFETENSORS_H
#define VOX_SAFETENSORS_H

#include "tensors.h"

/* After opening, every tensor lies inside the file and its size fits its shape and type. */
vox_status safetensors_open(vox_tensors *st, const char *path, vox_error *err);

#endif
