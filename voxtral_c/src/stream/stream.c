#include "stream.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#define MIN_INTERVAL VOX_TOKEN_SECONDS
#define MAX_INTERVAL 60.0
/* Tokens of silence behind the delay that end an utterance, and those of them by which its last word
 * has nearly always begun. */
enum { AFTER_DELAY = 11, LAST_WORD = 3 };

vox_stream_params vox_stream_default_params(void) { return (vox_stream_params){ .interval_s = 0.5 }; }

vox_status vox_stream_fail(vox_stream *s, vox_status status, const char *text) {
    vox_error err = { s->error, sizeof s->error };
    return vox_fail(&err, status, "%s", text);
}

vox_status vox_stream_no_memory(vox_stream *s) {
    return vox_stream_fail(s, VOX_ERR_MEMORY, "There is no memory to go on.");
}

/* ---- parameters ------------------------------------------------------------------------ */

static vox_status check_delay(int delay_ms, vox_error *err) {
    if (delay_ms == 2400 || (delay_ms >= 80 && delay_ms <= 1200 && delay_ms % 80 == 0)) return VOX_OK;
    return vox_fail(err, VOX_ERR_ARGUMENT,
                    "A delay of %d ms is not possible; it must be a multiple of 80 from 80 to 1200, or 2400.", delay_ms);
}

static vox_status check_interval(double seconds, vox_error *err) {
    if (seconds >= MIN_INTERVAL && seconds <= MAX_INTERVAL) return VOX_OK;
    return vox_fail(err, VOX_ERR_ARGUMENT, "An interval of %g s is not possible; it must be from %g to %g.",
                    seconds, MIN_INTERVAL, MAX_INTERVAL);
}

/* Whole tokens that an interval gathers. */
static int64_t interval_tokens(double seconds) { return (int64_t)(seconds / VOX_TOKEN_SECONDS + 1e-6); }

/* Samples that may have to be kept: an interval or a batch of a flush, and what a mel frame looks
 * ahead. */
static size_t room_for(const vox_stream *s, double seconds) {
    const vox_config *c = &s->model->config;
    const int64_t tokens = interval_tokens(seconds), least = VOX_BATCH_TOKENS;
    return (size_t)((tokens > least ? tokens : least) + 1) * (size_t)c->samples_per_token + (size_t)c->mel_window;
}

static vox_status set_interval(vox_stream *s, double seconds) {
    const size_t room = room_for(s, seconds);
    if (room > s->pending_room) {
        float *pending = vox_alloc(room, sizeof *pending);
        if (!pending) return vox_stream_no_memory(s);
        if (s->pending) memcpy(pending, s->pending, s->n_pending * sizeof *pending);
        vox_free(s->pending);
        s->pending = pending;
        s->pending_room = room;
    }
    s->params.interval_s = seconds;
    return VOX_OK;
}

static vox_status set_delay(vox_stream *s, int delay_ms) {
    if (vox_prompt_get(s->model, delay_ms / 80, &s->next) != VOX_OK) return vox_stream_no_memory(s);
    s->params.delay_ms = delay_ms;
    return VOX_OK;
}

vox_status vox_stream_configure(vox_stream *s, int delay_ms, double interval_s) {
    vox_error err = { s->error, sizeof s->error };
    if (delay_ms == 0) delay_ms = s->model->tokenizer.delay_ms;
    vox_status status = check_delay(delay_ms, &err);
    if (status == VOX_OK) status = check_interval(interval_s, &err);
    if (status == VOX_OK) status = set_interval(s, interval_s);
    if (status == VOX_OK) status = set_delay(s, delay_ms);
    return status;
}

/* ---- open and close -------------------------------------------------------------------- */

static vox_status init(vox_stream *s) {
    vox_status status = vox_utterance_init(&s->state, s->model);
    if (status == VOX_OK) status = vox_words_init(&s->words, &s->model->tokenizer);
    if (status == VOX_OK && s->model->backend != &vox_backend_cpu) status = vox_rescue_init(&s->rescue);
    if (status != VOX_OK) return vox_stream_no_memory(s);
    s->state.n_best = 1 + s->params.alternatives;
    vox_drafter_init(&s->drafter);
    s->drafter.columns = s->params.no_draft;
    status = set_interval(s, s->params.interval_s);
    return status == VOX_OK ? set_delay(s, s->params.delay_ms) : status;
}

vox_status vox_stream_open(vox_model *model, const vox_stream_params *params, vox_stream **out,
                           char *err_text, size_t err_size) {
    vox_error err = { err_text, err_size };
    if (err_text && err_size) err_text[0] = 0;
    if (!out) return vox_fail(&err, VOX_ERR_ARGUMENT, "There is nowhere to put the stream.");
    *out = NULL;
    if (!model) return vox_fail(&err, VOX_ERR_ARGUMENT, "A stream needs a model.");
    vox_stream_params p = params ? *params : vox_stream_default_params();
    if (p.delay_ms == 0) p.delay_ms = model->tokenizer.delay_ms;
    vox_status status = check_delay(p.delay_ms, &err);
    if (status == VOX_OK) status = check_interval(p.interval_s, &err);
    if (status == VOX_OK && (p.alternatives < 0 || p.alternatives > VOX_MAX_ALTERNATIVES))
        status = vox_fail(&err, VOX_ERR_ARGUMENT, "The number of alternatives must be from 0 to %d.", VOX_MAX_ALTERNATIVES);
    if (status != VOX_OK) return status;
    vox_stream *s = vox_alloc_zero(1, sizeof *s);
    if (!s) return vox_fail(&err, VOX_ERR_MEMORY, "There is no memory for a stream.");
    s->model = model;
    s->params = p;
    s->padding = -1;
    status = init(s);
    if (status != VOX_OK) {
        vox_fail(&err, status, "%s", s->error);
        vox_stream_close(s);
        return status;
    }
    *out = s;
    return VOX_OK;
}

void vox_stream_close(vox_stream *s) {
    if (!s) return;
    vox_utterance_free(&s->state);
    vox_words_free(&s->words);
    vox_rescue_free(&s->rescue);
    vox_free(s->pending);
    vox_free(s);
}

const char *vox_stream_error(const vox_stream *s) { return s->error; }

/* ---- events ---------------------------------------------------------------------------- */

void vox_stream_send(const vox_stream *s, vox_event *event) {
    event->utterance = s->utterance;
    if (s->params.on_event) s->params.on_event(event, s->params.user);
}

void vox_stream_send_state(const vox_stream *s, vox_event_type type, const char *reason) {
    const double in = (double)s->samples_in / VOX_SAMPLE_RATE, done = (double)s->generated * VOX_TOKEN_SECONDS;
    const int64_t before = s->model->tokenizer.n_left_pad;
    vox_event event = {
        .type = type,
        .audio_in = in,
        .audio_done = done < in ? done : in,
        .encoder_ms = s->encoder_ms,
        .decoder_ms = s->decoder_ms,
        .prefill_ms = s->prefill_ms,
        .encoder_tokens = s->open && vox_stream_encoded(s) > before ? vox_stream_encoded(s) - before : 0,
        .decoder_steps = s->generated,
        .decoder_passes = s->passes,
        .reason = reason,
    };
    vox_stream_send(s, &event);
}

/* ---- sound that waits ------------------------------------------------------------------- */

/* Tokens that could be encoded now: those whose last frame's look-ahead is there as well. */
static int64_t tokens_waiting(const vox_stream *s) {
    const vox_config *c = &s->model->config;
    const int64_t look_ahead = c->mel_window / 2 - c->mel_hop;
    const int64_t heard = (int64_t)s->model->tokenizer.n_left_pad * c->samples_per_token + s->samples_in;
    return (heard - look_ahead) / c->samples_per_token - vox_stream_encoded(s);
}

/* So many are worth working on although more sound may come soon. */
static int64_t tokens_wanted(const vox_stream *s) {
    const int64_t most = interval_tokens(s->params.interval_s);
    return s->whole ? most : vox_pace_gather(&s->pace, (int)most);
}

/* ---- utterances ------------------------------------------------------------------------ */

static vox_status begin(vox_stream *s) {
    s->prompt = s->next;
    s->state.tap = s->tap.fn ? &s->tap : NULL;
    if (s->state.backend != s->model->backend) {     /* which has fallen back */
        if (vox_stream_renew(s) != VOX_OK) return vox_stream_no_memory(s);
    } else if (s->fresh) {
        vox_utterance_reset(&s->state);
        if (vox_prompt_play(&s->state, s->prompt->ffn_scale) != VOX_OK) return vox_stream_no_memory(s);
    } else {
        vox_utterance_continue(&s->state, &s->prompt->state);
        if (vox_utterance_prepare(&s->state) != VOX_OK) return vox_stream_no_memory(s);
    }
    vox_words_reset(&s->words);
    vox_rut_reset(&s->rut);
    vox_rescue_reset(&s->rescue);
    vox_drafter_begin(&s->drafter);
    s->generated = s->samples_in = 0;
    s->n_pending = s->pending_at = 0;
    s->encoder_ms = s->decoder_ms = s->prefill_ms = 0;
    s->passes = 0;
    s->padding = -1;
    s->open = 1;
    return VOX_OK;
}

static void end(vox_stream *s, const char *reason) {
    vox_stream_send_state(s, VOX_EVENT_UTTERANCE_END, reason);
    s->open = 0;
    s->generated = s->samples_in = 0;
    s->encoder_ms = s->decoder_ms = s->prefill_ms = 0;
    s->passes = 0;
    s->utterance++;
}

/* NaN and infinity become silence; what is far beyond full scale is limited, so that no sum
 * overflows. */
static float clean(float v) {
    if (!isfinite(v)) return 0;
    return v > 64.0f ? 64.0f : v < -64.0f ? -64.0f : v;
}

static vox_status feed(vox_stream *s, const float *f, const int16_t *i16, size_t n) {
    if (s->finished) return vox_stream_fail(s, VOX_ERR_STATE, "The stream has been finished; open another one.");
    if (s->open && s->padding >= 0)
        return vox_stream_fail(s, VOX_ERR_STATE, "The utterance is being flushed; flush again or reset first.");
    if (n == 0) return VOX_OK;
    if (!f && !i16) return vox_stream_fail(s, VOX_ERR_ARGUMENT, "There are no samples to feed.");
    vox_status status = s->open ? VOX_OK : begin(s);
    const int64_t most = interval_tokens(s->params.interval_s);
    for (size_t at = 0; at < n && status == VOX_OK;) {
        size_t take = s->pending_room - s->n_pending;
        if (take > n - at) take = n - at;
        for (size_t i = 0; i < take; i++)
            s->pending[s->n_pending + i] = f ? clean(f[at + i]) : (float)i16[at + i] / 32768.0f;
        s->n_pending += take;
        s->samples_in += (int64_t)take;
        at += take;
        if (tokens_waiting(s) >= most || s->n_pending == s->pending_room) status = vox_stream_work(s);
    }
    return status == VOX_OK && tokens_waiting(s) >= tokens_wanted(s) ? vox_stream_work(s) : status;
}

vox_status vox_stream_feed(vox_stream *s, const float *samples, size_t n) { return feed(s, samples, NULL, n); }

vox_status vox_stream_feed_s16(vox_stream *s, const int16_t *samples, size_t n) { return feed(s, NULL, samples, n); }

/* Silence up to a whole token, for the delay and a little more; then what the last frame looks
 * ahead. */
static int64_t flush_padding(const vox_stream *s) {
    const vox_config *c = &s->model->config;
    const int64_t token = c->samples_per_token, part = s->samples_in % token;
    return (part ? token - part : 0) + (s->prompt->delay + AFTER_DELAY) * token + c->mel_window / 2;
}

/* Put silence behind what is pending: first as much as the last word may need, then the rest. */
static void pad(vox_stream *s) {
    const int64_t token = s->model->config.samples_per_token, later = (AFTER_DELAY - LAST_WORD) * token;
    const int64_t now = s->padding > later ? s->padding - later : s->padding;
    const size_t room = s->pending_room - s->n_pending, n = now < (int64_t)room ? (size_t)now : room;
    memset(s->pending + s->n_pending, 0, n * sizeof *s->pending);
    s->n_pending += n;
    s->padding -= (int64_t)n;
}

vox_status vox_stream_flush(vox_stream *s) {
    if (s->finished) return vox_stream_fail(s, VOX_ERR_STATE, "The stream has been finished; open another one.");
    if (s->open) {
        if (s->padding < 0) s->padding = flush_padding(s);
        do {
            pad(s);
            const vox_status status = vox_stream_work(s);
            if (status != VOX_OK) return status;
        } while (s->padding > 0);
        vox_event event = { 0 };
        if (vox_words_end(&s->words, &event)) vox_stream_send(s, &event);
    }
    end(s, "flush");
    return VOX_OK;
}

vox_status vox_stream_finish(vox_stream *s) {
    vox_status status = s->open ? vox_stream_flush(s) : VOX_OK;
    if (status != VOX_OK) return status;
    if (s->finished) return vox_stream_fail(s, VOX_ERR_STATE, "The stream has been finished already.");
    vox_stream_send_state(s, VOX_EVENT_END, NULL);
    s->finished = 1;
    return VOX_OK;
}

vox_status vox_stream_reset(vox_stream *s) {
    if (s->finished) return vox_stream_fail(s, VOX_ERR_STATE, "The stream has been finished; open another one.");
    end(s, "reset");
    return VOX_OK;
}
