#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "weights/cache.h"
#include "selftest.h"
#include "shaders.h"

enum { SEED = 1 };

uint64_t gpu_mix(uint64_t h, const char *text) {
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 0x100000001B3u;
    return (h ^ 255) * 0x100000001B3u;
}

uint64_t gpu_mix_shaders(uint64_t h) {
    for (const gpu_source *s = gpu_sources; s->name; s++) h = gpu_mix(h, s->text);
    return h;
}

/* The file whose being there says that this GPU has passed. */
static char *passed_path(const gpu *g, const char *folder) {
    const uint64_t h = gpu_mix_shaders(gpu_mix(gpu_mix(gpu_mix(GPU_HASH, g->name), g->driver), g->api));
    char name[64];
    snprintf(name, sizeof name, "gpu-%016" PRIx64 "-%d%d.passed", h, g->subgroups, g->checked);
    return vox_path(folder, name);
}

typedef struct findings {
    char text[1024];
    int failed;
} findings;

static void on_check(void *user, const gpu_check *c) {
    findings *f = user;
    const size_t n = strlen(f->text);
    if (gpu_check_passed(c)) return;
    f->failed++;
    snprintf(f->text + n, sizeof f->text - n, "%s%s: error %.3g, at most %.3g is right", n ? "\n" : "", c->name, c->error, c->tolerance);
}

static int write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    if (!f) return 0;
    const int written = fputs(text, f) >= 0;
    return fclose(f) == 0 && written;
}

char *gpu_report(const gpu *g, const char *folder, const char *what) {
    char text[2048];
    char *path = vox_cache_make(folder, NULL) == VOX_OK ? vox_path(folder, "gpu-report.txt") : NULL;
    snprintf(text, sizeof text, "GPU: %s\ndriver: %s\ninterface: %s by wgpu-native %d\nsubgroups: %s\nchecks in shaders: %s\n%s\n%s%s",
             g->name, g->driver, g->api, WGPU_MAJOR, g->subgroups ? "yes" : "no", g->checked ? "yes" : "no", what, g->why, *g->why ? "\n" : "");
    if (path && write_text(path, text)) return path;
    vox_free(path);
    return NULL;
}

vox_status gpu_verdict(gpu *g, const char *folder, vox_error *err) {
    findings f = { "", 0 };
    char *path = passed_path(g, folder);
    FILE *before = path ? fopen(path, "r") : NULL;
    vox_status status = VOX_OK;
    if (before) {
        fclose(before);
    } else if (gpu_selftest(g, SEED, on_check, &f) > 0) {
        char *report = gpu_report(g, folder, f.text);
        const char *head = report ? "; a report lies in " : "", *where = report ? report : "";
        if (!gpu_ok(g)) status = vox_fail(err, VOX_ERR_DEVICE, "%s failed the self-test: %s%s%s.", g->name, g->why, head, where);
        else status = vox_fail(err, VOX_ERR_DEVICE, "%s computes wrongly: %d kernels failed the self-test, voxtral --selftest shows them%s%s.",
                               g->name, f.failed, head, where);
        vox_free(report);
    } else if (path && vox_cache_make(folder, NULL) == VOX_OK) {
        write_text(path, g->driver);
    }
    vox_free(path);
    return status;
}
