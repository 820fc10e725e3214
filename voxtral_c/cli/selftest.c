/* selftest.c - voxtral --selftest: the kernels of the GPU against the processor, as a table or JSON */
#include "selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_codes.h"
#include "json_write.h"

static void print_check(const vox_gpu_check *c, void *user) {
    (void)user;
    printf("  %-6s %-42s error %.1e, at most %.0e\n", c->passed ? "ok" : "WRONG", c->name, c->error, c->tolerance);
}

static void add_check(const vox_gpu_check *c, void *user) {
    json_line *j = user;
    jsonl_open(j, NULL, '{');
    jsonl_string(j, "name", c->name);
    jsonl_boolean(j, "passed", c->passed);
    jsonl_number(j, "error", c->error, 9);
    jsonl_number(j, "tolerance", c->tolerance, 9);
    jsonl_number(j, "ms", c->ms, 1);
    jsonl_close(j, '}');
}

static int as_json(const char *adapter) {
    json_line j = { 0 };
    vox_gpu_result r;
    char err[512] = "";
    jsonl_begin(&j);
    jsonl_string(&j, "type", "selftest");
    jsonl_open(&j, "checks", '[');
    const vox_status status = vox_gpu_selftest(adapter, add_check, &j, &r, err, sizeof err);
    const int passed = status == VOX_OK && r.failed == 0;
    jsonl_close(&j, ']');
    jsonl_boolean(&j, "passed", passed);
    jsonl_string(&j, "reason", status == VOX_OK ? r.why : err);
    if (status == VOX_OK) {
        jsonl_string(&j, "gpu", r.name);
        jsonl_string(&j, "driver", r.driver);
        jsonl_string(&j, "api", r.api);
        jsonl_boolean(&j, "software", r.software);
        jsonl_boolean(&j, "subgroups", r.subgroups);
        jsonl_integer(&j, "failed", r.failed);
        jsonl_integer(&j, "wrong_with_subgroups", r.wrong_with_subgroups);
        jsonl_string(&j, "avoided", r.avoided);
        jsonl_number(&j, "ms", r.ms, 1);
    }
    jsonl_end(&j);
    const int written = !j.failed && fwrite(j.text, 1, j.length, stdout) == j.length && fflush(stdout) == 0;
    jsonl_free(&j);
    return passed && written ? EXIT_DONE : EXIT_FAILED;
}

static int as_text(const char *adapter) {
    vox_gpu_result r;
    char err[512] = "";
    if (vox_gpu_selftest(adapter, print_check, NULL, &r, err, sizeof err) != VOX_OK) {
        fprintf(stderr, "voxtral: %s\n", err);
        return EXIT_FAILED;
    }
    printf("%s: %s%s, driver %s, %s subgroups\n", r.name, r.api, r.software ? " in software" : "", r.driver, r.subgroups ? "with" : "without");
    if (r.wrong_with_subgroups) printf("With subgroups %d kernels are wrong: the engine works without them.\n", r.wrong_with_subgroups);
    if (r.why[0]) printf("It gave up: %s.\n", r.why);
    printf("%d of %d kernels are right, in %.1f s.\n", r.checks - (r.failed < r.checks ? r.failed : r.checks), r.checks, r.ms / 1000);
    if (r.avoided[0]) printf("Until the machine or its drivers are started anew the processor is used: %s\n", r.avoided);
    return r.failed ? EXIT_FAILED : EXIT_DONE;
}

int selftest_run(const options *opt) {
    const char *adapter = opt->model.backend && !strncmp(opt->model.backend, "gpu:", 4) ? opt->model.backend + 4 : NULL;
    return opt->json ? as_json(adapter) : as_text(adapter);
}

int selftest_scout(const char *cache_dir, const char *need) {
    char err[512] = "";
    const vox_status status = vox_gpu_scout(cache_dir, (uint32_t)strtoul(need, NULL, 10), err, sizeof err);
    puts(err);
    return (int)status;
}
