#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

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

/* On Macs the driver is part of the system and has no name of its own. */
static void system_build(char *out, size_t size) {
    out[0] = 0;
#ifdef __APPLE__
    if (sysctlbyname("kern.osversion", out, &size, NULL, 0) != 0) out[0] = 0;
#else
    (void)size;
#endif
}

/* The file whose being there says that this GPU has passed (or, ending so, computes wrongly with subgroups). */
static char *note_path(const gpu *g, uint32_t need, const char *folder, const char *ending) {
    char name[64], build[64], library[16];
    system_build(build, sizeof build);
    snprintf(library, sizeof library, "%x", g->w.GetVersion());
    const char *const parts[] = { g->name, g->driver, g->api, library, build };
    uint64_t h = GPU_HASH;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) h = gpu_mix(h, parts[i]);
    snprintf(name, sizeof name, "gpu-%016" PRIx64 "-%d%d-%x.%s", gpu_mix_shaders(h), g->subgroups, g->checked, need, ending);
    return vox_path(folder, name);
}

static int is_there(const char *path) { return path && access(path, R_OK) == 0; }

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

/* Why it failed, into err; it is written down, too. */
static vox_status failed(const gpu *g, const findings *f, const char *folder, vox_error *err) {
    char *report = gpu_report(g, folder, f->text);
    const char *head = report ? "; a report lies in " : "", *where = report ? report : "";
    if (!gpu_ok(g)) vox_fail(err, VOX_ERR_DEVICE, "%s failed the self-test: %s%s%s.", g->name, g->why, head, where);
    else vox_fail(err, VOX_ERR_DEVICE, "%s computes wrongly: %d kernels failed the self-test, voxtral --selftest shows them%s%s.",
                  g->name, f->failed, head, where);
    vox_free(report);
    return VOX_ERR_DEVICE;
}

static void note(const gpu *g, const char *path, const char *folder) {
    if (path && vox_cache_make(folder, NULL) == VOX_OK) write_text(path, g->driver);
}

static vox_status without_subgroups(gpu *g, const gpu_options *o, uint32_t need, const char *folder, vox_error *err) {
    gpu_options others = *o;
    others.no_subgroups = 1;
    gpu_close(g);
    const vox_status status = gpu_open(g, &others, err);
    return status == VOX_OK ? gpu_verdict(g, &others, need, folder, err) : status;
}

vox_status gpu_verdict(gpu *g, const gpu_options *o, uint32_t need, const char *folder, vox_error *err) {
    findings f = { "", 0 };
    char *passed = note_path(g, need, folder, "passed"), *wrong = note_path(g, need, folder, "wrong");
    vox_status status = VOX_OK;
    int again = g->subgroups && is_there(wrong);
    if (!again && !is_there(passed)) {
        if (gpu_selftest(g, need, SEED, on_check, &f) == 0) {
            note(g, passed, folder);
        } else {
            status = failed(g, &f, folder, err);
            again = gpu_ok(g) && g->subgroups;
            if (again) note(g, wrong, folder);
        }
    }
    vox_free(passed);
    vox_free(wrong);
    return again ? without_subgroups(g, o, need, folder, err) : status;
}
