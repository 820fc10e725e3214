/* test_live.c - the queue between two threads, and the silence gate */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "../../tests/check.h"
#include "../audio_queue.h"
#include "../silence.h"

/* ---- the queue ------------------------------------------------------------------------- */

enum { TOTAL = 200000, EVERY = 1000 };

static void *produce(void *user) {
    audio_queue *q = user;
    float piece[777];
    audio_mark mark = {.type = MARK_FLUSH};
    for (int at = 0; at < TOTAL;) {
        int n = EVERY - at % EVERY < 777 ? EVERY - at % EVERY : 777;
        for (int i = 0; i < n; i++) piece[i] = (float)(at + i);
        if (!audio_queue_push(q, piece, (size_t)n)) return NULL;
        at += n;
        if (at % EVERY == 0 && !audio_queue_mark(q, &mark)) return NULL;
    }
    mark.type = MARK_END;
    audio_queue_mark(q, &mark);
    return NULL;
}

static void test_order(void) {
    audio_queue *q = audio_queue_new(500);            /* smaller than what comes: it must wait */
    pthread_t thread;
    float samples[300];
    audio_mark mark;
    int at = 0, flushes = 0, wrong = 0;
    REQUIRE(q && pthread_create(&thread, NULL, produce, q) == 0, "no thread");
    for (;;) {
        size_t n = audio_queue_take(q, samples, 300, &mark);
        for (size_t i = 0; i < n; i++) wrong += samples[i] != (float)at++;
        if (n > 0) continue;
        if (mark.type == MARK_END) break;
        wrong += at % EVERY != 0;
        flushes++;
    }
    pthread_join(thread, NULL);
    CHECK(at == TOTAL && flushes == TOTAL / EVERY && !wrong, "%d %d %d", at, flushes, wrong);
    audio_queue_free(q);
}

static void test_close_wakes_producer(void) {
    audio_queue *q = audio_queue_new(100);
    pthread_t thread;
    REQUIRE(q && pthread_create(&thread, NULL, produce, q) == 0, "no thread");
    audio_queue_close(q);
    pthread_join(thread, NULL);                       /* hangs where the push does not wake */
    CHECK(audio_queue_push(q, (float[]){0}, 1) == 0, "a closed queue takes nothing");
    audio_queue_free(q);
}

static void test_drop_open(void) {
    audio_queue *q = audio_queue_new(100);
    float samples[100] = {0};
    audio_mark mark = {.type = MARK_FLUSH};
    REQUIRE(q != NULL, "memory");
    audio_queue_push(q, samples, 10);
    audio_queue_mark(q, &mark);
    audio_queue_push(q, samples, 20);
    CHECK(audio_queue_waiting(q) == 10, "%zu", audio_queue_waiting(q));
    audio_queue_drop_open(q);                         /* the 20 go, the 10 before the mark stay */
    mark.type = MARK_RESET;
    audio_queue_mark(q, &mark);
    CHECK(audio_queue_take(q, samples, 100, &mark) == 10, "before the flush");
    CHECK(audio_queue_take(q, samples, 100, &mark) == 0 && mark.type == MARK_FLUSH, "flush");
    CHECK(audio_queue_take(q, samples, 100, &mark) == 0 && mark.type == MARK_RESET, "reset");
    audio_queue_free(q);
}

/* ---- the gate -------------------------------------------------------------------------- */

typedef struct heard {
    size_t samples;
    int flushes, pauses;
    size_t at_flush;
} heard;

static int on_feed(void *user, const float *samples, size_t n) {
    (void)samples;
    ((heard *)user)->samples += n;
    return 1;
}

static int on_flush(void *user) {
    heard *h = user;
    h->flushes++;
    h->at_flush = h->samples;
    return 1;
}

static int on_pause(void *user) {
    ((heard *)user)->pauses++;
    return 1;
}

static void say(silence_gate *gate, int ms, float amplitude) {
    float samples[16];
    for (int i = 0; i < 16; i++) samples[i] = i % 2 ? amplitude : -amplitude;
    for (int i = 0; i < ms; i++) silence_feed(gate, samples, 16);
}

static void test_gate(void) {
    heard h = {0};
    silence_gate gate;
    silence_init(&gate, 300, (silence_actions){on_feed, on_flush, on_pause, &h});
    say(&gate, 5000, 0.0005f);
    CHECK(h.samples == 0 && !h.flushes && !h.pauses, "silence at first is not fed: %zu", h.samples);
    say(&gate, 1000, 0.1f);
    CHECK(h.samples == 16000 + SILENCE_PREROLL, "speech and what was before it: %zu", h.samples);
    say(&gate, 290, 0);
    CHECK(h.flushes == 0, "a gap between words ends nothing");
    say(&gate, 100, 0.1f);
    say(&gate, 300, 0);
    CHECK(h.flushes == 1 && h.at_flush == 16000 + 3200 + 4640 + 1600 + 4800, "%zu", h.at_flush);
    say(&gate, 1000, 0);
    CHECK(h.samples == h.at_flush && !h.pauses, "more silence is not fed");
    say(&gate, 1000, 0);
    CHECK(h.pauses == 1, "a long silence is a pause, once: %d", h.pauses);
    say(&gate, 9000, 0);
    CHECK(h.pauses == 1 && h.flushes == 1, "%d %d", h.pauses, h.flushes);
    size_t before = h.samples;
    say(&gate, 10, 0.1f);
    CHECK(h.samples == before + SILENCE_PREROLL + SILENCE_WINDOW, "%zu", h.samples - before);
    say(&gate, 5, 0.1f);
    silence_finish(&gate);
    CHECK(h.samples == before + SILENCE_PREROLL + SILENCE_WINDOW + 80, "the rest: %zu", h.samples);
}

int main(void) {
    test_order();
    test_close_wakes_producer();
    test_drop_open();
    test_gate();
    return check_summary();
}
