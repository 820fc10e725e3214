/* neondot.c - the kernels of neon.c compiled also for the dot product of bytes (ARMv8.2 and later,
 * every Apple processor). */
#define NAME "neondot"
#define TABLE vox_kernels_neondot
#include "neon.c"
