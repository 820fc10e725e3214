/* input_frames.c - frames on standard input, for programs */
#include <string.h>
#include <unistd.h>

#include "exit_codes.h"
#include "frames.h"
#include "input.h"
#include "interrupt.h"

enum { PIECE = 4096 };

static int push_audio(input *in, const frame *f) {
    float samples[PIECE];
    size_t n = f->length / 2;
    for (size_t at = 0; at < n; at += PIECE) {
        size_t piece = n - at < PIECE ? n - at : PIECE;
        frames_to_float(f->payload + 2 * at, piece, samples);
        if (!audio_queue_push(in->queue, samples, piece)) return 0;
    }
    return 1;
}

static int push_mark(input *in, mark_type type) {
    audio_mark mark;
    memset(&mark, 0, sizeof mark);
    mark.type = type;
    return audio_queue_mark(in->queue, &mark);
}

static int push_config(input *in, const frame *f) {
    audio_mark mark;
    frame_config config;
    char why[200] = "";
    if (!frames_parse_config(f->payload, f->length, &config, why, sizeof why))
        return input_warn(in, "bad_config", "%s", why);
    memset(&mark, 0, sizeof mark);
    mark.type = MARK_CONFIGURE;
    mark.delay_ms = config.delay_ms;
    mark.interval = config.interval;
    return audio_queue_mark(in->queue, &mark);
}

/* Returns 0 when nothing more is to be read. */
static int handle(input *in, const frame *f) {
    switch (f->type) {
    case 'A': return push_audio(in, f);
    case 'F': return push_mark(in, MARK_FLUSH);
    case 'C': return push_config(in, f);
    case 'R':
        audio_queue_drop_open(in->queue);         /* nobody will want its words */
        return push_mark(in, MARK_RESET);
    default: return 0;                            /* Q */
    }
}

static void run_frames(input *in) {
    frame_reader reader;
    frame f;
    frame_status status;
    if (!frames_open(&reader, source_from_fd(&in->fd))) {
        input_fail(in, EXIT_FAILED, "memory", "Memory is out.");
        return;
    }
    while ((status = frames_next(&reader, &f)) == FRAME_OK && handle(in, &f)) continue;
    if (status == FRAME_BAD) {
        input_fail(in, EXIT_FAILED, "bad_frame", "%s", reader.error);
    } else if (status == FRAME_IO) {
        input_fail(in, EXIT_FAILED, "io", "%s", reader.error);
    } else if (status == FRAME_CUT_OFF && !interrupt_requested()) {
        if (f.type == 'A') push_audio(in, &f);    /* the writer died; what it sent counts */
        input_warn(in, "truncated", "The input ended within a frame.");
    }
    frames_close(&reader);
}

int input_frames_open(input *in, input_error *error) {
    if (!input_is_piped(error)) return 0;
    in->name = "The input";
    in->fd = STDIN_FILENO;
    in->run = run_frames;
    return 1;
}
