/* test_stream.c - the stream's contract: utterances, flush, reset, parameters, odd input, abort. */
#include <math.h>

#include "common.h"

static vox_model *model;
static float *samples;
static size_t n_samples;

static void test_utterances(void) {
    static collected whole, c;
    vox_stream *s = open_stream(model, 0, 0.5, &whole);
    speak(s, samples, n_samples, n_samples);
    CHECK(whole.n == 49, "%d tokens", whole.n);     /* 38 of audio and 11 behind */
    CHECK(whole.ends == 1 && !strcmp(whole.last_end.reason, "flush") && whole.last_end.utterance == 0, "its end");
    CHECK(whole.last_end.decoder_steps == whole.n && fabs(whole.last_end.audio_in - 3) < 1e-9, "its numbers");
    CHECK(whole.last_end.audio_done <= whole.last_end.audio_in && whole.stats > 0 && whole.monotonic, "times");
    vox_stream_close(s);

    s = open_stream(model, 0, 0.5, &c);
    CHECK(vox_stream_flush(s) == VOX_OK && c.n == 0 && c.ends == 1, "nothing said");
    CHECK(vox_stream_feed(s, samples, 0) == VOX_OK && vox_stream_feed(s, NULL, 0) == VOX_OK, "no samples");
    CHECK(vox_stream_feed(s, samples, n_samples / 2) == VOX_OK && c.n > 0, "half");
    CHECK(vox_stream_reset(s) == VOX_OK && !strcmp(c.last_end.reason, "reset") && c.last_end.utterance == 1, "forgotten");
    collect_reset(&c);
    speak(s, samples, n_samples, 777);
    CHECK(c.n == whole.n && !memcmp(c.ids, whole.ids, sizeof(int) * (size_t)c.n), "as if nothing had been before");
    CHECK(vox_stream_feed(s, samples, 100) == VOX_OK && vox_stream_finish(s) == VOX_OK, "finish");
    CHECK(c.n == whole.n + 12 && c.ends == 2 && c.finished == 1, "flushes: %d tokens", c.n - whole.n);
    CHECK(vox_stream_feed(s, samples, 100) == VOX_ERR_STATE && strlen(vox_stream_error(s)) > 10, "and no more");
    CHECK(vox_stream_flush(s) == VOX_ERR_STATE && vox_stream_finish(s) == VOX_ERR_STATE && vox_stream_reset(s) == VOX_ERR_STATE,
          "of anything");
    vox_stream_close(s);
}

static void test_s16(void) {
    static collected a, b;
    int16_t *pcm = vox_alloc(n_samples, sizeof *pcm);
    float *same = vox_alloc(n_samples, sizeof *same);
    REQUIRE(pcm && same, "no memory");
    for (size_t i = 0; i < n_samples; i++) {
        pcm[i] = (int16_t)lrintf(samples[i] * 32767);
        same[i] = (float)pcm[i] / 32768.0f;
    }
    vox_stream *s = open_stream(model, 0, 0.5, &a), *t = open_stream(model, 0, 0.5, &b);
    CHECK(vox_stream_feed_s16(s, pcm, n_samples) == VOX_OK && vox_stream_flush(s) == VOX_OK, "16 bit");
    speak(t, same, n_samples, n_samples);
    CHECK(a.n == b.n && !memcmp(a.probability, b.probability, sizeof(float) * (size_t)a.n), "are the same samples");
    vox_stream_close(s);
    vox_stream_close(t);
    vox_free(pcm);
    vox_free(same);
}

static void test_odd_samples(void) {
    static collected c;
    static const float odd[] = { NAN, INFINITY, -INFINITY, 1e38f, -1e38f, 1e-45f, 0, 5 };
    float *x = vox_alloc(n_samples, sizeof *x);
    REQUIRE(x != NULL, "no memory");
    for (size_t i = 0; i < n_samples; i++) x[i] = odd[i * 7919 % 8];
    vox_stream *s = open_stream(model, 0, 0.5, &c);
    speak(s, x, n_samples, 1000);
    int sane = c.n == 49;
    for (int i = 0; i < c.n; i++) sane &= c.probability[i] > 0 && c.probability[i] <= 1;
    CHECK(sane, "%d tokens", c.n);
    vox_stream_close(s);
    vox_free(x);
}

static void test_parameters(void) {
    static const int bad_delays[] = { -80, 40, 81, 1280, 2000, 2480, 100000 };
    static const double bad_intervals[] = { 0, 0.05, -1, 61, NAN, INFINITY };
    static collected c, d;
    char err[256];
    vox_stream *s;
    vox_stream_params p = vox_stream_default_params();
    for (size_t i = 0; i < sizeof bad_delays / sizeof *bad_delays; i++) {
        p.delay_ms = bad_delays[i];
        CHECK(vox_stream_open(model, &p, &s, err, sizeof err) == VOX_ERR_ARGUMENT && !s && strstr(err, "80"), "%s", err);
    }
    p = vox_stream_default_params();
    for (size_t i = 0; i < sizeof bad_intervals / sizeof *bad_intervals; i++) {
        p.interval_s = bad_intervals[i];
        CHECK(vox_stream_open(model, &p, &s, err, sizeof err) == VOX_ERR_ARGUMENT && strstr(err, "interval"), "%s", err);
    }
    p = vox_stream_default_params();
    p.alternatives = VOX_MAX_ALTERNATIVES + 1;
    CHECK(vox_stream_open(model, &p, &s, err, sizeof err) == VOX_ERR_ARGUMENT, "%s", err);
    CHECK(vox_stream_open(NULL, &p, &s, err, sizeof err) == VOX_ERR_ARGUMENT, "%s", err);

    /* The interval changes at once, also while audio waits; the delay with the next utterance. */
    s = open_stream(model, 0, 2.0, &c);
    CHECK(vox_stream_feed(s, samples, 8000) == VOX_OK && c.n == 0, "waits");
    CHECK(vox_stream_configure(s, 960, 5.0) == VOX_OK && vox_stream_configure(s, 960, 0.08) == VOX_OK, "%s", vox_stream_error(s));
    CHECK(vox_stream_configure(s, 81, 0.5) == VOX_ERR_ARGUMENT && vox_stream_configure(s, 80, 0) == VOX_ERR_ARGUMENT, "bad ones");
    CHECK(vox_stream_feed(s, samples + 8000, n_samples - 8000) == VOX_OK && vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
    vox_stream *t = open_stream(model, 480, 0.5, &d);
    speak(t, samples, n_samples, n_samples);
    CHECK(c.n == d.n && !memcmp(c.ids, d.ids, sizeof(int) * (size_t)c.n), "the open utterance keeps its delay");
    vox_stream_close(t);
    t = open_stream(model, 960, 0.5, &d);
    collect_reset(&c);
    speak(s, samples, n_samples, 100);
    speak(t, samples, n_samples, n_samples);
    CHECK(c.n == d.n && !memcmp(c.ids, d.ids, sizeof(int) * (size_t)c.n), "the next one has the new");
    vox_stream_close(t);
    vox_stream_close(s);
}

static int stop_countdown;

static int stop_sometimes(void *user) {
    (void)user;
    return --stop_countdown == 0;
}

/* Work stopped again and again and taken up by the next call is the same work. */
static void test_abort(void) {
    static collected whole, c;
    vox_stream *s = open_stream(model, 0, 0.5, &whole), *t = open_stream(model, 0, 60, &c);
    int stops = 0;
    speak(s, samples, n_samples, n_samples);
    t->params.abort = stop_sometimes;
    CHECK(vox_stream_feed(t, samples, n_samples) == VOX_OK && c.n == 0, "%s", vox_stream_error(t));
    for (;;) {
        stop_countdown = 5;
        const vox_status status = vox_stream_flush(t);
        if (status == VOX_OK) break;
        REQUIRE(status == VOX_ERR_ABORTED && ++stops < 1000, "%s", vox_stream_error(t));
    }
    CHECK(stops > 5 && c.n == whole.n && !memcmp(c.ids, whole.ids, sizeof(int) * (size_t)c.n), "%d stops, %d tokens", stops, c.n);
    CHECK(vox_stream_feed(t, samples, 100) == VOX_OK, "goes on");
    vox_stream_close(s);
    vox_stream_close(t);
}

static void show_alternatives(const vox_event *e, void *user) {
    int *seen = user;
    if (e->type != VOX_EVENT_TOKEN && e->type != VOX_EVENT_TEXT) return;
    float last = e->probability;
    CHECK(e->n_alternatives == 4, "%d alternatives", e->n_alternatives);
    for (int i = 0; i < e->n_alternatives; i++) {
        if (e->type == VOX_EVENT_TOKEN)
            CHECK(e->alternatives[i].probability <= last && e->alternatives[i].id != e->id, "best first");
        last = e->alternatives[i].probability;
        CHECK(e->alternatives[i].text != NULL, "a text");
    }
    (*seen)++;
}

static void test_alternatives(void) {
    int seen = 0;
    vox_stream *s;
    vox_stream_params p = vox_stream_default_params();
    p.alternatives = 4;
    p.on_event = show_alternatives;
    p.user = &seen;
    REQUIRE(vox_stream_open(model, &p, &s, NULL, 0) == VOX_OK, "no stream");
    speak(s, samples, n_samples, n_samples);
    CHECK(seen >= 49, "%d events", seen);
    vox_stream_close(s);
}

int main(void) {
    vox_tensors golden;
    open_golden(&golden);
    samples = reference_samples(&golden, &n_samples);
    model = load_model(RANDOM_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    vox_model_info info;
    size_t len;
    vox_model_get_info(model, &info);
    CHECK(info.vocab_size == 299 && info.threads == 2 && info.default_delay_ms == 480 && info.parameters > 400000, "info");
    CHECK(!vox_model_token_bytes(model, 33, &len) && len == 0 && !vox_model_token_bytes(model, -1, &len) &&
          !vox_model_token_bytes(model, 1 << 30, &len), "no bytes");
    test_utterances();
    test_s16();
    test_odd_samples();
    test_parameters();
    test_abort();
    test_alternatives();
    vox_model_free(model);
    vox_free(samples);
    vox_tensors_close(&golden);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
