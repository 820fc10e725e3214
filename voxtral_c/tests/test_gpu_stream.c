/* test_gpu_stream.c - streams on a GPU (software Vulkan is one here) write what they write on the CPU,
 * and when it fails in the middle of a word nothing is lost. */
#include "../src/gpu/resident.h"
#include "speech.h"

#include <math.h>

#ifdef VOX_SANITIZED
/* A device that was lost is left as it lies, with all that its library holds. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libwgpu_native\nleak:libvulkan\nleak:libLLVM\n"; }
#endif

static vox_model *quantised(const char *backend, const char *file) {
    char err[256];
    vox_model *m;
    vox_model_params p = vox_model_default_params();
    p.backend = backend;
    vox_status status = vox_model_load(file, &p, &m, err, sizeof err);
    if (status != VOX_OK) printf("skipped: %s\n", err);
    return status == VOX_OK ? m : NULL;
}

static vox_stream *open_with_alternatives(vox_model *m, collected *out) {
    vox_stream *s = open_stream(m, 480, 0.5, out);
    s->params.alternatives = VOX_MAX_ALTERNATIVES;
    s->state.n_best = 1 + VOX_MAX_ALTERNATIVES;
    return s;
}

/* Write the clip on that model; columns: of every guess, 0 = as many as pay. */
static void write_clip(vox_model *m, const clip *c, int columns, size_t piece, collected *out) {
    vox_stream *s = open_with_alternatives(m, out);
    s->drafter.columns = columns;
    s->drafter.always = columns > 1;
    speak(s, c->samples, c->n, piece);
    vox_stream_close(s);
}

static void same(const char *what, const collected *a, const collected *b) {
    int n = 0;
    double worst = 0;
    for (int i = 0; i < a->n && i < b->n; i++) {
        n += a->ids[i] == b->ids[i];
        worst = check_most(worst, fabs((double)a->probability[i] - (double)b->probability[i]));
        for (int j = 0; j < VOX_MAX_ALTERNATIVES; j++)
            worst = check_most(worst, fabs((double)a->alternatives[i][j] - (double)b->alternatives[i][j]));
    }
    CHECK(a->n == b->n && n == a->n && !strcmp(a->text, b->text), "%s: %d of %d tokens, \"%s\" instead of \"%s\"", what, n, b->n, a->text, b->text);
    CHECK(worst < 0.02, "%s: probabilities differ by %g", what, worst);
}

/* One type of weights, in some of the variants, with guesses and without. */
static void test_type(const clip *c, vox_precision type, const char *name, int from, int to) {
    static collected cpu, other;
    char file[64], err[256], what[96];
    vox_quantize_params q = { .type = type, .overwrite = 1 };
    snprintf(file, sizeof file, "/tmp/test_gpu_%ld.gguf", (long)getpid());
    REQUIRE(vox_quantize_model(SPEECH_MODEL, file, &q, err, sizeof err) == VOX_OK, "%s", err);
    vox_model *m = quantised("cpu", file);
    if (m) write_clip(m, c, 1, c->n, &cpu);
    vox_model_free(m);
    for (int i = from; i < to; i++) {
        snprintf(what, sizeof what, "%s, %s", name, gpu_variant(i));
        m = quantised("gpu:e", file);
        if (!m) break;
        CHECK((m->gpu->embeddings.n_parts > 1) == (m->gpu->device.max_binding < 1 << 20), "%s: %d parts", what, m->gpu->embeddings.n_parts);
        write_clip(m, c, i % 2 ? VOX_DRAFT_COLUMNS : 1, 4000, &other);
        same(what, &other, &cpu);
        vox_model_free(m);
    }
    gpu_variant(GPU_VARIANTS - 1);
    unlink(file);
}

/* A GPU without memory of its own is left alone by a model that hardly fits into the machine's. */
static void test_shared_memory(void) {
    char err[256] = "";
    vox_model *m = load_on_gpu(SPEECH_MODEL, VOX_PRECISION_BF16);
    vox_model_params p = vox_model_default_params();
    p.backend = "gpu:e";
    if (!m || !m->gpu->device.shares_memory) {
        vox_model_free(m);
        return;
    }
    vox_memory_pretend(1.3 * (double)m->weights.file.map_size);
    vox_model_free(m);
    CHECK(vox_model_load(SPEECH_MODEL, &p, &m, err, sizeof err) == VOX_ERR_UNSUPPORTED && strstr(err, "shares the machine's"), "%s", err);
    vox_memory_pretend(0);
}

/* Work is cut into submits of what the GPU may do at one go, and of one dispatch more at most; the words stay
 * what they are. */
static void test_short_submits(const clip *c, const collected *want) {
    static collected got;
    vox_model *m = load_on_gpu(SPEECH_MODEL, VOX_PRECISION_BF16);
    if (!m) return;
    gpu *g = &m->gpu->device;
    const vox_stack_config *e = &m->config.encoder;
    const double biggest = 2.0 * e->hidden_dim * e->dim * vox_batch_frames(m), few = 1e6;
    g->budget = g->most_budget = few;
    g->longest = 0;
    const int64_t before = g->submits;
    write_clip(m, c, 0, c->n, &got);
    same("short submits", &got, want);
    CHECK(g->longest > few && g->longest < few + biggest, "a submit that costs %g", g->longest);
    CHECK(g->submits - before > 200, "%d submits", (int)(g->submits - before));
    vox_model_free(m);
}

/* Positions that run out, windows that come round, caches that grow: a long utterance. */
static void test_endless(const clip *c) {
    static collected cpu, other;
    vox_model *models[2] = { load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_BF16), load_on_gpu(SPEECH_MODEL, VOX_PRECISION_BF16) };
    for (int i = 0; i < 2 && models[1]; i++) {
        models[i]->config.decoder.max_positions = 96;
        models[i]->config.encoder.max_positions = 400;
        vox_stream *s = open_stream(models[i], 480, 0.5, i ? &other : &cpu);
        for (int again = 0; again < 2; again++) REQUIRE(vox_stream_feed(s, c->samples, c->n) == VOX_OK, "%s", vox_stream_error(s));
        REQUIRE(vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
        vox_stream_close(s);
    }
    if (models[1]) same("endless", &other, &cpu);
    vox_model_free(models[0]);
    vox_model_free(models[1]);
}

/* Lose the device for good before the submit that is counted down to. */
static struct { webgpu real; WGPUDevice device; int64_t left; } loss;

static void lose(WGPUQueue queue, size_t n, const WGPUCommandBuffer *commands) {
    if (--loss.left == 0) loss.real.DeviceDestroy(loss.device);
    loss.real.QueueSubmit(queue, n, commands);
}

static void lose_at(gpu *g, int64_t at) {
    loss.real = g->w;
    loss.device = g->device;
    loss.left = at;
    g->w.QueueSubmit = lose;
}

/* After minutes only pretended both go on alike; and a step starts as many kernels as SPEED.md says. */
static void test_pretended(const clip *c) {
    static collected cpu, other;
    vox_model *models[2] = { load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_BF16), load_on_gpu(SPEECH_MODEL, VOX_PRECISION_BF16) };
    for (int i = 0; i < 2 && models[1]; i++) {
        vox_stream *s = open_stream(models[i], 480, 0.5, i ? &other : &cpu);
        vox_utterance *u = &s->state;
        REQUIRE(vox_stream_feed(s, c->samples, 16000) == VOX_OK && vox_utterance_pretend(u, 1000) == VOX_OK, "%s", vox_stream_error(s));
        speak(s, c->samples, c->n, c->n);
        if (i) {
            const int64_t before = models[1]->gpu->device.dispatches;
            const int id = VOX_STREAMING_PAD;
            u->audio_at = 0;
            REQUIRE(vox_utterance_decode(u, &id, 1, NULL, s->prompt->ffn_scale, 1) == VOX_OK, "no step");
            const int made = (int)(models[1]->gpu->device.dispatches - before), wanted = 1 + 8 * models[1]->config.decoder.n_layers + 4;
            CHECK(made == wanted, "%d kernels instead of %d", made, wanted);
        }
        vox_stream_close(s);
    }
    if (models[1]) same("after pretended minutes", &other, &cpu);
    vox_model_free(models[0]);
    vox_model_free(models[1]);
}

/* The GPU fails at some submit: the words are those of the CPU, and a warning is all that shows. */
static void test_failure(const clip *c, const collected *want, int64_t at) {
    static collected got;
    vox_model *m = load_on_gpu(SPEECH_MODEL, VOX_PRECISION_BF16);
    if (!m) return;
    vox_stream *s = open_with_alternatives(m, &got), *other = NULL;
    static collected unheard;
    other = open_with_alternatives(m, &unheard);
    REQUIRE(vox_stream_feed(other, c->samples, c->n / 2) == VOX_OK, "%s", vox_stream_error(other));
    lose_at(&m->gpu->device, at);
    speak(s, c->samples, c->n, 3000);
    CHECK(got.warnings == 1, "failing at %d: %d warnings", (int)at, got.warnings);
    same("after a failure", &got, want);
    vox_model_info info;
    vox_model_get_info(m, &info);
    CHECK(!strcmp(info.backend, "cpu") && strstr(info.gpu_why, "the GPU was lost"), "%s: %s", info.backend, info.gpu_why);
    /* The next utterance, and a stream that was in the middle of another. */
    collect_reset(&got);
    speak(s, c->samples, c->n, c->n);
    same("the next one", &got, want);
    REQUIRE(vox_stream_feed(other, c->samples + c->n / 2, c->n - c->n / 2) == VOX_OK && vox_stream_flush(other) == VOX_OK, "%s", vox_stream_error(other));
    same("another stream", &unheard, want);
    vox_stream_close(s);
    vox_stream_close(other);
    vox_model_free(m);
}

/* A failure after so long that not all can be heard again: nothing is lost, and little is different. */
static void test_late_failure(const clip *c) {
    static collected cpu, other;
    vox_model *models[2] = { load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_BF16), load_on_gpu(SPEECH_MODEL, VOX_PRECISION_BF16) };
    const int times = (int)(31.0 * VOX_SAMPLE_RATE / (double)c->n) + 1;
    for (int i = 0; i < 2 && models[1]; i++) {
        vox_stream *s = open_stream(models[i], 480, 0.5, i ? &other : &cpu);
        for (int again = 0; again < times; again++) {
            if (i && again == times - 1) lose_at(&models[1]->gpu->device, 5);
            REQUIRE(vox_stream_feed(s, c->samples, c->n) == VOX_OK, "%s", vox_stream_error(s));
        }
        REQUIRE(vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
        vox_stream_close(s);
    }
    if (models[1]) {
        CHECK(other.warnings == 1 && other.n == cpu.n && !strcmp(other.text, cpu.text), "%d tokens instead of %d: \"%s\" instead of \"%s\"", other.n, cpu.n, other.text, cpu.text);
    }
    vox_model_free(models[0]);
    vox_model_free(models[1]);
}

int main(void) {
    static clip clips[MAX_CLIPS];
    static collected want;
    const int n = clips_read(clips);
    const clip *c = clip_named(clips, n, "computer_open_music.wav");
    vox_model *m = load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_BF16);
    write_clip(m, c, 0, c->n, &want);
    vox_model_free(m);
    test_type(c, VOX_PRECISION_F16, "f16", 2, 3);
    test_type(c, VOX_PRECISION_Q8_0, "q8_0", 1, 2);
    test_type(c, VOX_PRECISION_Q4_K_M, "q4_k_m", 0, BRIEF ? 2 : GPU_VARIANTS);
    test_shared_memory();
    test_short_submits(c, &want);
    test_endless(c);
    test_pretended(c);
    for (int64_t at = BRIEF ? 8 : 1; at <= (BRIEF ? 8 : 15); at += 7) test_failure(c, &want, at);
    test_late_failure(c);
    clips_free(clips, n);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
