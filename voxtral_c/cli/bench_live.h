/* bench_live.h - the parts of a benchmark that feed sound as it comes */
#ifndef CLI_BENCH_LIVE_H
#define CLI_BENCH_LIVE_H

#include "../src/stream/stream.h"
#include "replay.h"

enum { INTERVALS = 5 };

extern const double bench_intervals[INTERVALS];

/* How long words waited after the sound that the model heard them by, ms, 0.5 s at most gathered. */
typedef struct bench_wait {
    double mean, p95;
} bench_wait;

typedef struct bench {
    vox_model *model;
    const char *type;
    int replays;
    replay replay;
    double load_ms, bandwidth_gbs, step_gb;
    double encoder_ms, step_ms, prefill_ms, start_ms, end_ms, whole_end_ms, late_rtf;
    double pass_ms[VOX_DRAFT_COLUMNS + 1];    /* by columns */
    double rtf[INTERVALS], steps_per_pass[INTERVALS];
    bench_wait adaptive, fixed;       /* batches as small as can be afforded, or always whole ones */
    double peak_mb;
    int failed;
} bench;

/* Of a vox_ call; says once what went wrong. Returns 0 when something has. */
int bench_check(bench *b, vox_status status, const char *message);

/* A stream whose tokens are the recorded ones; NULL when that failed. */
vox_stream *bench_open(bench *b, double interval, int no_draft, vox_event_fn on_event, void *user);

/* Sound that rises and falls; returns the milliseconds that feeding took. */
double bench_feed(bench *b, vox_stream *s, double seconds);

/* From the smallest on. */
void bench_sort(double *v, int n);

void bench_measure_live(bench *b);        /* rtf, steps_per_pass, encoder_ms */
void bench_measure_late(bench *b);        /* as if ten minutes had been heard: late_rtf */
void bench_measure_waits(bench *b);

/* So many minutes of sound in one utterance, one line for each, as if some had been heard before. */
void bench_soak(bench *b, int minutes, int heard, int json);

#endif
