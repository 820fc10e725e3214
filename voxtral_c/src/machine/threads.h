/* threads.h - a pool that runs the items of one job on several threads.
 *
 * Items are taken one by one from a counter, and the caller takes part: a thread that the system
 * has put aside delays only the item it holds. Threads that wake late find nothing left to do and
 * nobody waits for them. Waiting is a short spin, then sleep, so that a busy machine's cores
 * are free for the threads that have work.
 */
#ifndef VOX_THREADS_H
#define VOX_THREADS_H

#include "base.h"

enum { VOX_MAX_THREADS = 64 };

typedef struct vox_pool vox_pool;

/* item: 0..items-1, each once; thread: 0..vox_pool_threads-1, 0 being the caller. */
typedef void (*vox_job_fn)(void *arg, int item, int thread);

/* NULL without memory. Has fewer threads than asked for if the system refuses them. */
vox_pool *vox_pool_new(int threads);
void vox_pool_free(vox_pool *pool);
int vox_pool_threads(const vox_pool *pool);

/* Returns when all items are done. One call at a time, not from within an item. */
void vox_pool_run(vox_pool *pool, vox_job_fn fn, void *arg, int items);

/* Physical cores this process may use: affinity and container limits count. At least 1. */
int vox_physical_cores(void);

/* Bytes of memory that the machine, or the container this runs in, has in all. */
double vox_memory_total(void);

/* Linux: the least limit on this process's group or one above it, which `self` names as /proc/self/cgroup
 * does and whose folders lie in `root`; infinite without one. */
double vox_memory_limit(const char *self, const char *root);

/* Test hook: so much memory there is; 0 = what there really is. */
void vox_memory_pretend(double bytes);

#endif
