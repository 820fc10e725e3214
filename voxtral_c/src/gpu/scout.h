/* scout.h - a GPU is first asked for in a process of its own: a driver may crash or hang, and loading
 * one for nothing costs memory that does not come back. What was found is remembered until the
 * machine is started anew or something about its drivers has changed. */
#ifndef VOX_GPU_SCOUT_H
#define VOX_GPU_SCOUT_H

#include "machine/base.h"

/* Is there a real GPU that passes the self-test? VOX_OK; VOX_ERR_UNSUPPORTED: there is none;
 * VOX_ERR_DEVICE: it fails; `err` says why. *news: that was not known before. `program` is one that
 * answers to "--gpu-scout FOLDER NEED" as vox_gpu_scout does; where it cannot be run the answer is VOX_OK. */
vox_status gpu_scout_ask(const char *program, const char *folder, uint32_t need, int *news, vox_error *err);

/* From now on the GPU `name` is at work: should the process crash, that is remembered. */
void gpu_scout_at_work(const char *folder, const char *name);

/* Did the last one that was at work crash? Asked once: then it only counts as one that fails. */
int gpu_scout_crashed(const char *folder, vox_error *err);

/* Why the GPU is left alone, as long as nothing changes; empty if it is not. */
void gpu_scout_remembered(const char *folder, char *why, size_t size);

#endif
