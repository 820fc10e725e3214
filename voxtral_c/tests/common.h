/* common.h - what tests of streams share: the data, sound, and a collector of events. */
#ifndef VOX_TEST_COMMON_H
#define VOX_TEST_COMMON_H

#include <string.h>

#include "../src/text/json.h"
#include "../src/weights/safetensors.h"
#include "../src/stream/stream.h"
#include "check.h"

/* Tests run in the repository's root. */
#define RANDOM_MODEL "tests/data/tiny_random"

enum { MAX_TOKENS = 1 << 16 };

typedef struct collected {
    int ids[MAX_TOKENS];
    float probability[MAX_TOKENS], alternatives[MAX_TOKENS][VOX_MAX_ALTERNATIVES];
    int n;
    char text[MAX_TOKENS * 4];
    int warnings, texts, ends, finished, stats;
    double last_time;
    int monotonic;
    vox_event last_end;
} collected;

static inline void collect(const vox_event *e, void *user) {
    collected *c = user;
    if (e->type == VOX_EVENT_TOKEN && c->n < MAX_TOKENS) {
        c->probability[c->n] = e->probability;
        for (int i = 0; i < e->n_alternatives; i++) c->alternatives[c->n][i] = e->alternatives[i].probability;
        c->ids[c->n++] = e->id;
    }
    if (e->type == VOX_EVENT_TEXT) {
        size_t at = strlen(c->text), n = strlen(e->text);
        if (at + n < sizeof c->text) memcpy(c->text + at, e->text, n + 1);
        if (e->time < c->last_time) c->monotonic = 0;
        c->last_time = e->time;
        c->texts++;
    }
    if (e->type == VOX_EVENT_STATS) c->stats++;
    if (e->type == VOX_EVENT_WARNING) c->warnings++;
    if (e->type == VOX_EVENT_UTTERANCE_END) { c->ends++; c->last_end = *e; }
    if (e->type == VOX_EVENT_END) c->finished++;
}

static inline void collect_reset(collected *c) {
    memset(c, 0, sizeof *c);
    c->monotonic = 1;
}

static inline vox_model *load_model(const char *dir, const char *kernels, int threads, vox_precision precision) {
    char err[256];
    vox_model *m;
    vox_model_params p = vox_model_default_params();
    p.kernels = kernels;
    p.threads = threads;
    p.precision = precision;
    vox_status status = vox_model_load(dir, &p, &m, err, sizeof err);
    REQUIRE(status == VOX_OK, "%s", err);
    return m;
}

/* On any GPU, software too: all their names have this letter. NULL and the reason where there is none. */
static inline vox_model *load_on_gpu(const char *dir, vox_precision precision) {
    char err[256];
    vox_model *m;
    vox_model_params p = vox_model_default_params();
    p.precision = precision;
    p.backend = "gpu:e";
    setenv("VOXTRAL_GPU_DEADLINE", "600", 0);     /* software on a busy machine, under sanitizers, is slow and not lost */
    if (vox_model_load(dir, &p, &m, err, sizeof err) == VOX_OK) return m;
    printf("skipped: %s\n", err);
    return NULL;
}

/* The ways in which shaders can be made and matrices be cut up; the last one is what users have. */
enum { GPU_VARIANTS = 4 };
static inline const char *gpu_variant(int i) {
    static const struct { const char *name, *checks, *subgroups, *binding; } variants[GPU_VARIANTS] = {
        { "checked, no subgroups", "1", "0", "" }, { "checked, small bindings", "1", "1", "262144" },
        { "no subgroups, small bindings", "0", "0", "262144" }, { "as used", "0", "1", "" },
    };
    setenv("VOXTRAL_GPU_CHECKS", variants[i].checks, 1);
    setenv("VOXTRAL_GPU_SUBGROUPS", variants[i].subgroups, 1);
    setenv("VOXTRAL_GPU_BINDING", variants[i].binding, 1);
    return variants[i].name;
}

static inline vox_stream *open_stream(vox_model *m, int delay_ms, double interval, collected *c) {
    char err[256];
    vox_stream *s;
    vox_stream_params p = vox_stream_default_params();
    p.delay_ms = delay_ms;
    p.interval_s = interval;
    p.on_event = collect;
    p.user = c;
    collect_reset(c);
    vox_status status = vox_stream_open(m, &p, &s, err, sizeof err);
    REQUIRE(status == VOX_OK, "%s", err);
    s->whole = 1;             /* nothing depends on the time that work takes */
    return s;
}

/* Feed in pieces and flush. */
static inline void speak(vox_stream *s, const float *samples, size_t n, size_t piece) {
    for (size_t at = 0; at < n; at += piece)
        REQUIRE(vox_stream_feed(s, samples + at, n - at < piece ? n - at : piece) == VOX_OK, "%s", vox_stream_error(s));
    REQUIRE(vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
}

/* Three seconds of speech: the samples the reference values belong to. Freed with vox_free. */
static inline float *reference_samples(vox_tensors *golden, size_t *n) {
    const vox_tensor *t = vox_tensors_find(golden, "samples");
    REQUIRE(t != NULL, "golden.safetensors lacks samples");
    float *samples = vox_alloc((size_t)t->count, sizeof *samples);
    REQUIRE(samples != NULL, "no memory");
    vox_tensor_read(t, 0, t->count, samples);
    *n = (size_t)t->count;
    return samples;
}

static inline void open_golden(vox_tensors *golden) {
    char text[256];
    vox_error err = { text, sizeof text };
    REQUIRE(safetensors_open(golden, RANDOM_MODEL "/golden.safetensors", &err) == VOX_OK, "%s", text);
}

#endif
