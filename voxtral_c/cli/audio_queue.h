/* audio_queue.h - sound on its way from an input thread to the engine
 *
 * One thread pushes samples and marks, another takes them in the same order. The room for samples
 * is bounded: a full queue makes the producer wait, and so in turn whoever feeds it.
 */
#ifndef CLI_AUDIO_QUEUE_H
#define CLI_AUDIO_QUEUE_H

#include <stddef.h>

typedef enum mark_type {
    MARK_FLUSH,               /* the utterance ends here */
    MARK_RESET,               /* forget the utterance */
    MARK_CONFIGURE,           /* delay_ms and interval */
    MARK_WARNING,             /* code and message; work goes on */
    MARK_ERROR,               /* code and message; the end, with exit_code */
    MARK_END                  /* a clean end: nothing more will come */
} mark_type;

typedef struct audio_mark {
    mark_type type;
    int delay_ms;             /* CONFIGURE; -1 = as before */
    double interval;          /* CONFIGURE; negative = as before */
    int exit_code;            /* ERROR */
    const char *code;         /* WARNING and ERROR: a string constant */
    char message[256];        /* WARNING and ERROR: one sentence */
} audio_mark;

typedef struct audio_queue audio_queue;

/* A queue for `capacity` samples of mono float32 at 16 kHz; NULL without memory. */
audio_queue *audio_queue_new(size_t capacity);
void audio_queue_free(audio_queue *q);

/* Wait for room and add. Both return 0 once the taker has closed the queue, else 1. */
int audio_queue_push(audio_queue *q, const float *samples, size_t n);
int audio_queue_mark(audio_queue *q, const audio_mark *mark);

/* Take back the samples after the last mark that the taker has not seen yet. */
void audio_queue_drop_open(audio_queue *q);

/* Wait until there is something; take up to `most` samples, or else the mark that is next.
 * Returns the number of samples; with 0 *mark was filled. */
size_t audio_queue_take(audio_queue *q, float *samples, size_t most, audio_mark *mark);

/* Wait until there is something, or so long. Returns whether there is. */
int audio_queue_wait(audio_queue *q, double seconds);

/* Samples that wait before the next mark: sound of the open utterance. */
size_t audio_queue_waiting(audio_queue *q);

/* The taker has gone: pushes fail from now on. */
void audio_queue_close(audio_queue *q);

#endif
