/* frames.h - the framed input of PROTOCOL.md: a letter, a length, a payload */
#ifndef CLI_FRAMES_H
#define CLI_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "source.h"

enum { FRAME_MAX_PAYLOAD = 1048576 };

typedef enum frame_status {
    FRAME_OK = 0,
    FRAME_END,                /* the input ended between two frames */
    FRAME_CUT_OFF,            /* it ended within a frame; `frame` holds what there was */
    FRAME_BAD,                /* not a frame: the place in the input is lost */
    FRAME_IO                  /* reading failed */
} frame_status;

typedef struct frame {
    char type;                /* 'A', 'F', 'R', 'C' or 'Q' */
    const unsigned char *payload;      /* lives until the next call */
    size_t length;
} frame;

typedef struct frame_reader {
    byte_source source;
    unsigned char *buffer;    /* owned; FRAME_MAX_PAYLOAD bytes */
    char error[160];          /* one sentence for FRAME_BAD and FRAME_IO */
} frame_reader;

/* Returns 0 without memory, else 1. */
int frames_open(frame_reader *r, byte_source source);
void frames_close(frame_reader *r);
frame_status frames_next(frame_reader *r, frame *f);

/* What a `C` frame asks for. */
typedef struct frame_config {
    int delay_ms;             /* -1 = not asked for */
    double interval;          /* negative = not asked for */
} frame_config;

/* Read a configure payload. Returns 1, or 0 with one sentence in err. Unknown members are passed
 * over. */
int frames_parse_config(const unsigned char *payload, size_t length, frame_config *config,
                        char *err, size_t err_size);

/* Samples from the bytes of an `A` frame: n of them. */
void frames_to_float(const unsigned char *payload, size_t n, float *samples);

#endif
