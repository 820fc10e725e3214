#define _POSIX_C_SOURCE 200809L
#include "threads.h"

#include <pthread.h>
#include <stdatomic.h>

/* About 20 microseconds for the caller, whose last items are nearly done, and 100 for a worker
 * between two jobs of the same layer: waking takes the system 20 to 50, many times in a step. */
#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
enum { SPIN_CALLER = 500, SPIN_WORKER = 2500 };
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
enum { SPIN_CALLER = 10000, SPIN_WORKER = 50000 };
#else
#define PAUSE() ((void)0)
enum { SPIN_CALLER = 1000, SPIN_WORKER = 5000 };
#endif

/* A job is published by writing fn, arg and items and then `ticket`, whose high half counts jobs
 * and whose low half is the next item. Taking an item is a compare-and-swap of the whole ticket:
 * it fails if meanwhile another job was published, so what was read of the job is then thrown
 * away. A job cannot be replaced before all its items are done, so an item taken is an item of
 * the job that was read. */
struct vox_pool {
    atomic_uintptr_t fn, arg;
    atomic_int items;
    _Atomic uint64_t ticket;
    atomic_int done;              /* finished items of the current job */
    atomic_int caller_sleeps, sleepers, quit;
    pthread_mutex_t lock;
    pthread_cond_t work, finished;
    int threads;                  /* the caller included */
    pthread_t handles[VOX_MAX_THREADS];
    struct worker { vox_pool *pool; int index; } workers[VOX_MAX_THREADS];
};

/* Run items of job number `job` until none is left. */
static void take_items(vox_pool *pool, uint32_t job, int thread) {
    const vox_job_fn fn = (vox_job_fn)atomic_load(&pool->fn);
    void *arg = (void *)atomic_load(&pool->arg);
    const int items = atomic_load(&pool->items);
    for (;;) {
        uint64_t ticket = atomic_load(&pool->ticket);
        if (ticket >> 32 != job || (int)(uint32_t)ticket >= items) return;
        if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) continue;
        fn(arg, (int)(uint32_t)ticket, thread);
        if (atomic_fetch_add(&pool->done, 1) + 1 < items) continue;
        if (thread != 0 && atomic_load(&pool->caller_sleeps)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
        return;
    }
}

/* Wait for a job other than `last`; returns its number. */
static uint32_t next_job(vox_pool *pool, uint32_t last) {
    uint32_t job;
    for (int i = 0; i < SPIN_WORKER; i++) {
        job = (uint32_t)(atomic_load_explicit(&pool->ticket, memory_order_acquire) >> 32);
        if (job != last) return job;
        PAUSE();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while ((job = (uint32_t)(atomic_load(&pool->ticket) >> 32)) == last && !atomic_load(&pool->quit))
        pthread_cond_wait(&pool->work, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *run_worker(void *p) {
    const struct worker *self = p;
    uint32_t job = 0;
    while (!atomic_load(&self->pool->quit)) {
        job = next_job(self->pool, job);
        take_items(self->pool, job, self->index);
    }
    return NULL;
}

static void wait_for_all(vox_pool *pool, int items) {
    for (int i = 0; i < SPIN_CALLER; i++) {
        if (atomic_load_explicit(&pool->done, memory_order_acquire) == items) return;
        PAUSE();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_sleeps, 1);
    while (atomic_load(&pool->done) != items) pthread_cond_wait(&pool->finished, &pool->lock);
    atomic_store(&pool->caller_sleeps, 0);
    pthread_mutex_unlock(&pool->lock);
}

static void wake_workers(vox_pool *pool) {
    if (!atomic_load(&pool->sleepers)) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

void vox_pool_run(vox_pool *pool, vox_job_fn fn, void *arg, int items) {
    if (pool->threads == 1 || items <= 1) {
        for (int i = 0; i < items; i++) fn(arg, i, 0);
        return;
    }
    const uint32_t job = (uint32_t)(atomic_load(&pool->ticket) >> 32) + 1;
    /* No item can be taken between these stores: the old job has none left. */
    atomic_store(&pool->done, 0);
    atomic_store(&pool->fn, (uintptr_t)fn);
    atomic_store(&pool->arg, (uintptr_t)arg);
    /* A worker still looking at the old job must not see room in it: its counter first. */
    atomic_store(&pool->ticket, (uint64_t)(job - 1) << 32 | INT32_MAX);
    atomic_store(&pool->items, items);
    atomic_store(&pool->ticket, (uint64_t)job << 32);
    wake_workers(pool);
    take_items(pool, job, 0);
    wait_for_all(pool, items);
}

vox_pool *vox_pool_new(int threads) {
    vox_pool *pool = vox_alloc_zero(1, sizeof *pool);
    if (!pool) return NULL;
    if (threads < 1) threads = 1;
    if (threads > VOX_MAX_THREADS) threads = VOX_MAX_THREADS;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->finished, NULL);
    for (pool->threads = 1; pool->threads < threads; pool->threads++) {
        struct worker *w = &pool->workers[pool->threads];
        w->pool = pool;
        w->index = pool->threads;
        if (pthread_create(&pool->handles[pool->threads], NULL, run_worker, w) != 0) break;
    }
    return pool;
}

void vox_pool_free(vox_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->quit, 1);
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < pool->threads; i++) pthread_join(pool->handles[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->finished);
    pthread_mutex_destroy(&pool->lock);
    vox_free(pool);
}

int vox_pool_threads(const vox_pool *pool) { return pool->threads; }
