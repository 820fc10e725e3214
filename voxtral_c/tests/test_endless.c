/* test_endless.c - streams that never end: silence, tokens that mean an end, ruts. */
#include <math.h>

#include "speech.h"

static vox_model *model;
static clip clips[MAX_CLIPS];
static int n_clips;

/* Seconds of noise around silence, the same every time. */
static void be_quiet(vox_stream *s, double seconds, float level) {
    static uint32_t state = 1;
    float noise[VOX_SAMPLE_RATE / 4];
    const size_t piece = sizeof noise / sizeof *noise;
    for (size_t left = (size_t)(seconds * VOX_SAMPLE_RATE); left > 0;) {
        const size_t n = left < piece ? left : piece;
        for (size_t i = 0; i < n; i++) {
            state = state * 1664525u + 1013904223u;
            noise[i] = level * ((float)(state >> 8) / (float)(1 << 23) - 1);
        }
        REQUIRE(vox_stream_feed(s, noise, n) == VOX_OK, "%s", vox_stream_error(s));
        left -= n;
    }
}

static void say(vox_stream *s, const clip *c) {
    REQUIRE(vox_stream_feed(s, c->samples, c->n) == VOX_OK, "%s", vox_stream_error(s));
}

static int count(const collected *c, int id) {
    int n = 0;
    for (int i = 0; i < c->n; i++) n += c->ids[i] == id;
    return n;
}

/* All clips but the demonstration, each followed by silence. */
static void say_all(vox_stream *s, double seconds, float level) {
    for (int i = 0; i < n_clips; i++) {
        if (!strcmp(clips[i].name, "demo.wav")) continue;
        say(s, &clips[i]);
        be_quiet(s, seconds, level);
    }
}

/* What say_all should give, `rounds` times over. */
static const char *all_texts(int rounds) {
    static char text[1 << 15];
    char *at = text;
    *at = 0;
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < n_clips; i++)
            if (strcmp(clips[i].name, "demo.wav")) at += sprintf(at, " %s", clips[i].text);
    return text;
}

static void finish(vox_stream *s) {
    REQUIRE(vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
    vox_stream_close(s);
}

/* A token that means an end is one like the others: what is said afterwards is still heard. */
static void test_end_token(void) {
    static collected c;
    const clip *goodbye = clip_named(clips, n_clips, "goodbye_hello.wav");
    vox_stream *s = open_stream(model, 0, 0.5, &c);
    for (int i = 0; i < 5; i++) say(s, goodbye);
    be_quiet(s, 0.5, 0);
    CHECK(count(&c, VOX_EOS) == 5 && c.ends == 0, "%d of them, %d ends", count(&c, VOX_EOS), c.ends);
    finish(s);
    CHECK(!strcmp(c.text, " goodbye hello world goodbye hello world goodbye hello world goodbye hello world"
                          " goodbye hello world"), "%s", c.text);
    CHECK(c.ends == 1, "%d ends", c.ends);
}

/* Minutes of silence, digital or faint noise, between words: the same words, and no guard acts. */
static void test_silence(void) {
    static const float levels[] = { 0, 0.001f };
    static collected c, alone;
    char text[1024];
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        for (int off = 0; off < 2; off++) {
            vox_stream *s = open_stream(model, 0, 0.5, off ? &alone : &c);
            s->params.no_rut_guard = off;
            say(s, clip_named(clips, n_clips, "digits.wav"));
            be_quiet(s, 150, levels[i]);
            say_all(s, 1, levels[i]);
            finish(s);
            snprintf(text, sizeof text, " one two three four five six seven%s", all_texts(1));
            CHECK(!strcmp(off ? alone.text : c.text, text), "noise %g: %s", levels[i], off ? alone.text : c.text);
            if (off) CHECK(c.warnings == 0 && c.n == alone.n && !memcmp(c.ids, alone.ids, sizeof(int) * (size_t)c.n),
                           "noise %g: the guard changed something", levels[i]);
        }
}

/* Voice is found in the clips, where it is, and not in steady noise however loud. */
static void test_voice(void) {
    static collected c;
    vox_stream *s = open_stream(model, 0, 0.5, &c);
    int voiced = 0, noisy = 0;
    say(s, clip_named(clips, n_clips, "digits.wav"));
    for (int64_t t = s->state.voice.n - 34; t < s->state.voice.n; t++) voiced += vox_voice_at(&s->state.voice, t);
    CHECK(voiced >= 25, "%d of 34 tokens of speech", voiced);
    for (float level = 0.001f; level < 1; level *= 10) {
        be_quiet(s, 10, level);
        for (int64_t t = s->state.voice.n - 60; t < s->state.voice.n; t++) noisy += vox_voice_at(&s->state.voice, t);
    }
    CHECK(noisy == 0, "%d tokens of noise", noisy);
    vox_stream_close(s);
}

/* A model that falls into a rut after a pause stays there, unless it is helped out: then all words
 * from the third sentence after the help on are there, and one warning was given. */
static void test_rut(void) {
    static collected c, alone;
    const clip *demo = clip_named(clips, n_clips, "demo.wav");
    size_t heard = 0;
    for (int off = 0; off < 2; off++) {
        vox_stream *s = open_stream(model, 0, 0.5, off ? &alone : &c);
        s->params.no_rut_guard = off;
        s->blank_bias = 13;
        say(s, demo);
        be_quiet(s, 4, 0);
        if (!off) heard = strlen(c.text);
        for (int i = 0; i < 3; i++) say(s, demo);
        finish(s);
    }
    CHECK(strlen(alone.text) == heard && alone.warnings == 0, "no rut: %s", alone.text);
    CHECK(c.warnings == 1, "%d warnings", c.warnings);
    const char *last = c.text + strlen(c.text) - (size_t)(heard < strlen(c.text) ? heard : strlen(c.text));
    CHECK(strlen(c.text) > 2 * heard && !strncmp(c.text, last, heard), "%s", c.text);
}

/* Keys are turned at the same places, to the last bit, when every token is worked on alone. */
static void check_one_by_one(vox_model *m, const collected *far) {
    static collected c;
    vox_stream *s = open_stream(m, 0, 0.08, &c);
    s->drafter.columns = 1;
    for (int i = 0; i < 3; i++) say_all(s, 1, 0);
    const size_t n = (size_t)(c.n < far->n ? c.n : far->n);
    CHECK(s->state.decoder_kv.anchor > 0 && s->state.encoder_kv.anchor > 0, "never turned");
    CHECK(n > 200 && !memcmp(c.probability, far->probability, n * sizeof *c.probability), "other probabilities");
    vox_stream_close(s);
}

/* Far beyond the positions that the model knows every token is still the same. */
static void test_positions(void) {
    enum { ROUNDS = BRIEF ? 3 : 5 };
    static collected c, far;
    vox_model *m = load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    const int least = 2 * m->config.decoder.window + VOX_BATCH_TOKENS;
    const int limits[] = { 200, least };
    vox_stream *s = open_stream(model, 0, 0.5, &c);
    for (int i = 0; i < ROUNDS; i++) say_all(s, 1, 0);
    finish(s);
    CHECK(!strcmp(c.text, all_texts(ROUNDS)), "%s", c.text);
    for (int i = 0; i < (BRIEF ? 1 : 2); i++) {
        vox_model_free(m);                /* its prompts know the limit */
        m = load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_AUTO);
        m->config.decoder.max_positions = limits[i];
        m->config.encoder.max_positions = limits[i] * m->config.downsample;
        s = open_stream(m, 0, 0.5, &far);
        for (int j = 0; j < ROUNDS; j++) say_all(s, 1, 0);
        const vox_kv *kv[] = { &s->state.decoder_kv, &s->state.encoder_kv };
        for (int j = 0; j < 2; j++)
            CHECK(kv[j]->anchor > 3 * kv[j]->max_positions &&
                  s->state.decoded * (j ? m->config.downsample : 1) - kv[j]->anchor <= kv[j]->max_positions,
                  "counting from %d", (int)kv[j]->anchor);
        finish(s);
        CHECK(c.n > 200 * ROUNDS && c.n == far.n && !memcmp(c.ids, far.ids, sizeof(int) * (size_t)c.n), "%s", far.text);
        if (!BRIEF) check_one_by_one(m, &far);
        float most = 0;
        for (int j = 0; j < c.n; j++) most = fmaxf(most, fabsf(c.probability[j] - far.probability[j]));
        CHECK(most < 1e-3f, "probabilities differ by %g", (double)most);
    }
    vox_model_free(m);
}

int main(void) {
    n_clips = clips_read(clips);
    model = load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    test_end_token();
    if (!BRIEF) test_silence();
    test_voice();
    if (!BRIEF) test_rut();
    test_positions();
    vox_model_free(model);
    clips_free(clips, n_clips);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
