/* output_text.c - words for people, and token numbers */
#include "output.h"

#include <stdio.h>
#include <string.h>

static void put(output *out, const char *text) { writer_put(&out->writer, text, strlen(text)); }

static void end_line(output *out) {
    if (!out->in_line) return;
    put(out, "\n");
    out->in_line = 0;
    out->any_line = 1;
}

/* One piece of text, or [piece|other|other] where the model hesitated, in a single write. */
static void write_piece(output *out, const vox_event *event) {
    char piece[1024];
    const char *text = event->text;
    if (!out->in_line) text += strspn(text, " ");
    const char *joint = out->in_line && out->joint && event->text[0] != ' ' ? " " : "";
    int others = 0;
    size_t n = (size_t)snprintf(piece, sizeof piece, "%s", joint);
    for (int i = 0; i < event->n_alternatives; i++) {
        if (!output_shows_alternative(out, event, i)) break;
        const char *other = event->alternatives[i].text;
        if (n + strlen(text) + strlen(other) + 4 > sizeof piece) break;
        if (others++ == 0) n += (size_t)snprintf(piece + n, sizeof piece - n, "[%s", text);
        n += (size_t)snprintf(piece + n, sizeof piece - n, "|%s", other);
    }
    if (others) {
        n += (size_t)snprintf(piece + n, sizeof piece - n, "]");
        writer_put(&out->writer, piece, n);
    } else {
        put(out, joint);
        put(out, text);
    }
    if (others || *text) out->in_line = 1;
    out->joint = 0;
}

static void text_event(output *out, const vox_event *event) {
    switch (event->type) {
    case VOX_EVENT_TEXT: write_piece(out, event); break;
    case VOX_EVENT_UTTERANCE_END:
        out->joint = 1;
        if (out->line_per_utterance) end_line(out);
        break;
    case VOX_EVENT_END:
        if (!out->line_per_utterance && !out->any_line) out->in_line = 1;   /* no words: "\n" */
        end_line(out);
        break;
    default: break;
    }
}

void output_text_init(output *out) {
    out->event = text_event;
    out->pause = end_line;
}

static void token_event(output *out, const vox_event *event) {
    if (event->type != VOX_EVENT_TOKEN) return;
    char line[32];
    int n = snprintf(line, sizeof line, "%d\n", event->id);
    writer_put(&out->writer, line, (size_t)n);
}

void output_tokens_init(output *out) {
    out->event = token_event;
}
