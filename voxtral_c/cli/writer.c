/* writer.c - output that arrives whole, or is known not to */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int writer_open(writer *w, const char *path) {
    memset(w, 0, sizeof *w);
    w->fd = STDOUT_FILENO;
    if (!path) return 0;
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    w->owned = w->fd >= 0;
    return w->fd >= 0 ? 0 : errno;
}

int writer_put(writer *w, const char *text, size_t n) {
    while (n > 0 && !w->closed && !w->error) {
        ssize_t done = write(w->fd, text, n);
        if (done >= 0) {
            text += done;
            n -= (size_t)done;
        } else if (errno == EAGAIN) {      /* a pipe that someone made non-blocking */
            struct pollfd fd = {.fd = w->fd, .events = POLLOUT};
            poll(&fd, 1, 1000);
        } else if (errno == EPIPE) {
            w->closed = 1;
        } else if (errno != EINTR) {
            w->error = errno;
        }
    }
    return !w->closed && !w->error;
}

int writer_close(writer *w) {
    if (w->owned && close(w->fd) != 0 && !w->error) w->error = errno;
    w->owned = 0;
    return w->error;
}
