/* report.c - what people see on standard error: progress, symbols, the summary */
#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TOKEN_EOS = 2, MEL_PER_TOKEN = 8 };

static const double SLOW_STEP_MS = 40;

void report_init(report *r, const options *opt) {
    memset(r, 0, sizeof *r);
    r->verbosity = opt->silent ? 0 : opt->debug ? 2 : 1;
    r->monitor = opt->monitor;
}

static void end_symbols(report *r) {
    if (r->in_symbols) fputc('\n', stderr);
    r->in_symbols = 0;
}

void report_error(report *r, const char *message) {
    end_symbols(r);
    fprintf(stderr, "voxtral: %s\n", message);
}

void report_warning(report *r, const char *message) {
    if (r->verbosity < 1) return;
    end_symbols(r);
    fprintf(stderr, "voxtral: warning: %s\n", message);
}

void report_note(report *r, const char *format, ...) {
    if (r->verbosity < 1) return;
    end_symbols(r);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static void symbol(report *r, const char *text) {
    fputs(text, stderr);
    fflush(stderr);
    r->in_symbols = 1;
}

static void show_decoder(report *r, int64_t steps, double ms) {
    int slow = ms / (double)steps > SLOW_STEP_MS;
    if (r->text_steps) symbol(r, slow ? "\xE2\x96\xB8" : "\xE2\x96\xAA");           /* ▸ ▪ */
    else if (r->control_steps) symbol(r, slow ? "\xE2\x96\xB9" : "\xE2\x96\xAB");   /* ▹ ▫ */
    else if (r->eos_steps) symbol(r, "\xE2\x97\xA6");                               /* ◦ */
    r->text_steps = r->control_steps = r->eos_steps = 0;
}

/* Symbols for what was done since they were last shown. */
static void show_work(report *r) {
    if (r->now.encoder_tokens > r->shown.encoder_tokens) symbol(r, "\xE2\x96\xB6"); /* ▶ */
    int64_t steps = r->now.decoder_steps - r->shown.decoder_steps;
    if (r->now.decoder_steps == 0 && !r->waiting) {
        symbol(r, "\xE2\x8C\x9B");                                                  /* ⌛ */
        r->waiting = 1;
    }
    if (steps > 0 && r->shown.decoder_steps == 0) symbol(r, "\xC2\xB7");            /* · */
    if (steps > 0) show_decoder(r, steps, r->now.decoder_ms - r->shown.decoder_ms);
    r->shown = r->now;
}

static void count_token(report *r, int id) {
    size_t length = 0;
    if (r->model) vox_model_token_bytes(r->model, id, &length);
    if (length > 0) {
        r->now.text_tokens++;
        r->text_steps++;
    } else if (id == TOKEN_EOS) {
        r->eos_steps++;
    } else {
        r->control_steps++;
    }
}

static void add_finished(report *r) {
    r->finished.encoder_tokens += r->now.encoder_tokens;
    r->finished.decoder_steps += r->now.decoder_steps;
    r->finished.decoder_passes += r->now.decoder_passes;
    r->finished.text_tokens += r->now.text_tokens;
    r->finished.encoder_ms += r->now.encoder_ms;
    r->finished.decoder_ms += r->now.decoder_ms;
    r->finished.prefill_ms += r->now.prefill_ms;
    memset(&r->now, 0, sizeof r->now);
    memset(&r->shown, 0, sizeof r->shown);
    r->waiting = 0;
}

void report_event(report *r, const vox_event *event) {
    if (event->type == VOX_EVENT_TOKEN) count_token(r, event->id);
    if (event->type != VOX_EVENT_STATS && event->type != VOX_EVENT_UTTERANCE_END) return;
    r->now.encoder_tokens = event->encoder_tokens;
    r->now.decoder_steps = event->decoder_steps;
    r->now.decoder_passes = event->decoder_passes;
    r->now.encoder_ms = event->encoder_ms;
    r->now.decoder_ms = event->decoder_ms;
    r->now.prefill_ms = event->prefill_ms;
    if (r->monitor) show_work(r);
    if (r->verbosity >= 2)
        report_note(r, "  Utterance %" PRId64 ": %.2f s in, %.2f s done, encoder %.1f ms, "
                    "decoder %.1f ms, %" PRId64 " steps", event->utterance, event->audio_in,
                    event->audio_done, event->encoder_ms, event->decoder_ms,
                    event->decoder_steps);
    if (event->type == VOX_EVENT_UTTERANCE_END) add_finished(r);
}

void report_summary(report *r) {
    add_finished(r);
    const work *w = &r->finished;
    if (r->verbosity < 1) return;
    report_note(r, "Encoder: %" PRId64 " mel -> %" PRId64 " tokens (%.0f ms)",
                w->encoder_tokens * MEL_PER_TOKEN, w->encoder_tokens, w->encoder_ms);
    if (w->decoder_steps == 0) return;
    report_note(r, "Decoder: %" PRId64 " text tokens (%" PRId64 " steps) in %.0f ms "
                "(prefill %.0f ms + %.1f ms/step)", w->text_tokens, w->decoder_steps,
                w->decoder_ms + w->prefill_ms, w->prefill_ms,
                w->decoder_ms / (double)w->decoder_steps);
    if (w->decoder_passes == 0) return;
    report_note(r, "Passes: %" PRId64 " (%.2f steps in each)", w->decoder_passes,
                (double)w->decoder_steps / (double)w->decoder_passes);
}
