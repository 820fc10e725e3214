/* test_threads.c - every item runs once, whatever the sizes, and jobs do not mix. */
#define _DEFAULT_SOURCE       /* mkdtemp */
#define _DARWIN_C_SOURCE
#include <stdatomic.h>
#include <string.h>

#include "../src/machine/threads.h"
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

#if defined(__linux__)
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/voxtral-groups-XXXXXX";

/* A file in the folder `root`, in folders one within the other. */
static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + sizeof root; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL, "%s cannot be written", path);
    fputs(text, f);
    fclose(f);
}

/* The least limit counts, be it the group's, of one above it or of the container. */
static void test_memory_limit(void) {
    static const char *const made[] = { "self", "memory.max", "user.slice/memory.max", "user.slice/app/memory.max", "memory/docker/x/memory.limit_in_bytes" };
    static const char *const folders[] = { "user.slice/app", "user.slice", "memory/docker/x", "memory/docker", "memory", "" };
    char self[256], path[256];
    REQUIRE(mkdtemp(root) != NULL, "no folder");
    snprintf(self, sizeof self, "%s/self", root);
    put("self", "0::/user.slice/app\n");
    CHECK(vox_memory_limit(self, root) > 1e300, "a limit out of nowhere");
    put("user.slice/app/memory.max", "max\n");
    put("user.slice/memory.max", "3000000000\n");
    CHECK(vox_memory_limit(self, root) == 3e9, "not that of the group above");
    put("user.slice/app/memory.max", "2000000000\n");
    CHECK(vox_memory_limit(self, root) == 2e9, "not the group's");
    put("memory.max", "1000000000\n");
    CHECK(vox_memory_limit(self, root) == 1e9, "not the container's");
    put("self", "11:cpu,cpuacct:/a\n4:memory:/docker/x\n0::/\n");
    put("memory/docker/x/memory.limit_in_bytes", "500000000\n");
    CHECK(vox_memory_limit(self, root) == 5e8, "not the old kind's");
    CHECK(vox_memory_limit("/nowhere", root) == 1e9, "nothing without groups");
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        snprintf(path, sizeof path, "%s/%s", root, made[i]);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        CHECK(rmdir(path) == 0, "%s is left", path);
    }
}
#else
static void test_memory_limit(void) { }
#endif

int main(void) {
    test_memory_limit();
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
