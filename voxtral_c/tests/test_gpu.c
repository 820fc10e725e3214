/* test_gpu.c - the GPU's kernels against the CPU, on whatever Vulkan or Metal there is; software is
 * good enough. Passes with a reason where there is none. */
#include "../src/gpu/selftest.h"

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

static void test_kernels(const char *name, gpu_options o, uint32_t seed) {
    gpu g;
    if (!open_any(&g, o)) return;
    const double start = vox_now_ms();
    gpu_selftest(&g, seed, on_check, (void *)(uintptr_t)name);
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

static void test_refusals(void) {
    char text[256] = "";
    vox_error err = { text, sizeof text };
    gpu g;
    CHECK(gpu_open(&g, &(gpu_options){ .library = "/nowhere/lib.so" }, &err) == VOX_ERR_UNSUPPORTED && strstr(text, "/nowhere/lib.so"), "%s", text);
    CHECK(gpu_open(&g, &(gpu_options){ .adapter = "no such adapter" }, &err) == VOX_ERR_UNSUPPORTED, "found");
}

int main(void) {
    test_refusals();
    for (uint32_t seed = 1; seed <= (BRIEF ? 1 : 3); seed++) test_kernels("trusted", (gpu_options){ 0 }, seed);
    test_kernels("checked, no subgroups", (gpu_options){ .checked = 1, .no_subgroups = 1 }, 4);
    test_kernels("small bindings", (gpu_options){ .max_binding = 64 * 1024 }, 5);
    test_failures();
    return check_summary();
}
