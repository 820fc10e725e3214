/* dispatch.c - which kernels this processor can run. */
#include <string.h>

#include "kernels.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP2_I8MM           /* older headers */
#define HWCAP2_I8MM (1 << 13)
#endif
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

static int has_i8mm(void) {
    int has = 0;
    size_t size = sizeof has;
    return sysctlbyname("hw.optional.arm.FEAT_I8MM", &has, &size, NULL, 0) == 0 && has;
}
#endif

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>

/* Not every compiler's __builtin_cpu_supports knows these two. */
static int has_avxvnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}

static int has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 29);
}

static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

/* Ask the processor before the tables of other instruction sets are touched. */
static int runs_here(const char *name) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (!strcmp(name, "avx2")) return has_avx2();
    if (!strcmp(name, "avxvnni")) return has_avx2() && has_avxvnni();
    if (!strcmp(name, "avx512")) return has_avx512();
    if (!strcmp(name, "avx512vnni")) return has_avx512() && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__) && defined(__linux__)
    if (!strcmp(name, "neondot")) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
    if (!strcmp(name, "neoni8mm")) return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
    if (!strcmp(name, "neoni8mm")) return has_i8mm();
#endif
    (void)name;
    return 1;
}

const vox_kernels *vox_kernels_at(int i) {
    const vox_kernels *all[] = { vox_kernels_generic(), vox_kernels_neon(), vox_kernels_neondot(),
                                 vox_kernels_neoni8mm(), vox_kernels_avx2(), vox_kernels_avxvnni(),
                                 vox_kernels_avx512(), vox_kernels_avx512vnni() };
    for (size_t j = 0; j < sizeof all / sizeof *all; j++)
        if (all[j] && runs_here(all[j]->name) && i-- == 0) return all[j];
    return NULL;
}

const vox_kernels *vox_kernels_select(const char *name) {
    const vox_kernels *found = NULL, *k;
    for (int i = 0; (k = vox_kernels_at(i)) != NULL; i++)
        if (!name || !strcmp(name, k->name)) found = k;
    return found;
}
