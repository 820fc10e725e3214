/* options.h - the command line */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>

#include "../vox.h"

typedef enum input_kind {
    INPUT_NONE, INPUT_FILE, INPUT_STDIN, INPUT_MICROPHONE, INPUT_FRAMED
} input_kind;

typedef enum output_kind { OUTPUT_TEXT, OUTPUT_TOKENS, OUTPUT_EVENTS } output_kind;

typedef enum command {
    COMMAND_TRANSCRIBE, COMMAND_BENCH, COMMAND_HELP, COMMAND_VERSION, COMMAND_LIST_DEVICES,
    COMMAND_QUANTIZE, COMMAND_SELFTEST, COMMAND_TIDY_CACHE
} command;

typedef struct options {
    command command;
    const char *model_dir;        /* or file */
    const char *quantize_path;    /* COMMAND_QUANTIZE: the file to write */
    int force;                    /* over one that is there */
    vox_precision type;           /* of that file, or of COMMAND_BENCH's weights; AUTO = not given */
    input_kind input;
    const char *input_path;       /* INPUT_FILE */
    const char *device;           /* INPUT_MICROPHONE: part of a name; NULL = the default one */
    output_kind output;
    const char *output_path;      /* NULL = standard output */
    double interval;              /* seconds */
    int low_latency;
    int silence_ms;               /* silence that ends an utterance; 0 = none does */
    double alt_cutoff;            /* negative = no alternatives */
    int delay_ms;                 /* 0 = the model's */
    int no_rut_guard;             /* leave the model in a rut of blanks */
    int monitor, silent, debug;
    int no_draft;
    vox_model_params model;
    const char *replay;           /* COMMAND_BENCH: "speech", "none" or a file of tokens */
    int minutes, heard, json;     /* COMMAND_BENCH; 0 = the usual figures */
} options;

/* Returns 1, or 0 with one sentence in err. The strings of argv must outlive *o. */
int options_parse(options *o, int argc, char **argv, char *err, size_t err_size);

extern const char options_help[];
extern const char options_usage[];

#endif
