/* interrupt.c - ending on Ctrl+C, and reads that can be woken up
 *
 * A pipe that is written to once and never read makes every poll() on it return for ever after:
 * the one thing a signal handler may do that wakes threads blocked in a read.
 */
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "exit_codes.h"

static int wake_pipe[2] = {-1, -1};
static volatile sig_atomic_t requested;

static void wake(void) {
    char byte = 0;
    ssize_t ignored = write(wake_pipe[1], &byte, 1);   /* full: it was written before */
    (void)ignored;
}

static void on_signal(int sig) {
    (void)sig;
    int saved = errno;
    if (requested) _exit(EXIT_INTERRUPTED);
    requested = 1;
    wake();
    errno = saved;
}

int interrupt_install(void) {
    if (pipe(wake_pipe) != 0) return -1;
    for (int i = 0; i < 2; i++) {
        if (fcntl(wake_pipe[i], F_SETFD, FD_CLOEXEC) < 0) return -1;
        if (fcntl(wake_pipe[i], F_SETFL, O_NONBLOCK) < 0) return -1;
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) return -1;
    action.sa_handler = SIG_IGN;
    return sigaction(SIGPIPE, &action, NULL);
}

int interrupt_requested(void) {
    return requested != 0;
}

void interrupt_wake(void) {
    wake();
}

/* Wait until fd can be read, the program is woken or the time is over (-1: no limit).
 * Returns 1 when fd is ready, 0 when woken or late, -1 on failure. */
static int wait_for(int fd, int milliseconds) {
    struct pollfd fds[2] = {{.fd = wake_pipe[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    for (;;) {
        int n = poll(fds, fd >= 0 ? 2 : 1, milliseconds);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            if (requested) return 0;
            continue;
        }
        if (n < 0) return -1;
        if (n == 0 || fds[0].revents) return 0;
        return 1;
    }
}

ptrdiff_t interrupt_read(int fd, void *buf, size_t n) {
    for (;;) {
        int ready = wait_for(fd, -1);
        if (ready <= 0) return ready;
        ssize_t got = read(fd, buf, n);
        if (got >= 0) return got;
        if (errno != EINTR && errno != EAGAIN) return -1;
    }
}

int interrupt_sleep(int milliseconds) {
    struct pollfd fd = {.fd = wake_pipe[0], .events = POLLIN};
    return poll(&fd, 1, milliseconds) > 0 || requested;
}
