/* bench_live.c - speed with sound that comes bit by bit */
#include "bench_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "json_write.h"
#include "process.h"

enum { MINUTE = 750, MOST_WORDS = 512, MOST_PIECES = 100 };

#define LIVE_SECONDS 12.0     /* of sound, for each interval */
#define WAIT_SECONDS 10.0     /* of sound, for each way of gathering */
#define PIECE_SECONDS 0.02    /* of sound that comes from a microphone at once */
#define MOST_MS 5000.0        /* after which a measurement ends early */

const double bench_intervals[INTERVALS] = { 0.08, 0.24, 0.5, 1.0, 2.0 };

/* ---- streams --------------------------------------------------------------------------- */

int bench_check(bench *b, vox_status status, const char *message) {
    if (status == VOX_OK || b->failed) return !b->failed;
    fprintf(stderr, "voxtral: %s\n", message && *message ? message : "The benchmark failed.");
    b->failed = 1;
    return 0;
}

vox_stream *bench_open(bench *b, double interval, int no_draft, vox_event_fn on_event, void *user) {
    char err[512] = "";
    vox_stream *s = NULL;
    vox_stream_params p = vox_stream_default_params();
    p.interval_s = interval;
    p.no_draft = no_draft;
    p.no_rut_guard = 1;       /* the sound does not belong to the tokens */
    p.on_event = on_event;
    p.user = user;
    bench_check(b, vox_stream_open(b->model, &p, &s, err, sizeof err), err);
    if (s && b->replays) {
        s->forced = b->replay.ids;
        s->n_forced = b->replay.n;
    }
    return s;
}

/* Sound that rises and falls; returns the milliseconds that feeding took. */
double bench_feed(bench *b, vox_stream *s, double seconds) {
    static float samples[2 * VOX_SAMPLE_RATE];
    static uint32_t state = 1;
    const size_t n = (size_t)(seconds * VOX_SAMPLE_RATE + 0.5);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        samples[i] = 0.2f * (float)(i / 1000 % 3) * ((float)(state >> 8) / (float)(1 << 23) - 1);
    }
    const double start = vox_now_ms();
    bench_check(b, vox_stream_feed(s, samples, n), vox_stream_error(s));
    return vox_now_ms() - start;
}

/* Compute time over audio time when sound comes an interval at a time. */
static double live(bench *b, vox_stream *s, double interval) {
    double ms = 0, seconds = 0;
    while (seconds < LIVE_SECONDS && ms < MOST_MS && !b->failed) {
        ms += bench_feed(b, s, interval);
        seconds += interval;
    }
    return ms / 1000 / seconds;
}

void bench_measure_live(bench *b) {
    for (int i = 0; i < INTERVALS && !b->failed; i++) {
        vox_stream *s = bench_open(b, bench_intervals[i], 0, NULL, NULL);
        if (!s) return;
        b->rtf[i] = live(b, s, bench_intervals[i]);
        b->steps_per_pass[i] = s->passes ? (double)s->generated / (double)s->passes : 1;
        if (bench_intervals[i] == 0.5)
            b->encoder_ms = s->encoder_ms / (double)(s->state.encoded - b->model->tokenizer.n_left_pad + 1);
        vox_stream_close(s);
    }
}

/* As if so many minutes had been heard: both caches hold what they then hold. */
static void pretend(bench *b, vox_stream *s, int minutes) {
    bench_check(b, vox_utterance_pretend(&s->state, minutes * MINUTE), "There is no memory for so many minutes of sound.");
}

void bench_measure_late(bench *b) {
    vox_stream *s = bench_open(b, 1.0, 0, NULL, NULL);
    if (!s) return;
    bench_feed(b, s, 1.0);
    pretend(b, s, 10);
    if (!b->failed) b->late_rtf = live(b, s, 1.0);
    vox_stream_close(s);
}

/* ---- how long words wait --------------------------------------------------------------- */

/* A clock on which sound arrives as if it were live, and only work takes time. */
typedef struct simulation {
    const vox_stream *stream;
    double now, started;      /* seconds: before this work; vox_now_ms() when it began */
    int delay;                /* tokens */
    double waits[MOST_WORDS];
    int n;
} simulation;

static void on_word(const vox_event *event, void *user) {
    simulation *m = user;
    if (event->type != VOX_EVENT_TOKEN || m->stream->token == VOX_STREAMING_PAD || m->n == MOST_WORDS) return;
    const double heard = (double)(m->stream->generated + m->delay) * VOX_TOKEN_SECONDS;
    m->waits[m->n++] = (m->now - heard) * 1000 + vox_now_ms() - m->started;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void bench_sort(double *v, int n) { qsort(v, (size_t)n, sizeof *v, by_size); }

static bench_wait summary(simulation *m) {
    bench_wait w = { 0 };
    if (m->n == 0) return w;
    for (int i = 0; i < m->n; i++) w.mean += m->waits[i] / m->n;
    bench_sort(m->waits, m->n);
    w.p95 = m->waits[(m->n * 95) / 100];
    return w;
}

static bench_wait wait_of(bench *b, int whole) {
    static simulation m;
    memset(&m, 0, sizeof m);
    vox_stream *s = bench_open(b, 0.5, 0, on_word, &m);
    if (!s) return summary(&m);
    m.stream = s;
    m.delay = s->next->delay;
    s->whole = whole;
    for (double fed = 0; fed < WAIT_SECONDS && !b->failed;) {
        int pieces = (int)((m.now - fed) / PIECE_SECONDS);        /* that came during the last work */
        if (pieces < 1) {
            m.now = fed + PIECE_SECONDS;
            pieces = 1;
        }
        if (pieces > MOST_PIECES) pieces = MOST_PIECES;
        fed += pieces * PIECE_SECONDS;
        m.started = vox_now_ms();
        m.now += bench_feed(b, s, pieces * PIECE_SECONDS) / 1000;
    }
    vox_stream_close(s);
    return summary(&m);
}

void bench_measure_waits(bench *b) {
    b->adaptive = wait_of(b, 0);
    b->fixed = wait_of(b, 1);
}

/* ---- many minutes ---------------------------------------------------------------------- */

/* Of all threads: on a machine with other work a better measure than the clock. */
static double processor_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void bench_soak(bench *b, int minutes, int heard, int json) {
    json_line line = { 0 };
    vox_stream *s = bench_open(b, 1.0, 0, NULL, NULL);
    if (!s) return;
    bench_feed(b, s, 1.0);
    pretend(b, s, heard);
    for (int minute = heard + 1; minute <= heard + minutes && !b->failed; minute++) {
        const double decoder = s->decoder_ms, processor = processor_seconds();
        const int64_t steps = s->generated, passes = s->passes;
        double ms = 0;
        for (int second = 0; second < 60; second++) ms += bench_feed(b, s, 1.0);
        const double pass = (s->decoder_ms - decoder) / (double)(s->passes - passes);
        if (!json)
            printf("%4d minutes: %.2f of real time, %.1f s of processors, %.1f ms a pass, %lld steps in all, %.0f MB\n", minute,
                   ms / 60e3, processor_seconds() - processor, pass, (long long)s->generated, process_memory_mb());
        jsonl_begin(&line);
        jsonl_integer(&line, "minute", minute);
        jsonl_number(&line, "live_rtf", ms / 60e3, 4);
        jsonl_number(&line, "processor_s", processor_seconds() - processor, 2);
        jsonl_number(&line, "pass_ms", pass, 2);
        jsonl_number(&line, "steps_per_pass", (double)(s->generated - steps) / (double)(s->passes - passes), 3);
        jsonl_integer(&line, "steps", s->generated);
        jsonl_number(&line, "memory_mb", process_memory_mb(), 1);
        jsonl_end(&line);
        if (json && !line.failed) fwrite(line.text, 1, line.length, stdout);
        fflush(stdout);
    }
    jsonl_free(&line);
    vox_stream_close(s);
}
