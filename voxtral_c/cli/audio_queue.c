/* audio_queue.c - sound on its way from an input thread to the engine */
#include "audio_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MARKS = 256 };

struct audio_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    float *ring;
    size_t capacity;
    uint64_t pushed, taken;                /* samples, since the start */
    audio_mark marks[MARKS];
    uint64_t mark_at[MARKS];               /* the number of samples pushed before the mark */
    unsigned marks_pushed, marks_taken;
    int closed;
};

audio_queue *audio_queue_new(size_t capacity) {
    audio_queue *q = calloc(1, sizeof *q);
    if (!q) return NULL;
    q->ring = malloc(capacity * sizeof *q->ring);
    q->capacity = capacity;
    if (!q->ring) {
        free(q);
        return NULL;
    }
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    return q;
}

void audio_queue_free(audio_queue *q) {
    if (!q) return;
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q->ring);
    free(q);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

int audio_queue_push(audio_queue *q, const float *samples, size_t n) {
    pthread_mutex_lock(&q->lock);
    while (n > 0 && !q->closed) {
        size_t room = q->capacity - (size_t)(q->pushed - q->taken);
        if (room == 0) {
            pthread_cond_wait(&q->changed, &q->lock);
            continue;
        }
        size_t at = (size_t)(q->pushed % q->capacity);
        size_t piece = smaller(n, smaller(room, q->capacity - at));
        memcpy(q->ring + at, samples, piece * sizeof *samples);
        q->pushed += piece;
        samples += piece;
        n -= piece;
        pthread_cond_broadcast(&q->changed);
    }
    int open = !q->closed;
    pthread_mutex_unlock(&q->lock);
    return open;
}

int audio_queue_mark(audio_queue *q, const audio_mark *mark) {
    pthread_mutex_lock(&q->lock);
    while (!q->closed && q->marks_pushed - q->marks_taken == MARKS)
        pthread_cond_wait(&q->changed, &q->lock);
    if (!q->closed) {
        q->marks[q->marks_pushed % MARKS] = *mark;
        q->mark_at[q->marks_pushed % MARKS] = q->pushed;
        q->marks_pushed++;
        pthread_cond_broadcast(&q->changed);
    }
    int open = !q->closed;
    pthread_mutex_unlock(&q->lock);
    return open;
}

void audio_queue_drop_open(audio_queue *q) {
    pthread_mutex_lock(&q->lock);
    uint64_t keep = q->taken;
    if (q->marks_pushed != q->marks_taken) {
        uint64_t last = q->mark_at[(q->marks_pushed - 1) % MARKS];
        if (last > keep) keep = last;
    }
    q->pushed = keep;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

/* Samples before the next mark; the lock is held. */
static size_t before_mark(const audio_queue *q) {
    uint64_t end = q->pushed;
    if (q->marks_pushed != q->marks_taken) end = q->mark_at[q->marks_taken % MARKS];
    return (size_t)(end - q->taken);
}

size_t audio_queue_take(audio_queue *q, float *samples, size_t most, audio_mark *mark) {
    pthread_mutex_lock(&q->lock);
    while (q->pushed == q->taken && q->marks_pushed == q->marks_taken)
        pthread_cond_wait(&q->changed, &q->lock);
    size_t n = smaller(before_mark(q), most), done = 0;
    while (done < n) {
        size_t at = (size_t)(q->taken % q->capacity);
        size_t piece = smaller(n - done, q->capacity - at);
        memcpy(samples + done, q->ring + at, piece * sizeof *samples);
        q->taken += piece;
        done += piece;
    }
    if (n == 0) *mark = q->marks[q->marks_taken++ % MARKS];
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return n;
}

int audio_queue_wait(audio_queue *q, double seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + (int64_t)(seconds * 1e9);
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int late = 0;
    pthread_mutex_lock(&q->lock);
    while (!late && q->pushed == q->taken && q->marks_pushed == q->marks_taken)
        late = pthread_cond_timedwait(&q->changed, &q->lock, &until) == ETIMEDOUT;
    int something = q->pushed != q->taken || q->marks_pushed != q->marks_taken;
    pthread_mutex_unlock(&q->lock);
    return something;
}

size_t audio_queue_waiting(audio_queue *q) {
    pthread_mutex_lock(&q->lock);
    size_t n = before_mark(q);
    pthread_mutex_unlock(&q->lock);
    return n;
}

void audio_queue_close(audio_queue *q) {
    pthread_mutex_lock(&q->lock);
    q->closed = 1;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}
