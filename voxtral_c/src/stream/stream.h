/* stream.h - the inside of a stream, for its own files and for tests. */
#ifndef VOX_STREAM_H
#define VOX_STREAM_H

#include "pace.h"
#include "model/prompt.h"
#include "rescue.h"
#include "rut.h"
#include "words.h"

struct vox_stream {
    vox_model *model;
    vox_stream_params params;
    const vox_prompt *prompt; /* delay and prompt of the open utterance */
    const vox_prompt *next;   /* those of the next one */
    char error[256];

    /* The open utterance. */
    int open, finished;
    int64_t utterance;
    vox_utterance state;
    vox_words words;
    vox_rut rut;
    vox_rescue rescue;
    int token;                /* the last one generated */
    int64_t generated;
    int64_t samples_in;       /* fed by the caller */
    int64_t padding;          /* silence still to be heard in a flush; -1 = not flushing */
    float *pending;           /* samples gathered until the encoder is worth running */
    size_t n_pending, pending_at, pending_room;
    double encoder_ms, decoder_ms, prefill_ms;
    vox_drafter drafter;
    vox_pace pace;
    int64_t passes;           /* of the decoder, the prompt's aside */

    /* Tests only. */
    vox_tap tap;
    int whole;                /* always gather a whole interval */
    int fresh;                /* compute the prompt anew in each utterance */
    float blank_bias;         /* added to the blank's logit after 40 blanks: a model that ruts */
    const int *forced;        /* feed these tokens back in place of the generated ones */
    int64_t n_forced;
};

/* Tokens of sound encoded in the open utterance, left padding included. */
static inline int64_t vox_stream_encoded(const vox_stream *s) { return s->state.encoded + s->rescue.dropped; }

/* work.c: hear what is pending and work on it; after an abort or without memory the rest stays
 * pending. And begin the state anew, on the backend that the model has now. */
vox_status vox_stream_work(vox_stream *s);
vox_status vox_stream_renew(vox_stream *s);

/* stream.c: the sentence of a failure, and events to the caller. */
vox_status vox_stream_fail(vox_stream *s, vox_status status, const char *text);
vox_status vox_stream_no_memory(vox_stream *s);
void vox_stream_send(const vox_stream *s, vox_event *event);
/* STATS, WARNING, UTTERANCE_END and END. */
void vox_stream_send_state(const vox_stream *s, vox_event_type type, const char *reason);

#endif
