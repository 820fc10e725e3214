/* cpus.c - how many physical cores and how much memory this process may use. */
#if defined(__linux__)
#define _GNU_SOURCE   /* sched_getaffinity */
#else
#define _DARWIN_C_SOURCE
#endif
#include "threads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>

enum { MAX_PATH = 4096 };

static int read_line(const char *path, char *line, int size) {
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    int ok = fgets(line, size, f) != NULL;
    fclose(f);
    return ok;
}

/* A processor counts if it is the first of its core among those we may use. */
static int is_first_of_core(int cpu, const cpu_set_t *allowed) {
    char path[96], line[64];
    int first = -1, last = -1;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    if (!read_line(path, line, sizeof line)) return 1;
    if (sscanf(line, "%d-%d", &first, &last) != 2 && sscanf(line, "%d,%d", &first, &last) != 2) return 1;
    for (int i = first; i >= 0 && i < cpu && i < CPU_SETSIZE; i++) {
        const int sibling = i == first || strchr(line, '-') || i == last;
        if (sibling && CPU_ISSET(i, allowed)) return 0;
    }
    return 1;
}

/* Whole processors' worth of time that the container may use, or `most`. */
static int container_limit(int most) {
    char line[64];
    long long quota = -1, period = 0;
    if (read_line("/sys/fs/cgroup/cpu.max", line, sizeof line)) {
        if (sscanf(line, "%lld %lld", &quota, &period) != 2) quota = -1;
    } else if (read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line, sizeof line) &&
               sscanf(line, "%lld", &quota) == 1 &&
               read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", line, sizeof line)) {
        if (sscanf(line, "%lld", &period) != 1) quota = -1;
    }
    if (quota <= 0 || period <= 0) return most;
    long long whole = (quota + period - 1) / period;
    return whole < most ? (int)whole : most;
}

int vox_physical_cores(void) {
    cpu_set_t allowed;
    int cores = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        return n < 1 ? 1 : n > VOX_MAX_THREADS ? VOX_MAX_THREADS : (int)n;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && is_first_of_core(cpu, &allowed)) cores++;
    cores = container_limit(cores < VOX_MAX_THREADS ? cores : VOX_MAX_THREADS);
    return cores < 1 ? 1 : cores;
}

/* Of the group `group`, a path within `folder`, and of those above it. */
static double least_limit(const char *folder, char *group, const char *file) {
    double least = INFINITY, limit;
    char path[2 * MAX_PATH], line[64];
    for (;;) {
        snprintf(path, sizeof path, "%s%s/%s", folder, group, file);
        if (read_line(path, line, sizeof line) && sscanf(line, "%lf", &limit) == 1 && limit < least) least = limit;
        char *last = strrchr(group, '/');
        if (!last) return least;
        *last = 0;
    }
}

double vox_memory_limit(const char *self, const char *root) {
    char line[MAX_PATH], old[MAX_PATH], none[] = "", none_old[] = "";
    snprintf(old, sizeof old, "%s/memory", root);
    double least = fmin(least_limit(root, none, "memory.max"), least_limit(old, none_old, "memory.limit_in_bytes"));
    FILE *f = fopen(self, "r");
    while (f && fgets(line, sizeof line, f)) {        /* NUMBER:CONTROLLERS:GROUP, no controllers: version 2 */
        line[strcspn(line, "\n")] = 0;
        char *kind = strchr(line, ':'), *group = kind ? strchr(kind + 1, ':') : NULL;
        if (!group) continue;
        *group++ = 0;
        if (kind[1] == 0) least = fmin(least, least_limit(root, group, "memory.max"));
        else if (strstr(kind, "memory")) least = fmin(least, least_limit(old, group, "memory.limit_in_bytes"));
    }
    if (f) fclose(f);
    return least;
}

static double memory_total(void) {
    const double total = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return fmin(total, vox_memory_limit("/proc/self/cgroup", "/sys/fs/cgroup"));
}

#else

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static double memory_total(void) {
#if defined(__APPLE__)
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    if (sysctlbyname("hw.memsize", &bytes, &size, NULL, 0) == 0) return (double)bytes;
#endif
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}

int vox_physical_cores(void) {
#if defined(__APPLE__)
    /* The fast cores: the efficiency cores would be waited for. */
    static const char *const names[] = { "hw.perflevel0.physicalcpu", "hw.physicalcpu" };
    for (int i = 0; i < 2; i++) {
        int cores = 0;
        size_t size = sizeof cores;
        if (sysctlbyname(names[i], &cores, &size, NULL, 0) == 0 && cores > 0)
            return cores < VOX_MAX_THREADS ? cores : VOX_MAX_THREADS;
    }
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > VOX_MAX_THREADS ? VOX_MAX_THREADS : (int)n;
}

#endif

static double pretended;

void vox_memory_pretend(double bytes) { pretended = bytes; }

double vox_memory_total(void) { return pretended > 0 ? pretended : memory_total(); }
