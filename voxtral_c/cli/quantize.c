/* quantize.c - voxtral --quantize: a model as one GGUF file */
#include "quantize.h"

#include <stdio.h>
#include <sys/stat.h>

#include "exit_codes.h"
#include "interrupt.h"
#include "process.h"
#include "progress.h"

static int on_progress(double done, void *user) {
    progress_show(user, done);
    return interrupt_requested();
}

int quantize_run(const options *opt) {
    char err[512] = "", what[64];
    progress shown;
    const char *type = vox_precision_name(opt->type);
    snprintf(what, sizeof what, "Converting to %s", type);
    progress_init(&shown, what, opt->silent);
    const vox_quantize_params params = {
        opt->type, opt->model.threads, opt->force, on_progress, &shown,
    };
    const double start = process_seconds();
    vox_status status = vox_quantize_model(opt->model_dir, opt->quantize_path, &params, err, sizeof err);
    progress_end(&shown);
    if (status == VOX_ERR_ABORTED) return EXIT_INTERRUPTED;
    if (status != VOX_OK) {
        fprintf(stderr, "voxtral: %s\n", err);
        return status == VOX_ERR_IO || status == VOX_ERR_MEMORY ? EXIT_FAILED : EXIT_UNUSABLE;
    }
    struct stat info;
    if (!opt->silent && stat(opt->quantize_path, &info) == 0)
        fprintf(stderr, "%s: %s, %.2f GB, in %.0f s\n", opt->quantize_path, type,
                (double)info.st_size / 1e9, process_seconds() - start);
    return EXIT_DONE;
}
