/* input.c - sound through a queue: what all inputs share */
#include "input.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "exit_codes.h"
#include "interrupt.h"

enum { QUEUE_SECONDS = 30 };

int input_error_set(input_error *error, int exit_code, const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    error->exit_code = exit_code;
    error->code = code;
    return 0;
}

int input_is_piped(input_error *error) {
    if (!isatty(STDIN_FILENO)) return 1;
    return input_error_set(error, EXIT_UNUSABLE, "io", "Standard input is a terminal; sound is "
                           "expected there, from a pipe or a file.");
}

static int post(input *in, mark_type type, int exit_code, const char *code, const char *format,
                va_list args) {
    audio_mark mark;
    memset(&mark, 0, sizeof mark);
    mark.type = type;
    mark.exit_code = exit_code;
    mark.code = code;
    vsnprintf(mark.message, sizeof mark.message, format, args);
    return audio_queue_mark(in->queue, &mark);
}

int input_warn(input *in, const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int open = post(in, MARK_WARNING, 0, code, format, args);
    va_end(args);
    return open;
}

int input_fail(input *in, int exit_code, const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int open = post(in, MARK_ERROR, exit_code, code, format, args);
    va_end(args);
    return open;
}

int input_open(input *in, const options *opt, input_error *error) {
    memset(in, 0, sizeof *in);
    in->fd = -1;
    in->queue = audio_queue_new((size_t)QUEUE_SECONDS * VOX_SAMPLE_RATE);
    if (!in->queue) return input_error_set(error, EXIT_FAILED, "memory", "Memory is out.");
    switch (opt->input) {
    case INPUT_FILE: return input_file_open(in, opt, error);
    case INPUT_STDIN: return input_stdin_open(in, error);
    case INPUT_MICROPHONE: return input_mic_open(in, opt, error);
    default: return input_frames_open(in, error);
    }
}

static void *thread_main(void *user) {
    input *in = user;
    in->run(in);
    audio_mark end;
    memset(&end, 0, sizeof end);
    end.type = MARK_END;
    audio_queue_mark(in->queue, &end);
    return NULL;
}

int input_start(input *in, input_error *error) {
    int failed = pthread_create(&in->thread, NULL, thread_main, in);
    in->started = !failed;
    if (!failed) return 1;
    return input_error_set(error, EXIT_FAILED, "memory", "No thread can be started: %s.",
                           strerror(failed));
}

void input_close(input *in) {
    if (in->queue) audio_queue_close(in->queue);
    interrupt_wake();
    if (in->started) pthread_join(in->thread, NULL);
    if (in->microphone) input_mic_close(in);
    if (in->fd > STDIN_FILENO) close(in->fd);
    audio_queue_free(in->queue);
    memset(in, 0, sizeof *in);
}

double input_seconds(const input *in) {
    if (!in->wav_opened || !in->wav.size_known) return -1;
    return (double)in->wav.frames / in->wav.rate;
}
