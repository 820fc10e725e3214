/* session.c - one run: a model, an input and an output brought together
 *
 * The input's thread fills a queue; this thread takes from it, feeds the engine and writes what
 * the engine says, all in the order in which the sound came.
 */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "exit_codes.h"
#include "input.h"
#include "interrupt.h"
#include "output.h"
#include "process.h"
#include "progress.h"
#include "report.h"
#include "silence.h"

enum { MOST_SAMPLES = 2 * VOX_SAMPLE_RATE };    /* taken from the queue at once */

typedef struct session {
    const options *opt;
    vox_model *model;
    vox_stream *stream;
    vox_model_info info;
    input in;
    output out;
    int out_opened;
    report report;
    progress progress;
    silence_gate gate;
    int delay_ms;
    double interval;
    int ending;               /* the utterance is being flushed: what waits is of the next one */
    int gpu_told;
    int done;                 /* nothing more is to be taken from the queue */
    int exit_code;
} session;

/* ---- failures -------------------------------------------------------------------------- */

static int open_output(session *s) {
    if (s->out_opened) return 1;
    s->out_opened = 1;
    int failed = writer_open(&s->out.writer, s->opt->output_path);
    if (!failed) return 1;
    char message[256];
    snprintf(message, sizeof message, "%s cannot be written: %s.", s->opt->output_path,
             strerror(failed));
    report_error(&s->report, message);
    s->out.writer.error = failed;
    s->exit_code = EXIT_UNUSABLE;
    s->done = 1;
    return 0;
}

/* The end of the run, with one sentence. Returns 0. */
static int fail(session *s, int exit_code, const char *code, const char *message) {
    report_error(&s->report, message);
    s->exit_code = exit_code;
    s->done = 1;
    /* Before the run began only events need the output: opening it empties a file. */
    if (s->out.message && open_output(s)) output_message(&s->out, "error", code, message);
    return 0;
}

static void warn(session *s, const char *code, const char *message) {
    report_warning(&s->report, message);
    output_message(&s->out, "warning", code, message);
}

/* Go on after a call of the engine? */
static int check(session *s, vox_status status) {
    if (s->out.writer.closed || s->out.writer.error) s->done = 1;
    if (status != VOX_OK && status != VOX_ERR_ABORTED) {
        const char *why = vox_stream_error(s->stream);
        return fail(s, EXIT_FAILED, vox_status_name(status), *why ? why : "The engine failed.");
    }
    return !s->done;
}

/* ---- what the engine says -------------------------------------------------------------- */

/* A GPU that fails is news, once. */
static void tell_of_gpu(session *s) {
    char message[600];
    vox_model_get_info(s->model, &s->info);
    if (!s->info.gpu_failed || s->gpu_told) return;
    s->gpu_told = 1;
    snprintf(message, sizeof message, "%s %s", s->info.gpu_why,
             s->info.gpu ? "The processor goes on; no words are lost." : "The processor is used instead.");
    warn(s, "gpu", message);
}

static void on_event(const vox_event *event, void *user) {
    session *s = user;
    if (event->type == VOX_EVENT_WARNING) {
        if (!strcmp(event->reason, "gpu")) {
            tell_of_gpu(s);
            return;
        }
        warn(s, event->reason, "The model had stopped writing although there was speech; it has "
             "been made to write again. Words of the last half minute may be missing.");
        return;
    }
    if (event->type == VOX_EVENT_STATS)
        s->out.queued_seconds =
            s->ending ? 0 : (double)audio_queue_waiting(s->in.queue) / VOX_SAMPLE_RATE;
    output_event(&s->out, event);
    report_event(&s->report, event);
}

static int should_abort(void *user) {
    const session *s = user;
    return s->out.writer.closed || s->out.writer.error;      /* nobody will read the words */
}

/* ---- what the engine is given ---------------------------------------------------------- */

static int feed(void *user, const float *samples, size_t n) {
    session *s = user;
    return check(s, vox_stream_feed(s->stream, samples, n));
}

static int flush(void *user) {
    session *s = user;
    s->ending = 1;
    vox_status status = vox_stream_flush(s->stream);
    s->ending = 0;
    return check(s, status);
}

static int pause_output(void *user) {
    session *s = user;
    return output_pause(&s->out);
}

static void configure(session *s, const audio_mark *mark) {
    int delay_ms = mark->delay_ms < 0 ? s->delay_ms : mark->delay_ms;
    double interval = mark->interval < 0 ? s->interval : mark->interval;
    if (delay_ms == 0) delay_ms = s->info.default_delay_ms;
    if (vox_stream_configure(s->stream, delay_ms, interval) != VOX_OK) {
        const char *why = vox_stream_error(s->stream);
        warn(s, "bad_config", *why ? why : "The configuration is out of range.");
        return;
    }
    tell_of_gpu(s);
    s->delay_ms = delay_ms;
    s->interval = interval;
    output_configured(&s->out, delay_ms, interval);
}

static void handle_mark(session *s, const audio_mark *mark) {
    switch (mark->type) {
    case MARK_FLUSH: flush(s); break;
    case MARK_RESET: check(s, vox_stream_reset(s->stream)); break;
    case MARK_CONFIGURE: configure(s, mark); break;
    case MARK_WARNING: warn(s, mark->code, mark->message); break;
    case MARK_ERROR:                          /* the words until then are not lost */
        if (flush(s)) fail(s, mark->exit_code, mark->code, mark->message);
        break;
    case MARK_END: s->done = 1; break;
    }
}

static void take_and_feed(session *s) {
    static float samples[MOST_SAMPLES];
    size_t most = (size_t)(s->interval * VOX_SAMPLE_RATE);
    audio_mark mark;
    if (most > MOST_SAMPLES) most = MOST_SAMPLES;
    /* The last stats before a wait are those that stay on somebody's screen. */
    if (s->out.holds && !audio_queue_wait(s->in.queue, 0.1)) {
        s->out.queued_seconds = 0;
        output_event(&s->out, &s->out.held);
    }
    size_t n = audio_queue_take(s->in.queue, samples, most, &mark);
    if (n == 0) handle_mark(s, &mark);
    else if (s->opt->silence_ms) silence_feed(&s->gate, samples, n);
    else feed(s, samples, n);
}

/* ---- the run --------------------------------------------------------------------------- */

/* Weights are quantised or arranged, the first time. Programs see it, too: nothing else comes for long. */
static int on_prepared(double done, void *user) {
    session *s = user;
    if (progress_show(&s->progress, done) && s->out.progress && open_output(s))
        output_progress(&s->out, done, s->progress.what);
    return interrupt_requested() || s->done || s->out.writer.closed || s->out.writer.error;
}

static int load(session *s, double *load_ms) {
    char err[512] = "";
    vox_model_params params = s->opt->model;
    params.on_progress = on_prepared;
    params.user = s;
    report_note(&s->report, "Loading weights...");
    progress_init(&s->progress, "Preparing the weights, once", s->opt->silent);
    double start = process_seconds();
    vox_status status = vox_model_load(s->opt->model_dir, &params, &s->model, err, sizeof err);
    progress_end(&s->progress);
    if (status == VOX_ERR_ABORTED) {
        s->done = 1;
        return 0;                             /* the exit code tells */
    }
    if (status != VOX_OK) return fail(s, EXIT_UNUSABLE, vox_status_name(status), err);
    *load_ms = (process_seconds() - start) * 1000;
    vox_model_get_info(s->model, &s->info);
    s->report.model = s->model;
    report_note(&s->report, "Model loaded.");
    if (s->info.gpu) report_note(&s->report, "GPU: %s", s->info.gpu);
    else if (s->opt->debug && s->info.gpu_why[0]) report_note(&s->report, "No GPU: %s", s->info.gpu_why);
    if (s->opt->debug)
        report_note(&s->report, "  %.1f million parameters, %s, kernels %s, %d threads, %.0f ms",
                    (double)s->info.parameters / 1e6, s->info.precision, s->info.kernels,
                    s->info.threads, *load_ms);
    return 1;
}

static int open_stream(session *s) {
    char err[512] = "";
    vox_stream_params params = vox_stream_default_params();
    params.delay_ms = s->opt->delay_ms;
    params.interval_s = s->opt->interval;
    params.no_draft = s->opt->no_draft;
    params.no_rut_guard = s->opt->no_rut_guard;
    if (s->opt->alt_cutoff >= 0)              /* voxtral.c shows the best three in its text */
        params.alternatives = s->opt->output == OUTPUT_EVENTS ? VOX_MAX_ALTERNATIVES : 2;
    params.on_event = on_event;
    params.abort = should_abort;
    params.user = s;
    vox_status status = vox_stream_open(s->model, &params, &s->stream, err, sizeof err);
    if (status != VOX_OK) return fail(s, EXIT_UNUSABLE, vox_status_name(status), err);
    s->delay_ms = s->opt->delay_ms ? s->opt->delay_ms : s->info.default_delay_ms;
    s->interval = s->opt->interval;
    return 1;
}

static int start(session *s) {
    input_error error;
    double load_ms = 0;
    if (!input_open(&s->in, s->opt, &error))
        return fail(s, error.exit_code, error.code, error.message);
    if (!load(s, &load_ms) || !open_stream(s) || !open_output(s)) return 0;
    vox_model_get_info(s->model, &s->info);
    ready_info ready = {s->info, s->opt->model_dir, s->info.backend, s->delay_ms, s->interval, load_ms};
    output_ready(&s->out, &ready);
    if (*s->info.note) warn(s, "no_copy", s->info.note);
    if (*s->info.little_memory) warn(s, "little_memory", s->info.little_memory);
    tell_of_gpu(s);
    if (!input_start(&s->in, &error))
        return fail(s, error.exit_code, error.code, error.message);
    double seconds = input_seconds(&s->in);
    if (seconds >= 0)
        report_note(&s->report, "Audio: %.0f samples (%.1f seconds)", seconds * VOX_SAMPLE_RATE,
                    seconds);
    if (s->opt->input == INPUT_MICROPHONE)
        report_note(&s->report, "Listening (Ctrl+C to stop)...");
    return 1;
}

static void work_until_end(session *s) {
    while (!s->done) {
        /* What was said before Ctrl+C is still wanted; the rest of a file is not. */
        if (interrupt_requested() && s->opt->input == INPUT_FILE) break;
        take_and_feed(s);
    }
    if (s->exit_code || s->out.writer.closed || s->out.writer.error) return;
    if (interrupt_requested() && s->opt->input == INPUT_MICROPHONE)
        report_note(&s->report, "Stopping...");
    if (s->opt->silence_ms && !silence_finish(&s->gate)) return;
    check(s, vox_stream_finish(s->stream));
}

static void finish(session *s) {
    input_close(&s->in);
    vox_stream_close(s->stream);
    int failed = s->out_opened ? output_close(&s->out) : 0;
    if (failed && !s->exit_code) {
        char message[128];
        snprintf(message, sizeof message, "Writing failed: %s.", strerror(failed));
        report_error(&s->report, message);
        s->exit_code = EXIT_FAILED;
    }
    if (s->model && !s->exit_code) report_summary(&s->report);
    vox_model_free(s->model);
    if (interrupt_requested() && s->exit_code == EXIT_DONE) s->exit_code = EXIT_INTERRUPTED;
}

int session_run(const options *opt) {
    session s;
    memset(&s, 0, sizeof s);
    s.opt = opt;
    report_init(&s.report, opt);
    output_init(&s.out, opt);
    silence_init(&s.gate, opt->silence_ms, (silence_actions){feed, flush, pause_output, &s});
    if (start(&s)) work_until_end(&s);
    finish(&s);
    return s.exit_code;
}
