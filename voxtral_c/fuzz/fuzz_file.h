/* fuzz_file.h - the input as a file, for readers that take a path */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"

static char fuzz_path[64];

static void fuzz_file_remove(void) { unlink(fuzz_path); }

/* Write the input to a file that is the same in each call of this process; its path. */
static const char *fuzz_file(const uint8_t *data, size_t size) {
    if (!fuzz_path[0]) {
        const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(fuzz_path, sizeof fuzz_path, "%s/voxtral-fuzz-%ld", folder, (long)getpid());
        atexit(fuzz_file_remove);
    }
    FILE *file = fopen(fuzz_path, "wb");
    FUZZ_CHECK(file != NULL);
    FUZZ_CHECK(fwrite(data, 1, size, file) == size);
    FUZZ_CHECK(fclose(file) == 0);
    return fuzz_path;
}

#endif
