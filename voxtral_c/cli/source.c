/* source.c - where bytes come from: a file descriptor, or memory in tests */
#include "source.h"

#include <errno.h>
#include <string.h>

#include "interrupt.h"

size_t source_read_full(const byte_source *source, void *buf, size_t n, int *failed) {
    size_t done = 0;
    while (done < n) {
        ptrdiff_t got = source->read(source->user, (char *)buf + done, n - done);
        if (got < 0) *failed = errno;
        if (got <= 0) break;
        done += (size_t)got;
    }
    return done;
}

static ptrdiff_t read_fd(void *user, void *buf, size_t n) {
    return interrupt_read(*(const int *)user, buf, n);
}

byte_source source_from_fd(const int *fd) {
    return (byte_source){read_fd, (void *)fd};
}

static ptrdiff_t read_memory(void *user, void *buf, size_t n) {
    memory_bytes *bytes = user;
    if (n > bytes->size) n = bytes->size;
    if (bytes->piece && n > bytes->piece) n = bytes->piece;
    if (n) memcpy(buf, bytes->data, n);
    bytes->data += n;
    bytes->size -= n;
    return (ptrdiff_t)n;
}

byte_source source_from_memory(memory_bytes *bytes) {
    return (byte_source){read_memory, bytes};
}
