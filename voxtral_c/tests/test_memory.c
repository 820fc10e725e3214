/* test_memory.c - every allocation may fail, and memory does not grow with the session. */
#define _POSIX_C_SOURCE 200809L
#include <unistd.h>

#include "common.h"

/* One short life: load, open, an utterance, another delay, close. Returns the first failure. */
static vox_status live(const float *samples, size_t n) {
    char err[256] = "";
    vox_model *m = NULL;
    vox_stream *s = NULL;
    vox_model_params p = vox_model_default_params();
    p.threads = 2;
    vox_status status = vox_model_load(RANDOM_MODEL, &p, &m, err, sizeof err);
    if (status == VOX_OK) status = vox_stream_open(m, NULL, &s, err, sizeof err);
    if (status != VOX_OK) CHECK(strlen(err) > 10, "no sentence");
    if (status == VOX_OK) status = vox_stream_feed(s, samples, n);
    if (status == VOX_OK) status = vox_stream_configure(s, 80, 3.0);
    if (status == VOX_OK) status = vox_stream_flush(s);
    if (s && status != VOX_OK) CHECK(strlen(vox_stream_error(s)) > 10, "no sentence");
    vox_stream_close(s);
    vox_model_free(m);
    return status;
}

static void test_failing_allocations(const float *samples, size_t n) {
    const long before = vox_alloc_live();
    int failures = 0, wrong = 0, lost = 0;
    for (long i = 1;; i++) {
        vox_alloc_fail_at(i);
        const vox_status status = live(samples, n);
        const int failed = vox_alloc_fail_at(0);
        lost += vox_alloc_live() != before;
        if (!failed) {
            CHECK(status == VOX_OK, "without failure: %s", vox_status_name(status));
            break;
        }
        failures++;
        wrong += status != VOX_ERR_MEMORY;
    }
    CHECK(failures > 100, "only %d allocations failed", failures);
    CHECK(wrong == 0, "%d failures were not reported as such", wrong);
    CHECK(lost == 0, "%d failures lost memory", lost);
}

/* A failure in the middle of an utterance loses nothing: the next call takes it up. */
static void test_going_on(const float *samples, size_t n) {
    static collected whole, c;
    vox_model *m = load_model(RANDOM_MODEL, NULL, 1, VOX_PRECISION_AUTO);
    vox_stream *s = open_stream(m, 0, 0.5, &whole), *t = open_stream(m, 0, 60, &c);
    int failures = 0;
    vox_status status;
    speak(s, samples, n, n);
    REQUIRE(vox_stream_feed(t, samples, n) == VOX_OK, "%s", vox_stream_error(t));
    do {
        vox_alloc_fail_at(2);
        status = vox_stream_flush(t);
        failures += vox_alloc_fail_at(0);
    } while (status == VOX_ERR_MEMORY);
    CHECK(status == VOX_OK && failures > 0, "%d failures", failures);
    CHECK(c.n == whole.n && !memcmp(c.ids, whole.ids, sizeof(int) * (size_t)c.n), "%d tokens instead of %d", c.n, whole.n);
    vox_stream_close(s);
    vox_stream_close(t);
    vox_model_free(m);
}

/* Resident memory in KiB, or 0 where there is no way to know. */
static long resident(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void test_endless(const float *samples, size_t n) {
    vox_model *m = load_model(RANDOM_MODEL, NULL, 1, VOX_PRECISION_AUTO);
    vox_stream *s;
    REQUIRE(vox_stream_open(m, NULL, &s, NULL, 0) == VOX_OK, "no stream");
    long blocks = 0, memory = 0;
    for (int seconds = 0; seconds < (BRIEF ? 120 : 600); seconds += 3) {
        REQUIRE(vox_stream_feed(s, samples, n) == VOX_OK, "%s", vox_stream_error(s));
        if (seconds == 30) {
            blocks = vox_alloc_live();
            memory = resident();
        }
    }
    CHECK(vox_alloc_live() == blocks, "%ld blocks became %ld", blocks, vox_alloc_live());
    CHECK(resident() <= memory + 512, "%ld KiB became %ld", memory, resident());
    CHECK(vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
    vox_stream_close(s);
    vox_model_free(m);
}

/* Less memory than the weights take, as in a container: a sentence rather than a killed process. */
static void test_little_memory(void) {
    char err[512] = "";
    vox_model *m = NULL;
    vox_model_params p = vox_model_default_params();
    vox_model_info info;
    p.threads = 1;
    vox_memory_pretend(1e6);
    REQUIRE(vox_model_load(RANDOM_MODEL, &p, &m, err, sizeof err) == VOX_OK, "what is mapped may be: %s", err);
    vox_model_get_info(m, &info);
    CHECK(strstr(info.little_memory, "very slow"), "no word of it: %s", info.little_memory);
    vox_model_free(m);
    p.precision = VOX_PRECISION_F32;
    CHECK(vox_model_load(RANDOM_MODEL, &p, &m, err, sizeof err) == VOX_ERR_MEMORY && strstr(err, "smaller model"), "%s", err);
    vox_memory_pretend(0);
    m = load_model(RANDOM_MODEL, NULL, 1, VOX_PRECISION_F32);
    vox_model_get_info(m, &info);
    CHECK(!*info.little_memory, "%s", info.little_memory);
    vox_model_free(m);
}

int main(void) {
    vox_tensors golden;
    size_t n;
    open_golden(&golden);
    float *samples = reference_samples(&golden, &n);
    test_failing_allocations(samples, n / 6);   /* many short lives */
    test_little_memory();
    test_going_on(samples, n);
    test_endless(samples, n);
    vox_free(samples);
    vox_tensors_close(&golden);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
