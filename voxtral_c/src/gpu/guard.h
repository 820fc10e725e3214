/* guard.h - calls into a library that may abort the process.
 *
 * wgpu-native panics, which is abort(), where a submit or a wait finds the device lost; other
 * troubles of a driver end so, too. A signal handler may leave abort() by a jump, and that is what is
 * done here. Locks that the library held stay held: it must never be called again.
 */
#ifndef VOX_GPU_GUARD_H
#define VOX_GPU_GUARD_H

#include <stddef.h>

/* Run call(user). Returns 0 if it aborted. Does not nest. */
int gpu_guarded(void (*call)(void *user), void *user);

/* Should the process crash from now on, `text` is written to the file `path` before it ends. NULL: no more. */
void gpu_guard_crash(const char *path, const char *text);

#endif
