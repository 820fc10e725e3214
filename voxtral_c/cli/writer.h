/* writer.h - output that arrives whole, or is known not to */
#ifndef CLI_WRITER_H
#define CLI_WRITER_H

#include <stddef.h>

typedef struct writer {
    int fd;
    int owned;                /* 1 when writer_close closes fd */
    int closed;               /* 1 once the reader at the other end has gone */
    int error;                /* errno of the first other failure */
} writer;

/* Standard output, or the file at `path`: made empty, then appended to. Returns 0 or errno. */
int writer_open(writer *w, const char *path);

/* Hand n bytes to the system, in one write() where it takes them. After a failure nothing more is
 * written. Returns 1, or 0 once writing has failed. */
int writer_put(writer *w, const char *text, size_t n);

/* Returns 0 or the errno of a failure, of closing too. */
int writer_close(writer *w);

#endif
