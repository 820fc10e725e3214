/* options.c - the command line */
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum option_id {
    OPT_MODEL, OPT_FILE, OPT_STDIN, OPT_MIC, OPT_FRAMED, OPT_INTERVAL, OPT_LOW_LATENCY, OPT_OUTPUT,
    OPT_ALT, OPT_DELAY, OPT_MONITOR, OPT_SILENT, OPT_DEBUG, OPT_EVENTS, OPT_TOKENS, OPT_THREADS,
    OPT_PRECISION, OPT_KERNELS, OPT_NO_RUT_GUARD, OPT_BACKEND, OPT_DEVICE, OPT_LIST_DEVICES,
    OPT_VERSION, OPT_HELP, OPT_NO_DRAFT, OPT_BENCH, OPT_TYPE, OPT_REPLAY, OPT_MINUTES, OPT_HEARD, OPT_JSON, OPT_CACHE,
    OPT_QUANTIZE, OPT_FORCE, OPT_SELFTEST, OPT_TIDY_CACHE
} option_id;

static const struct option_name {
    const char *name;
    option_id id;
    int has_value;
} names[] = {
    {"-d", OPT_MODEL, 1},           {"-i", OPT_FILE, 1},
    {"--stdin", OPT_STDIN, 0},      {"--from-mic", OPT_MIC, 0},
    {"--framed", OPT_FRAMED, 0},    {"-I", OPT_INTERVAL, 1},
    {"-o", OPT_OUTPUT, 1},          {"--low-latency", OPT_LOW_LATENCY, 0},
    {"--alt", OPT_ALT, 1},          {"--delay", OPT_DELAY, 1},
    {"--monitor", OPT_MONITOR, 0},  {"--silent", OPT_SILENT, 0},
    {"--debug", OPT_DEBUG, 0},      {"--events", OPT_EVENTS, 0},
    {"--tokens", OPT_TOKENS, 0},    {"--threads", OPT_THREADS, 1},
    {"--precision", OPT_PRECISION, 1}, {"--kernels", OPT_KERNELS, 1},
    {"--cache", OPT_CACHE, 1},      {"--tidy-cache", OPT_TIDY_CACHE, 0},
    {"--quantize", OPT_QUANTIZE, 1},
    {"--type", OPT_TYPE, 1},        {"--force", OPT_FORCE, 0},
    {"--backend", OPT_BACKEND, 1},  {"--device", OPT_DEVICE, 1},
    {"--no-rut-guard", OPT_NO_RUT_GUARD, 0}, {"--no-draft", OPT_NO_DRAFT, 0},
    {"--bench", OPT_BENCH, 0},       {"--selftest", OPT_SELFTEST, 0},
    {"--replay", OPT_REPLAY, 1},    {"--json", OPT_JSON, 0},
    {"--minutes", OPT_MINUTES, 1},  {"--heard", OPT_HEARD, 1},
    {"--list-devices", OPT_LIST_DEVICES, 0},
    {"--version", OPT_VERSION, 0},  {"--help", OPT_HELP, 0}, {"-h", OPT_HELP, 0},
};

typedef struct parser {
    options *o;
    int argc;
    char **argv;
    int at;
    int inputs;               /* how many of -i, --stdin, --from-mic, --framed were given */
    int outputs;              /* how many of --events, --tokens were given */
    char *err;
    size_t err_size;
} parser;

#define FAIL(p, ...) (snprintf((p)->err, (p)->err_size, __VA_ARGS__), 0)

static int parse_number(const char *text, double least, double most, double *out) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value < least || value > most) return 0;
    *out = value;
    return 1;
}

static int parse_integer(const char *text, long least, long most, int *out) {
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < least || value > most) return 0;
    *out = (int)value;
    return 1;
}

static int choose_input(parser *p, input_kind kind) {
    p->o->input = kind;
    p->inputs++;
    return 1;
}

static int choose_output(parser *p, output_kind kind) {
    p->o->output = kind;
    p->outputs++;
    return 1;
}

static int set_precision(parser *p, const char *value) {
    return vox_precision_parse(value, &p->o->model.precision) ||
           FAIL(p, "--precision is auto, bf16, f32, f16, q8_0, q6_k, q5_k_m or q4_k_m, not '%s'", value);
}

static int set_type(parser *p, const char *value) {
    vox_precision *type = &p->o->type;
    return (vox_precision_parse(value, type) && *type != VOX_PRECISION_AUTO) ||
           FAIL(p, "--type is f32, bf16, f16, q8_0, q6_k, q5_k_m or q4_k_m, not '%s'", value);
}

static int set_delay(parser *p, const char *value) {
    int ms;
    if (!parse_integer(value, 80, 2400, &ms) || ms % 80 != 0 || (ms > 1200 && ms != 2400))
        return FAIL(p, "--delay is a multiple of 80 from 80 to 1200 ms, or 2400, not '%s'", value);
    p->o->delay_ms = ms;
    return 1;
}

static int apply_value(parser *p, option_id id, const char *value) {
    options *o = p->o;
    switch (id) {
    case OPT_MODEL: o->model_dir = value; return 1;
    case OPT_OUTPUT: o->output_path = value; return 1;
    case OPT_KERNELS: o->model.kernels = value; return 1;
    case OPT_DEVICE: o->device = value; return 1;
    case OPT_REPLAY: o->replay = value; return 1;
    case OPT_HEARD:
        return parse_integer(value, 0, 1000, &o->heard) ||
               FAIL(p, "--heard takes a number of minutes from 0 to 1000, not '%s'", value);
    case OPT_MINUTES:
        return parse_integer(value, 1, 80, &o->minutes) ||
               FAIL(p, "--minutes takes a number from 1 to 80, not '%s'", value);
    case OPT_CACHE: o->model.cache_dir = value; return 1;
    case OPT_PRECISION: return set_precision(p, value);
    case OPT_TYPE: return set_type(p, value);
    case OPT_QUANTIZE:
        o->command = COMMAND_QUANTIZE;
        o->quantize_path = value;
        return 1;
    case OPT_DELAY: return set_delay(p, value);
    case OPT_FILE:
        o->input_path = value;
        return choose_input(p, strcmp(value, "-") == 0 ? INPUT_STDIN : INPUT_FILE);
    case OPT_INTERVAL:
        if (!parse_number(value, 1e-3, 60, &o->interval))
            return FAIL(p, "-I takes a positive number of seconds, at most 60, not '%s'", value);
        if (o->interval < 0.08) o->interval = 0.08;    /* one token; less cannot be worked on */
        return 1;
    case OPT_ALT:
        return parse_number(value, 0, 1, &o->alt_cutoff) ||
               FAIL(p, "--alt takes a number from 0.0 to 1.0, not '%s'", value);
    case OPT_THREADS:
        return parse_integer(value, 0, 256, &o->model.threads) ||
               FAIL(p, "--threads takes a number from 0 (all cores) to 256, not '%s'", value);
    default:                  /* OPT_BACKEND */
        o->model.backend = value;
        return strcmp(value, "auto") == 0 || strcmp(value, "cpu") == 0 || strcmp(value, "gpu") == 0 ||
               (strncmp(value, "gpu:", 4) == 0 && value[4]) ||
               FAIL(p, "--backend is auto, cpu, gpu or gpu:NAME, not '%s'", value);
    }
}

static int apply_flag(parser *p, option_id id) {
    options *o = p->o;
    switch (id) {
    case OPT_STDIN: return choose_input(p, INPUT_STDIN);
    case OPT_MIC: return choose_input(p, INPUT_MICROPHONE);
    case OPT_FRAMED: return choose_input(p, INPUT_FRAMED);
    case OPT_EVENTS: return choose_output(p, OUTPUT_EVENTS);
    case OPT_TOKENS: return choose_output(p, OUTPUT_TOKENS);
    case OPT_NO_RUT_GUARD: o->no_rut_guard = 1; return 1;
    case OPT_LOW_LATENCY: o->low_latency = 1; return 1;
    case OPT_MONITOR: o->monitor = 1; return 1;
    case OPT_SILENT: o->silent = 1; return 1;
    case OPT_FORCE: o->force = 1; return 1;
    case OPT_DEBUG: o->debug = 1; return 1;
    case OPT_NO_DRAFT: o->no_draft = 1; return 1;
    case OPT_JSON: o->json = 1; return 1;
    case OPT_BENCH: o->command = COMMAND_BENCH; return 1;
    case OPT_SELFTEST: o->command = COMMAND_SELFTEST; return 1;
    case OPT_TIDY_CACHE: o->command = COMMAND_TIDY_CACHE; return 1;
    case OPT_LIST_DEVICES: o->command = COMMAND_LIST_DEVICES; return 1;
    case OPT_VERSION: o->command = COMMAND_VERSION; return 1;
    default: o->command = COMMAND_HELP; return 1;
    }
}

/* One option at p->at, as "--name value", "--name=value" or "-n value". */
static int parse_one(parser *p) {
    const char *word = p->argv[p->at++];
    const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) != length || strncmp(names[i].name, word, length) != 0) continue;
        if (!names[i].has_value)
            return equals ? FAIL(p, "%s takes no value", names[i].name)
                          : apply_flag(p, names[i].id);
        if (!equals && p->at >= p->argc) return FAIL(p, "%s needs a value", word);
        return apply_value(p, names[i].id, equals ? equals + 1 : p->argv[p->at++]);
    }
    return FAIL(p, word[0] == '-' ? "unknown option '%s'" : "unexpected argument '%s'", word);
}

static int check(parser *p) {
    options *o = p->o;
    if (o->command != COMMAND_BENCH && (o->replay || o->minutes))
        return FAIL(p, "--replay and --minutes go with --bench");
    if (o->json && o->command != COMMAND_BENCH && o->command != COMMAND_SELFTEST)
        return FAIL(p, "--json goes with --bench or --selftest");
    if (o->heard && !o->minutes) return FAIL(p, "--heard goes with --minutes");
    if (o->command == COMMAND_QUANTIZE) {
        if (!o->model_dir) return FAIL(p, "-d MODEL is missing: what to convert");
        if (!o->type) return FAIL(p, "--type is missing: q8_0, q6_k, q5_k_m, q4_k_m, bf16, f16 or f32");
        return p->inputs == 0 || FAIL(p, "--quantize takes no sound");
    }
    if (o->force) return FAIL(p, "--force goes with --quantize");
    if (o->type && o->command != COMMAND_BENCH) return FAIL(p, "--type goes with --quantize or --bench");
    if (o->type && o->model_dir) return FAIL(p, "--type is of random weights; with -d it is --precision");
    if (o->command != COMMAND_TRANSCRIBE) return 1;
    if (p->inputs > 1) return FAIL(p, "-i, --stdin, --from-mic and --framed exclude one another");
    if (p->outputs > 1) return FAIL(p, "--events and --tokens exclude one another");
    if (!o->model_dir) return FAIL(p, "-d MODEL is missing: a GGUF file or the folder that holds the model");
    if (p->inputs == 0) return FAIL(p, "an input is missing: -i FILE, --stdin or --from-mic");
    if (o->device && o->input != INPUT_MICROPHONE)
        return FAIL(p, "--device goes with --from-mic");
    return 1;
}

int options_parse(options *o, int argc, char **argv, char *err, size_t err_size) {
    memset(o, 0, sizeof *o);
    o->model = vox_model_default_params();
    o->model.backend = "auto";
    o->alt_cutoff = -1;
    parser p = {o, argc, argv, 1, 0, 0, err, err_size};
    while (p.at < argc)
        if (!parse_one(&p)) return 0;
    if (!check(&p)) return 0;
    if (o->interval == 0) o->interval = o->input == INPUT_FRAMED ? 0.5 : 2.0;
    if (o->low_latency) o->interval = o->interval > 0.16 ? o->interval / 2 : 0.08;
    /* What is not live stays one utterance, so that it gives the same words however it comes. */
    if (o->input == INPUT_MICROPHONE || (o->input == INPUT_STDIN && o->low_latency))
        o->silence_ms = o->low_latency ? 300 : 600;
    return 1;
}
