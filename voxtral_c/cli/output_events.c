/* output_events.c - JSON Lines for programs: PROTOCOL.md */
#include "output.h"

#include "process.h"

enum { PROTOCOL_VERSION = 1 };

static const double STATS_SECONDS = 0.1;      /* stats are written at most this often */

static void write_line(output *out) {
    jsonl_end(&out->line);
    if (!out->line.failed) writer_put(&out->writer, out->line.text, out->line.length);
}

static void begin(output *out, const char *type) {
    jsonl_begin(&out->line);
    jsonl_string(&out->line, "type", type);
}

static void events_ready(output *out, const ready_info *info) {
    json_line *j = &out->line;
    begin(out, "ready");
    jsonl_integer(j, "protocol", PROTOCOL_VERSION);
    jsonl_string(j, "engine", "voxtral_c");
    jsonl_string(j, "version", VOX_VERSION);
    jsonl_string(j, "backend", info->backend);
    jsonl_string(j, "kernels", info->model.kernels);
    jsonl_string(j, "precision", info->model.precision);
    jsonl_string(j, "model", info->model_dir);
    jsonl_integer(j, "parameters", info->model.parameters);
    jsonl_integer(j, "delay_ms", info->delay_ms);
    jsonl_number(j, "interval", info->interval, 3);
    jsonl_integer(j, "threads", info->model.threads);
    jsonl_integer(j, "sample_rate", VOX_SAMPLE_RATE);
    jsonl_number(j, "load_ms", info->load_ms, 1);
    write_line(out);
}

static void write_text(output *out, const vox_event *event) {
    json_line *j = &out->line;
    begin(out, "token");
    jsonl_integer(j, "utterance", event->utterance);
    jsonl_integer(j, "index", event->index);
    jsonl_integer(j, "id", event->id);
    jsonl_string(j, "text", event->text);
    jsonl_boolean(j, "word_start", event->word_start);
    jsonl_number(j, "time", event->time, 3);
    jsonl_number(j, "probability", event->probability, 6);
    int opened = 0;
    for (int i = 0; i < event->n_alternatives; i++) {
        if (!output_shows_alternative(out, event, i)) break;
        if (!opened++) jsonl_open(j, "alternatives", '[');
        jsonl_open(j, NULL, '{');
        jsonl_string(j, "text", event->alternatives[i].text);
        jsonl_number(j, "probability", event->alternatives[i].probability, 6);
        jsonl_close(j, '}');
    }
    if (opened) jsonl_close(j, ']');
    write_line(out);
}

static void write_stats(output *out, const vox_event *event) {
    double now = process_seconds();
    out->held = *event;
    out->holds = out->last_stats >= 0 && now - out->last_stats < STATS_SECONDS;
    if (out->holds) return;
    out->last_stats = now;
    double audio_in = event->audio_in + out->queued_seconds;
    double lag = audio_in - event->audio_done;
    json_line *j = &out->line;
    begin(out, "stats");
    jsonl_integer(j, "utterance", event->utterance);
    jsonl_number(j, "audio_in", audio_in, 3);
    jsonl_number(j, "audio_done", event->audio_done, 3);
    jsonl_number(j, "lag", lag > 0 ? lag : 0, 3);
    jsonl_number(j, "encoder_ms", event->encoder_ms, 1);
    jsonl_number(j, "decoder_ms", event->decoder_ms, 1);
    jsonl_number(j, "prefill_ms", event->prefill_ms, 1);
    jsonl_integer(j, "steps", event->decoder_steps);
    jsonl_integer(j, "passes", event->decoder_passes);
    jsonl_number(j, "memory_mb", process_memory_mb(), 1);
    write_line(out);
}

static void write_utterance_end(output *out, const vox_event *event) {
    json_line *j = &out->line;
    out->holds = 0;
    begin(out, "utterance_end");
    jsonl_integer(j, "utterance", event->utterance);
    jsonl_string(j, "reason", event->reason);
    jsonl_number(j, "audio_in", event->audio_in, 3);
    jsonl_number(j, "encoder_ms", event->encoder_ms, 1);
    jsonl_number(j, "decoder_ms", event->decoder_ms, 1);
    jsonl_number(j, "prefill_ms", event->prefill_ms, 1);
    jsonl_integer(j, "steps", event->decoder_steps);
    jsonl_integer(j, "passes", event->decoder_passes);
    write_line(out);
}

static void events_event(output *out, const vox_event *event) {
    switch (event->type) {
    case VOX_EVENT_TOKEN: break;              /* the numbers alone: --tokens */
    case VOX_EVENT_TEXT: write_text(out, event); break;
    case VOX_EVENT_WARNING: break;            /* the session writes it */
    case VOX_EVENT_STATS: write_stats(out, event); break;
    case VOX_EVENT_UTTERANCE_END: write_utterance_end(out, event); break;
    case VOX_EVENT_END:
        begin(out, "end");
        write_line(out);
        break;
    }
}

static void events_configured(output *out, int delay_ms, double interval) {
    begin(out, "configured");
    jsonl_integer(&out->line, "delay_ms", delay_ms);
    jsonl_number(&out->line, "interval", interval, 3);
    write_line(out);
}

static void events_progress(output *out, double done, const char *task) {
    begin(out, "progress");
    jsonl_string(&out->line, "task", task);
    jsonl_number(&out->line, "done", done, 3);
    write_line(out);
}

static void events_message(output *out, const char *type, const char *code, const char *message) {
    begin(out, type);
    jsonl_string(&out->line, "code", code);
    jsonl_string(&out->line, "message", message);
    write_line(out);
}

void output_events_init(output *out) {
    out->ready = events_ready;
    out->event = events_event;
    out->configured = events_configured;
    out->progress = events_progress;
    out->message = events_message;
}
