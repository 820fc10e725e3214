/* dispatch.c - which kernels this processor can run. */
#include <string.h>

#include "kernels.h"

/* Ask the processor before the tables of other instruction sets are touched. */
static int runs_here(const char *name) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (!strcmp(name, "avx2")) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strcmp(name, "avx512"))
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    (void)name;
    return 1;
}

const vox_kernels *vox_kernels_at(int i) {
    const vox_kernels *all[] = { vox_kernels_generic(), vox_kernels_neon(), vox_kernels_avx2(),
                                 vox_kernels_avx512() };
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
