/* test_threads.c - every item runs once, whatever the sizes, and jobs do not mix. */
#define _POSIX_C_SOURCE 200809L
#include <stdatomic.h>
#include <string.h>

#include "../src/threads.h"
#include "check.h"

enum { MAX_ITEMS = 300 };

typedef struct job {
    atomic_int count[MAX_ITEMS];
    int threads;
    atomic_int strangers;
} job;

static void item(void *arg, int i, int thread) {
    job *j = arg;
    atomic_fetch_add(&j->count[i], 1);
    if (thread < 0 || thread >= j->threads) atomic_fetch_add(&j->strangers, 1);
    for (volatile int spin = 0; spin < i % 7 * 50; spin++) { }
}

static void test_pool(int threads) {
    vox_pool *pool = vox_pool_new(threads);
    int wrong = 0, strangers = 0;
    REQUIRE(pool != NULL, "no pool");
    CHECK(vox_pool_threads(pool) == threads, "%d threads", vox_pool_threads(pool));
    for (int round = 0; round < 2000; round++) {
        static job jobs[2];
        job *j = &jobs[round % 2];
        const int items = round % 5 == 0 ? round % MAX_ITEMS : round % 9;
        memset(j, 0, sizeof *j);
        j->threads = threads;
        vox_pool_run(pool, item, j, items);
        for (int i = 0; i < MAX_ITEMS; i++) wrong += atomic_load(&j->count[i]) != (i < items);
        strangers += atomic_load(&j->strangers);
    }
    CHECK(wrong == 0, "%d threads: %d items ran never or twice", threads, wrong);
    CHECK(strangers == 0, "%d threads: %d unknown thread numbers", threads, strangers);
    vox_pool_free(pool);
}

int main(void) {
    test_pool(1);
    test_pool(2);
    test_pool(3);
    test_pool(8);
    CHECK(vox_physical_cores() >= 1 && vox_physical_cores() <= VOX_MAX_THREADS, "%d cores", vox_physical_cores());
    vox_pool *pool = vox_pool_new(0);
    CHECK(pool && vox_pool_threads(pool) == 1, "at least the caller");
    vox_pool_free(pool);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
