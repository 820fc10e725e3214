/* input.h - sound from a file, a pipe, a microphone or frames, through a queue
 *
 *     input_open     checks what can be checked before the model is loaded
 *     input_start    a thread fills the queue from now on
 *     input_close    ends it, wherever it is
 *
 * Every input ends with MARK_END or MARK_ERROR in its queue.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <pthread.h>

#include "audio_queue.h"
#include "options.h"
#include "wav.h"

struct microphone;

enum { INPUT_ERROR_SIZE = 320 };

typedef struct input_error {
    int exit_code;
    const char *code;             /* as in PROTOCOL.md */
    char message[INPUT_ERROR_SIZE];
} input_error;

typedef struct input {
    audio_queue *queue;
    pthread_t thread;
    int started;
    void (*run)(struct input *in);        /* the thread's work */
    int fd;
    int is_pipe;                          /* standard input: raw samples are welcome too */
    const char *name;                     /* of the file, for sentences */
    wav_reader wav;
    int wav_opened;
    struct microphone *microphone;
} input;

/* Returns 1, or 0 with the error. input_close must be called either way. */
int input_open(input *in, const options *opt, input_error *error);
int input_start(input *in, input_error *error);
void input_close(input *in);

/* Seconds of sound where a file's header tells, else -1. */
double input_seconds(const input *in);

/* The kinds: each checks and sets in->run. */
int input_file_open(input *in, const options *opt, input_error *error);
int input_stdin_open(input *in, input_error *error);
int input_frames_open(input *in, input_error *error);
int input_mic_open(input *in, const options *opt, input_error *error);
void input_mic_close(input *in);

/* For the threads: put a message into the queue. Both return 0 when the queue was closed. */
int input_warn(input *in, const char *code, const char *format, ...);
int input_fail(input *in, int exit_code, const char *code, const char *format, ...);

/* 1, or 0 with an error when standard input is a terminal: nobody types sound. */
int input_is_piped(input_error *error);

/* Fill in the error; returns 0. */
int input_error_set(input_error *error, int exit_code, const char *code, const char *format, ...);

#endif
