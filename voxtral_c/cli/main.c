/* main.c - the voxtral command */
#include <stdio.h>
#include <string.h>

#include "../src/machine/places.h"
#include "../src/weights/cache.h"
#include "bench.h"
#include "exit_codes.h"
#include "interrupt.h"
#include "microphone.h"
#include "options.h"
#include "quantize.h"
#include "selftest.h"
#include "session.h"

static int complain(const char *message, int about_use) {
    fprintf(stderr, "voxtral: %s%s\n", message, about_use ? "; see voxtral --help" : "");
    return EXIT_UNUSABLE;
}

static int show(const char *text) {
    return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int list_devices(const options *opt) {
    char err[320];
    if (!microphone_list(stdout, opt->debug, err, sizeof err)) return complain(err, 0);
    return EXIT_DONE;
}

static void print_line(const char *text) { puts(text); }

static int tidy_cache(const options *opt) {
    if (!vox_cache_tidy(&opt->model, print_line)) return complain("there is no memory", 0);
    return show("");
}

int main(int argc, char **argv) {
    options opt;
    char err[320], program[4096];
    if (argc < 2) {
        fputs(options_usage, stderr);
        return EXIT_UNUSABLE;
    }
    if (argc == 4 && !strcmp(argv[1], "--gpu-scout")) return selftest_scout(argv[2], argv[3]);
    if (!options_parse(&opt, argc, argv, err, sizeof err)) return complain(err, 1);
    if (vox_program_path(program, sizeof program)) opt.model.gpu_scout = program;
    switch (opt.command) {
    case COMMAND_HELP: return show(options_help);
    case COMMAND_VERSION: return show("voxtral " VOX_VERSION "\n");
    case COMMAND_LIST_DEVICES: return list_devices(&opt);
    case COMMAND_TIDY_CACHE: return tidy_cache(&opt);
    case COMMAND_BENCH: return bench_run(&opt);
    case COMMAND_SELFTEST: return selftest_run(&opt);
    case COMMAND_QUANTIZE:
    case COMMAND_TRANSCRIBE: break;
    }
    if (interrupt_install() != 0) return complain("signals cannot be caught", 0);
    return opt.command == COMMAND_QUANTIZE ? quantize_run(&opt) : session_run(&opt);
}
