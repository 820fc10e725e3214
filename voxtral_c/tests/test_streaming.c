/* test_streaming.c - the tokens do not depend on how the work was cut: pieces of audio, interval,
 * threads, prompt kept or computed anew; and they are the reference's for other delays too. */
#include "common.h"

enum { N_PIECES = 5, N_INTERVALS = 5 };
static const size_t pieces[N_PIECES] = { 1, 37, 1280, 9000, 1 << 20 };
static const double intervals[N_INTERVALS] = { 0.08, 0.3, 0.5, 1.0, 5.0 };

static void check_same(const collected *a, const collected *b, const char *what) {
    CHECK(a->n == b->n, "%s: %d tokens instead of %d", what, b->n, a->n);
    CHECK(!memcmp(a->ids, b->ids, sizeof(int) * (size_t)a->n), "%s: other ids", what);
    /* Not only the choices: the very numbers are the same. */
    CHECK(!memcmp(a->probability, b->probability, sizeof(float) * (size_t)a->n), "%s: other probabilities", what);
    CHECK(!strcmp(a->text, b->text), "%s: other text", what);
}

static void test_cuts(const char *kernels, const float *samples, size_t n) {
    static collected base, c;
    char what[96];
    vox_model *m = load_model(RANDOM_MODEL, kernels, 1, VOX_PRECISION_AUTO);
    vox_stream *s = open_stream(m, 480, 1.28, &base);
    s->fresh = 1;
    speak(s, samples, n, n);
    vox_stream_close(s);
    vox_model_free(m);
    for (int threads = 1; threads <= 3; threads++) {
        m = load_model(RANDOM_MODEL, kernels, threads, VOX_PRECISION_AUTO);
        for (int i = 0; i < N_PIECES; i++) {
            const double interval = intervals[(i + threads) % N_INTERVALS];
            s = open_stream(m, 480, interval, &c);
            speak(s, samples, n, pieces[i]);
            snprintf(what, sizeof what, "%s, %d threads, pieces of %zu, interval %g", kernels, threads, pieces[i], interval);
            check_same(&base, &c, what);
            vox_stream_close(s);
        }
        vox_model_free(m);
    }
}

/* All intervals with all pieces, on the fastest kernels. */
static void test_intervals(const float *samples, size_t n) {
    static collected base, c;
    vox_model *m = load_model(RANDOM_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    vox_stream *s = open_stream(m, 480, 0.5, &base);
    speak(s, samples, n, n);
    for (int i = 0; i < N_PIECES; i++)
        for (int j = 0; j < N_INTERVALS; j++) {
            vox_stream *t = open_stream(m, 480, intervals[j], &c);
            t->whole = j % 2;
            speak(t, samples, n, pieces[i]);
            check_same(&base, &c, "interval");
            vox_stream_close(t);
        }
    vox_stream_close(s);
    vox_model_free(m);
}

/* With time to spare nothing waits for the interval to be full; without, it does. */
static void test_pace(const float *samples) {
    static collected c;
    vox_pace p = { { 0 } };
    CHECK(vox_pace_gather(&p, 25) == 1 && vox_pace_gather(&p, 1) == 1, "as soon as it comes");
    vox_pace_took(&p, 1, 60);
    CHECK(vox_pace_gather(&p, 25) == 1, "time to spare");
    vox_pace_took(&p, 1, 100);
    CHECK(vox_pace_gather(&p, 25) == 2 && vox_pace_gather(&p, 1) == 1, "behind");
    for (int i = 1; i <= 25; i++) p.ms[i] = 60 + 50 * i;
    CHECK(vox_pace_gather(&p, 25) == 5 && vox_pace_gather(&p, 3) == 3, "%d", vox_pace_gather(&p, 25));
    for (int i = 0; i < 200; i++) vox_pace_took(&p, 5, 310);
    CHECK(vox_pace_gather(&p, 25) == 1, "tried again");
    vox_pace_took(&p, 26, 1e9);
    vox_pace_took(&p, 0, 1e9);
    for (int i = 1; i <= 25; i++) vox_pace_took(&p, i, 1e6);
    CHECK(vox_pace_gather(&p, 25) == 25 && vox_pace_gather(&p, 700) == 700, "never less than the interval");

    vox_model *m = load_model(RANDOM_MODEL, NULL, 1, VOX_PRECISION_AUTO);
    vox_stream *s = open_stream(m, 480, 60, &c);
    s->whole = 0;
    for (int i = 0; i < 30; i++)
        REQUIRE(vox_stream_feed(s, samples + i * 1280, 1280) == VOX_OK, "%s", vox_stream_error(s));
    CHECK(c.n > 0, "no token of 2.4 s before the interval of 60 s was full");
    vox_stream_close(s);
    vox_model_free(m);
}

/* The prompt kept by the model gives the very state that computing it anew gives, also for the
 * second utterance of a stream, whose memory has been written before. */
static void test_prompt(const float *samples, size_t n) {
    static collected fresh, kept, again;
    vox_model *m = load_model(RANDOM_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    vox_stream *s = open_stream(m, 480, 0.5, &fresh);
    s->fresh = 1;
    speak(s, samples, n, n);
    vox_stream_close(s);
    s = open_stream(m, 480, 0.5, &kept);
    speak(s, samples, n, n);
    vox_stream *t = open_stream(m, 480, 0.5, &again);
    for (int i = 0; i < 3; i++) {
        collect_reset(&again);
        speak(t, samples, n, 1000);
        check_same(&kept, &again, "another utterance");
        CHECK(again.last_end.utterance == i, "utterance %d", (int)again.last_end.utterance);
    }
    check_same(&fresh, &kept, "prompt kept");
    vox_stream_close(t);
    vox_stream_close(s);
    vox_model_free(m);
}

/* A cache that holds everything, of which attention reads the window alone, gives the same as the
 * ring, over audio that goes round it several times. */
static void test_ring(const float *samples, size_t n) {
    static collected ring, all;
    vox_model *m = load_model(RANDOM_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    vox_stack_config encoder = m->config.encoder, decoder = m->config.decoder;
    encoder.window = decoder.window = 1 << 14;
    for (int large = 0; large < 2; large++) {
        vox_stream *s = open_stream(m, 480, 0.5, large ? &all : &ring);
        s->fresh = 1;
        if (large) {
            vox_kv_free(&s->state.encoder_kv);
            vox_kv_free(&s->state.decoder_kv);
            REQUIRE(vox_kv_init(&s->state.encoder_kv, &encoder, 32, vox_batch_frames(m), NULL) == VOX_OK, "no memory");
            REQUIRE(vox_kv_init(&s->state.decoder_kv, &decoder, 32, VOX_BATCH_TOKENS, NULL) == VOX_OK, "no memory");
        }
        for (int i = 0; i < 10; i++)
            REQUIRE(vox_stream_feed(s, samples, n) == VOX_OK, "%s", vox_stream_error(s));
        REQUIRE(vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
        vox_stream_close(s);
    }
    CHECK(ring.n > 350, "only %d tokens", ring.n);
    check_same(&all, &ring, "ring");
    vox_model_free(m);
}

/* ids.json: what the reference generated for other delays, left paddings and samples. */
static void test_reference_run(const json_doc *doc, const json_node *run, vox_tensors *golden) {
    static collected c;
    int64_t delay, left, id;
    char name[32];
    REQUIRE(json_integer(doc, json_member(doc, run, "delay_tokens"), &delay) &&
            json_integer(doc, json_member(doc, run, "left_pad_tokens"), &left) &&
            json_string(doc, json_member(doc, run, "samples"), name, sizeof name) > 0, "ids.json is malformed");
    const vox_tensor *t = vox_tensors_find(golden, name);
    REQUIRE(t != NULL, "golden.safetensors lacks %s", name);
    float *samples = vox_alloc((size_t)t->count, sizeof *samples);
    REQUIRE(samples != NULL, "no memory");
    vox_tensor_read(t, 0, t->count, samples);
    vox_model *m = load_model(RANDOM_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    m->tokenizer.n_left_pad = (int)left;
    vox_stream *s = open_stream(m, (int)delay * 80, 0.5, &c);
    speak(s, samples, (size_t)t->count, 4000);
    int n = 0, same = 0;
    for (const json_node *v = json_first(doc, json_member(doc, run, "ids")); v; v = json_next(doc, v), n++)
        same += json_integer(doc, v, &id) && n < c.n && c.ids[n] == id;
    CHECK(n == c.n && same == n, "%s, delay %d, left padding %d: %d ids, %d of the reference's %d", name, (int)delay,
          (int)left, c.n, same, n);
    vox_stream_close(s);
    vox_model_free(m);
    vox_free(samples);
}

static void test_reference(vox_tensors *golden) {
    char text[256], *file;
    vox_error err = { text, sizeof text };
    size_t len;
    json_doc doc;
    int runs = 0;
    REQUIRE(vox_read_file(RANDOM_MODEL "/ids.json", 1 << 20, &file, &len, &err) == VOX_OK, "%s", text);
    REQUIRE(json_parse(&doc, file, len, "ids.json", &err) == VOX_OK, "%s", text);
    for (const json_node *r = json_first(&doc, json_member(&doc, doc.nodes, "runs")); r; r = json_next(&doc, r), runs++)
        test_reference_run(&doc, r, golden);
    CHECK(runs >= 3, "only %d runs", runs);
    json_free(&doc);
    vox_free(file);
}

int main(void) {
    vox_tensors golden;
    size_t n;
    const vox_kernels *k;
    open_golden(&golden);
    float *samples = reference_samples(&golden, &n);
    for (int i = 0; (k = vox_kernels_at(i)) != NULL; i++) test_cuts(k->name, samples, n);
    test_intervals(samples, n);
    test_pace(samples);
    test_prompt(samples, n);
    test_ring(samples, n);
    test_reference(&golden);
    vox_free(samples);
    vox_tensors_close(&golden);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
