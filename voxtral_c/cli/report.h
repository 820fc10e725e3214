/* report.h - what people see on standard error: progress, symbols, the summary */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "options.h"

typedef struct work {             /* done so far, over all utterances */
    int64_t encoder_tokens, decoder_steps, decoder_passes, text_tokens;
    double encoder_ms, decoder_ms, prefill_ms;
} work;

typedef struct report {
    int verbosity;                /* 0 silent, 1 normal, 2 debug */
    int monitor;                  /* symbols are wanted */
    int in_symbols;               /* the cursor stands behind symbols */
    int waiting;                  /* the symbol for waiting was shown in this utterance */
    const vox_model *model;       /* set once loaded */
    work finished;                /* utterances that have ended */
    work now;                     /* the open one */
    work shown;                   /* of the open one, what symbols were shown for */
    int text_steps, control_steps, eos_steps;      /* since the last symbol */
} report;

void report_init(report *r, const options *opt);

/* "voxtral: " and one sentence; errors are said even with --silent. */
void report_error(report *r, const char *message);
void report_warning(report *r, const char *message);
void report_note(report *r, const char *format, ...);

/* Keep count, and show symbols where wanted. */
void report_event(report *r, const vox_event *event);

/* The lines at the end: two in the form that voxtral.c made familiar, and what drafting saved. */
void report_summary(report *r);

#endif
