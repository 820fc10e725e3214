/* source.h - where bytes come from: a file descriptor, or memory in tests */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stddef.h>

typedef struct byte_source {
    /* Read up to n bytes: the number read, 0 at the end, -1 with errno on failure. */
    ptrdiff_t (*read)(void *user, void *buf, size_t n);
    void *user;
} byte_source;

/* Read n bytes unless the end comes first; returns how many were read. *failed is set to errno
 * when reading failed, else left alone. */
size_t source_read_full(const byte_source *source, void *buf, size_t n, int *failed);

/* Bytes of a file descriptor; reading ends early when the program is to end. The descriptor must
 * outlive the source. */
byte_source source_from_fd(const int *fd);

typedef struct memory_bytes {
    const unsigned char *data;
    size_t size;
    size_t piece;             /* most bytes given by one read; 0 = no limit */
} memory_bytes;

/* Bytes in memory, for tests; reading moves `bytes` on. */
byte_source source_from_memory(memory_bytes *bytes);

#endif
