/* neoni8mm.c - the kernels of neon.c compiled also for products of matrices of bytes (ARMv8.6, Apple's
 * processors from the M2 on). */
#if defined(__ARM_FEATURE_MATMUL_INT8)
#define NAME "neoni8mm"
#define TABLE vox_kernels_neoni8mm
#include "neon.c"
#else
#include "kernels.h"

const vox_kernels *vox_kernels_neoni8mm(void) { return NULL; }
#endif
