/* verdict.h - whether a GPU may be trusted: found out by the self-test once for each adapter, driver,
 * set of shaders and need (see selftest.h), and remembered. What goes wrong is written down for whoever
 * can mend it. */
#ifndef VOX_GPU_VERDICT_H
#define VOX_GPU_VERDICT_H

#include "device.h"

/* VOX_OK if all kernels have passed, now or before; else VOX_ERR_DEVICE. Where those with subgroups are
 * wrong the GPU is opened anew, as the options say but without them. `folder` is made if need be. */
vox_status gpu_verdict(gpu *g, const gpu_options *o, uint32_t need, const char *folder, vox_error *err);

/* Write what failed, and on what, to a file in the folder. Returns its path, freed by the caller;
 * NULL if that cannot be done. */
char *gpu_report(const gpu *g, const char *folder, const char *what);

/* For names of such files: `text` mixed into a hash, which begins as GPU_HASH. */
#define GPU_HASH 0xCBF29CE484222325u
uint64_t gpu_mix(uint64_t h, const char *text);
uint64_t gpu_mix_shaders(uint64_t h);

#endif
