/* fuzz.h - what the fuzz targets share */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* One input; never fails but by crashing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Check what must hold whatever the input was. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
