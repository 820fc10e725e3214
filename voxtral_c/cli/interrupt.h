/* interrupt.h - ending on Ctrl+C, and reads that can be woken up */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stddef.h>

/* Catch SIGINT and SIGTERM: the first one asks for a clean end, the second one exits at once with
 * code 130. A closed pipe shows as an error of write() instead of ending the process.
 * Returns 0, or -1 when the system refuses. */
int interrupt_install(void);

/* 1 after the first SIGINT or SIGTERM. */
int interrupt_requested(void);

/* From now on interrupt_read and interrupt_sleep return at once, in every thread. */
void interrupt_wake(void);

/* read() that ends when the program is to end: bytes read, 0 at the end of the input or when
 * woken, -1 with errno on failure. */
ptrdiff_t interrupt_read(int fd, void *buf, size_t n);

/* Wait; returns 1 when woken before the time was over. */
int interrupt_sleep(int milliseconds);

#endif
