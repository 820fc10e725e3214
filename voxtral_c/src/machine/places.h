/* places.h - where this program lies, and files of the Python environment that it belongs to: its
 * wheels carry libraries that are opened at run time. */
#ifndef VOX_PLACES_H
#define VOX_PLACES_H

#include <stddef.h>

/* The path of this program. Returns 0 if it cannot be told or is too long. */
int vox_program_path(char *out, size_t size);

/* The first environment that has `name`, a path below a folder that packages lie in: the one named
 * by VOXTRAL_PACKAGES, those that this program lies in, the one that is active. 0 = none has. */
int vox_find_in_packages(char *out, size_t size, const char *name);

#endif
