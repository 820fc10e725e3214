/* avxvnni.c - the kernels of avx2.c compiled also for AVX-VNNI: four products of bytes in one
 * instruction, on processors without AVX-512. */
#define NAME "avxvnni"
#define TABLE vox_kernels_avxvnni
#include "avx2.c"
