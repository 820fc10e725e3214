/* output.h - what is written for the words: text, token numbers or JSON Lines
 *
 * One interface, three kinds. Members that a kind has no use for are NULL; call them through the
 * functions below, which return 1, or 0 once writing has failed (then see `writer`).
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "../vox.h"
#include "json_write.h"
#include "options.h"
#include "writer.h"

typedef struct output output;

typedef struct ready_info {
    vox_model_info model;
    const char *model_dir;
    const char *backend;
    int delay_ms;
    double interval;
    double load_ms;
} ready_info;

struct output {
    writer writer;
    json_line line;               /* events: the line being made */
    const vox_model *model;       /* set once loaded */
    double alt_cutoff;            /* negative = no alternatives */
    int line_per_utterance;       /* text: a newline after each utterance */
    int in_line;                  /* text: something stands on the line already */
    int any_line;                 /* text: a line was completed */
    int joint;                    /* text: a new utterance goes on in the line of the last one */
    double queued_seconds;        /* sound of the utterance that the engine has not got yet */
    double last_stats;            /* events: when the last one was written, seconds */
    vox_event held;               /* events: stats that came too soon after the last ones */
    int holds;

    void (*ready)(output *out, const ready_info *info);
    void (*event)(output *out, const vox_event *event);
    void (*configured)(output *out, int delay_ms, double interval);
    void (*pause)(output *out);
    void (*progress)(output *out, double done, const char *task);
    void (*message)(output *out, const char *type, const char *code, const char *message);
};

/* Choose the kind. The caller opens the writer: as late as it can, since that empties a file. */
void output_init(output *out, const options *opt);

/* The kinds. */
void output_text_init(output *out);
void output_tokens_init(output *out);
void output_events_init(output *out);

int output_ready(output *out, const ready_info *info);
int output_event(output *out, const vox_event *event);
int output_configured(output *out, int delay_ms, double interval);
int output_pause(output *out);                       /* a long silence */
int output_progress(output *out, double done, const char *task);   /* before ready */
int output_message(output *out, const char *type, const char *code, const char *message);

/* Returns 0 or the errno of a failure to write. */
int output_close(output *out);

/* 1 when the alternative is within the cutoff of --alt: 1 - p/p(best) <= cutoff. */
int output_shows_alternative(const output *out, const vox_event *event, int index);

#endif
