/* microphone.h - sound from a microphone
 *
 * The sound system's callback copies into a ring and does nothing else; microphone_read takes it
 * out again on another thread.
 */
#ifndef CLI_MICROPHONE_H
#define CLI_MICROPHONE_H

#include <stddef.h>
#include <stdio.h>

typedef struct microphone microphone;

/* Open the microphone whose name contains `device` (any case), or the default one when it is NULL:
 * at 16 kHz, or at its own rate if it refuses. NULL with one sentence on failure. */
microphone *microphone_open(const char *device, int verbose, char *err, size_t err_size);
int microphone_start(microphone *m, char *err, size_t err_size);
void microphone_close(microphone *m);

/* Mono samples at microphone_rate, at most n; 0 when there are none just now. */
size_t microphone_read(microphone *m, float *samples, size_t n);
int microphone_rate(const microphone *m);
const char *microphone_name(const microphone *m);

/* 0 once the device has gone. */
int microphone_active(microphone *m);

/* How many times sound was lost: by the system, or because nobody read the ring. */
unsigned microphone_overflows(const microphone *m);

/* Write one line per microphone. Returns 1, or 0 with one sentence. */
int microphone_list(FILE *to, int verbose, char *err, size_t err_size);

#endif
