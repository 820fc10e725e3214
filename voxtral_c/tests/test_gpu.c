/* test_gpu.c - the GPU's kernels against the CPU, on whatever Vulkan or Metal there is; software is
 * good enough. Passes with a reason where there is none. */
#include "../src/gpu/selftest.h"
#include "../src/gpu/verdict.h"

#include "../src/machine/threads.h"
#include "../src/text/tokenizer.h"
#include "../src/weights/interleave.h"

#include <dirent.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

#include <string.h>

#include "check.h"

/* An adapter of any kind, named by a letter that its name surely has. */
static int open_any(gpu *g, gpu_options o) {
    char text[256] = "";
    vox_error err = { text, sizeof text };
    o.adapter = getenv("VOXTRAL_TEST_ADAPTER") ? getenv("VOXTRAL_TEST_ADAPTER") : "e";
    if (gpu_open(g, &o, &err) == VOX_OK) return 1;
    printf("skipped: %s\n", text);
    return 0;
}

static void on_check(void *user, const gpu_check *c) {
    CHECK(gpu_check_passed(c), "%s: %s: error %g", (const char *)user, c->name, c->error);
    if (getenv("VOX_TEST_VERBOSE")) printf("%s: %-50s %.1e  %.0f ms\n", (const char *)user, c->name, c->error, c->ms);
}

static void test_kernels(const char *name, gpu_options o, uint32_t need, uint32_t seed) {
    gpu g;
    if (!open_any(&g, o)) return;
    const double start = vox_now_ms();
    gpu_selftest(&g, need, seed, on_check, (void *)(uintptr_t)name);
    CHECK(gpu_ok(&g), "%s: %s", name, g.why);
    if (getenv("VOX_TEST_VERBOSE")) printf("%s on %s: %.0f ms\n", name, g.name, vox_now_ms() - start);
    gpu_close(&g);
}

/* What is wrong is told, not submitted: that would end the process. */
static void test_failures(void) {
    gpu g;
    if (!open_any(&g, (gpu_options){ 0 })) return;
    gpu_buffer a = gpu_alloc(&g, 1024), small = gpu_alloc(&g, 256);
    const struct { uint32_t dim, ldx, x0, ldy; float eps; } p = { 4, 4, 0, 4, 0 };
    const gpu_bind aliased[] = { { &a, 0, 512 }, { &a, 512, 0 }, { &a, 0, 0 } };
    gpu_dispatch(&g, GPU_NORM, 0, aliased, 3, &p, sizeof p, 1, 1, 1);
    float value;
    CHECK(!gpu_read(&g, &small, 0, &value, 4) && strstr(g.why, "the GPU reports"), "%s", g.why);
    gpu_free(&g, &a);
    gpu_free(&g, &small);
    gpu_close(&g);
    if (!open_any(&g, (gpu_options){ 0 })) return;
    gpu_buffer huge = gpu_alloc(&g, (uint64_t)1 << 60);
    CHECK(!gpu_ok(&g), "an exabyte was allocated");
    gpu_free(&g, &huge);
    gpu_close(&g);
}

/* No shader minds how many threads a subgroup has; the sizes that this GPU has not are made of shared memory. */
static void test_widths(void) {
    char name[32];
    for (int lanes = 1; lanes <= 128; lanes *= BRIEF ? 8 : 2) {
        snprintf(name, sizeof name, "subgroups of %d", lanes);
        test_kernels(name, (gpu_options){ .pretended_lanes = lanes }, 1u << VOX_WEIGHT_Q8_0, 6);
    }
}

/* The machine sleeps, or this process is stopped, for longer than the deadline. */
static struct { webgpu real; int asleep; } pause_of;

static WGPUBool poll_late(WGPUDevice device, WGPUBool wait, const uint64_t *until) {
    if (!pause_of.asleep) return pause_of.real.DevicePoll(device, wait, until);
    pause_of.asleep = 0;
    nanosleep(&(struct timespec){ 0, 600000000 }, NULL);
    return 0;
}

static void test_sleep(void) {
    gpu g;
    float value = 1;
    if (!open_any(&g, (gpu_options){ .deadline_ms = 500 })) return;
    gpu_buffer b = gpu_alloc(&g, 256);
    pause_of.real = g.w;
    pause_of.asleep = 1;
    g.w.DevicePoll = poll_late;
    CHECK(gpu_read(&g, &b, 0, &value, 4) && value == 0 && !pause_of.asleep, "%s", g.why);
    g.w.DevicePoll = pause_of.real.DevicePoll;
    gpu_free(&g, &b);
    gpu_close(&g);
}

static int notes_in(const char *folder, int delete) {
    DIR *d = opendir(folder);
    int n = 0;
    char path[1024];
    for (struct dirent *e; d && (e = readdir(d));) {
        n += strstr(e->d_name, ".passed") != NULL;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (delete) unlink(path);
    }
    if (d) closedir(d);
    if (delete) rmdir(folder);
    return n;
}

/* A driver that has passed is believed until it, or what is needed of it, is another one. */
static void test_verdicts(void) {
    char folder[] = "/tmp/test_gpu_XXXXXX", text[256] = "";
    vox_error err = { text, sizeof text };
    const gpu_options o = { .no_subgroups = 1 };
    const uint32_t need = 1u << VOX_WEIGHT_Q8_0;
    gpu g;
    if (!open_any(&g, o)) return;
    REQUIRE(mkdtemp(folder), "no folder");
    for (int i = 0; i < 4; i++) {             /* new, the same, another driver, another need */
        if (i == 2) snprintf(g.driver, sizeof g.driver, "a newer one");
        const int64_t before = g.dispatches;
        CHECK(gpu_verdict(&g, &o, i == 3 ? need | 1u << VOX_WEIGHT_F16 : need, folder, &err) == VOX_OK, "%s", text);
        CHECK((g.dispatches > before) == (i != 1), "%d: %d kernels tried", i, (int)(g.dispatches - before));
        CHECK(notes_in(folder, 0) == (i < 2 ? 1 : i), "%d: %d notes", i, notes_in(folder, 0));
    }
    notes_in(folder, 1);
    gpu_close(&g);
}

/* ---- the real head ----------------------------------------------------------------------- */

enum { HEAD_ROWS = 131072, HEAD_COLS = 3072, HEAD_N = 4 };

/* One panel's rows, as in a file: bytes and scales by chance. */
static void random_rows(uint32_t *state, vox_q8_0 *rows) {
    for (int i = 0; i < VOX_PANEL * HEAD_COLS / 32; i++) {
        rows[i].d = (uint16_t)(0x1400 + (*state >> 7 & 1023));          /* 0.001 to 0.002 */
        for (int j = 0; j < 32; j++) {
            *state = *state * 1664525u + 1013904223u;
            rows[i].q[j] = (int8_t)(*state >> 24);
        }
    }
}

/* The head's weights as they lie in memory, and what it makes of x by double arithmetic: [HEAD_N][HEAD_ROWS]. */
static void make_head(uint8_t *data, const float *x, double *want) {
    static vox_q8_0 rows[VOX_PANEL * HEAD_COLS / 32];
    static float row[HEAD_COLS];
    uint32_t state = 1;
    for (int r = 0; r < HEAD_ROWS; r++) {
        if (r % VOX_PANEL == 0) {
            random_rows(&state, rows);
            vox_interleave(VOX_WEIGHT_Q8_0, (const uint8_t *)rows, VOX_PANEL, HEAD_COLS,
                           data + (size_t)(r / VOX_PANEL) * vox_panel_bytes(VOX_WEIGHT_Q8_0, HEAD_COLS));
        }
        vox_dequantize(VOX_WEIGHT_Q8_0, rows + r % VOX_PANEL * (HEAD_COLS / 32), row, HEAD_COLS);
        for (int c = 0; c < HEAD_N; c++) {
            double sum = 0;
            for (int i = 0; i < HEAD_COLS; i++) sum += (double)row[i] * (double)x[c * HEAD_COLS + i];
            want[(size_t)c * HEAD_ROWS + (size_t)r] = sum;
        }
    }
}

static void compare_head(gpu *g, const gpu_buffer *logits, const vox_scores *scores, float *got, const double *want) {
    double error = 0, size = 0;
    if (!gpu_read(g, logits, 0, got, (size_t)HEAD_N * HEAD_ROWS * sizeof *got)) return;
    for (int c = 0; c < HEAD_N; c++) {
        const double *of = want + (size_t)c * HEAD_ROWS;
        int best = 0;
        for (int r = 0; r < HEAD_ROWS; r++) {
            const double by = (double)got[(size_t)c * HEAD_ROWS + (size_t)r] - of[r];
            error += by * by;
            size += of[r] * of[r];
            if (r != VOX_STREAMING_PAD && r != VOX_EOS && of[r] > of[best]) best = r;
        }
        CHECK(scores[c].best[0].id == best, "column %d: token %d instead of %d", c, scores[c].best[0].id, best);
    }
    CHECK(sqrt(error / size) < 2e-6, "logits differ by %g", sqrt(error / size));
}

/* 427 MB, more than may be bound at one go on software: nothing here is cut up by a limit of the test's own. */
static void test_real_head(void) {
    const size_t bytes = vox_interleaved_bytes(VOX_WEIGHT_Q8_0, HEAD_ROWS, HEAD_COLS), n = (size_t)HEAD_N * HEAD_ROWS;
    const gpu_scoring s = { HEAD_ROWS, 1000, 1 };
    vox_scores scores[HEAD_N];
    gpu g;
    if (BRIEF || vox_memory_total() < 4e9 || !open_any(&g, (gpu_options){ .deadline_ms = 120000 })) return;
    uint8_t *data = vox_alloc(bytes, 1);
    float *x = vox_alloc((size_t)HEAD_N * HEAD_COLS, sizeof *x), *got = vox_alloc(n, sizeof *got);
    double *want = vox_alloc(n, sizeof *want);
    REQUIRE(data && x && got && want, "no memory");
    for (int i = 0; i < HEAD_N * HEAD_COLS; i++) x[i] = (float)sin(0.7 * i);
    make_head(data, x, want);
    const vox_weight w = { VOX_WEIGHT_Q8_0, HEAD_ROWS, HEAD_COLS, data }, *one = &w;
    gpu_matrix m = { 0 };
    gpu_matrix_make(&g, &m, &one, NULL, 1, 0);
    CHECK(m.n_parts == (int)((bytes + g.max_binding - 1) / g.max_binding), "%d parts", m.n_parts);
    gpu_buffer bx = gpu_alloc(&g, (uint64_t)HEAD_N * HEAD_COLS * sizeof *x + GPU_SLACK), by = gpu_alloc(&g, n * sizeof *got);
    gpu_buffer room = gpu_alloc(&g, gpu_best_bytes(HEAD_ROWS, HEAD_N)), found = gpu_alloc(&g, gpu_best_bytes(1, HEAD_N));
    gpu_write(&g, &bx, 0, x, (size_t)HEAD_N * HEAD_COLS * sizeof *x);
    gpu_product(&g, &m, GPU_STORE, &bx, 0, HEAD_COLS, HEAD_N, &by, HEAD_ROWS);
    gpu_best(&g, &s, &by, HEAD_ROWS, HEAD_N, &room, &found);
    if (gpu_best_read(&g, &s, &found, HEAD_N, scores)) compare_head(&g, &by, scores, got, want);
    CHECK(gpu_ok(&g), "%s", g.why);
    gpu_matrix_free(&g, &m);
    gpu_buffer *const all[] = { &bx, &by, &room, &found };
    for (int i = 0; i < 4; i++) gpu_free(&g, all[i]);
    gpu_close(&g);
    vox_free(data);
    vox_free(x);
    vox_free(got);
    vox_free(want);
}

static void test_refusals(void) {
    char text[256] = "";
    vox_error err = { text, sizeof text };
    gpu g;
    CHECK(gpu_open(&g, &(gpu_options){ .library = "/nowhere/lib.so" }, &err) == VOX_ERR_UNSUPPORTED && strstr(text, "/nowhere/lib.so"), "%s", text);
    CHECK(gpu_open(&g, &(gpu_options){ .adapter = "no such adapter" }, &err) == VOX_ERR_UNSUPPORTED, "found");
}

int main(void) {
    test_refusals();
    for (uint32_t seed = 1; seed <= (BRIEF ? 1 : 3); seed++) test_kernels("trusted", (gpu_options){ 0 }, GPU_NEED_ALL, seed);
    test_kernels("checked, no subgroups", (gpu_options){ .checked = 1, .no_subgroups = 1 }, GPU_NEED_ALL, 4);
    test_kernels("small bindings", (gpu_options){ .max_binding = 64 * 1024 }, GPU_NEED_ALL, 5);
    test_widths();
    test_failures();
    test_sleep();
    test_verdicts();
    test_real_head();
    return check_summary();
}
