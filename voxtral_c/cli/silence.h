/* silence.h - where utterances begin and end in live sound
 *
 * Sound is judged in windows of 10 ms. What follows `tolerance_ms` of silence is kept from the
 * engine until something is heard again; the last moment before that is then given to it too, so
 * that no first sound is cut.
 */
#ifndef CLI_SILENCE_H
#define CLI_SILENCE_H

#include <stddef.h>

enum { SILENCE_WINDOW = 160, SILENCE_PREROLL = 3200 };

typedef struct silence_actions {
    int (*feed)(void *user, const float *samples, size_t n);  /* give this to the engine */
    int (*flush)(void *user);                                 /* the utterance is over */
    int (*pause)(void *user);                                 /* it has been quiet for long */
    void *user;
} silence_actions;

typedef struct silence_gate {
    silence_actions actions;
    int tolerance;                     /* windows of silence that end an utterance */
    int quiet;                         /* windows of silence up to now */
    int open;                          /* 1 within an utterance */
    int paused;                        /* 1 once the pause was told */
    float window[SILENCE_WINDOW];
    size_t window_count;
    float preroll[SILENCE_PREROLL];    /* the last silence that was kept back, oldest first */
    size_t preroll_count;
} silence_gate;

void silence_init(silence_gate *gate, int tolerance_ms, silence_actions actions);

/* Judge n samples. Stops early when an action returns 0 and then returns 0, else 1. */
int silence_feed(silence_gate *gate, const float *samples, size_t n);

/* The end of the sound: give the engine what is left of an open utterance. */
int silence_finish(silence_gate *gate);

#endif
