/* output.c - what is written for the words: the interface's common part */
#include "output.h"

#include <string.h>

void output_init(output *out, const options *opt) {
    memset(out, 0, sizeof *out);
    out->alt_cutoff = opt->alt_cutoff;
    out->line_per_utterance = opt->input == INPUT_FRAMED;
    out->last_stats = -1;
    switch (opt->output) {
    case OUTPUT_TEXT: output_text_init(out); break;
    case OUTPUT_TOKENS: output_tokens_init(out); break;
    case OUTPUT_EVENTS: output_events_init(out); break;
    }
}

static int working(const output *out) {
    return !out->writer.closed && !out->writer.error;
}

int output_ready(output *out, const ready_info *info) {
    if (out->ready) out->ready(out, info);
    return working(out);
}

int output_event(output *out, const vox_event *event) {
    if (out->event) out->event(out, event);
    return working(out);
}

int output_configured(output *out, int delay_ms, double interval) {
    if (out->configured) out->configured(out, delay_ms, interval);
    return working(out);
}

int output_pause(output *out) {
    if (out->pause) out->pause(out);
    return working(out);
}

int output_progress(output *out, double done, const char *task) {
    if (out->progress) out->progress(out, done, task);
    return working(out);
}

int output_message(output *out, const char *type, const char *code, const char *message) {
    if (out->message) out->message(out, type, code, message);
    return working(out);
}

int output_close(output *out) {
    jsonl_free(&out->line);
    return writer_close(&out->writer);
}

int output_shows_alternative(const output *out, const vox_event *event, int index) {
    if (out->alt_cutoff < 0 || !(event->probability > 0)) return 0;
    return 1.0 - (double)event->alternatives[index].probability / event->probability <=
           out->alt_cutoff + 1e-9;
}
