/* avx512vnni.c - the kernels of avx512.c compiled also for VNNI: four products of bytes in one
 * instruction. */
#define NAME "avx512vnni"
#define TABLE vox_kernels_avx512vnni
#include "avx512.c"
