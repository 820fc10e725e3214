/* test_gpu.c - the GPU's kernels against the CPU, on whatever Vulkan or Metal there is; software is
 * good enough. Passes with a reason where there is none. */
#include "../src/gpu/selftest.h"
#include "../src/gpu/verdict.h"

#include <dirent.h>
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
    return check_summary();
}
