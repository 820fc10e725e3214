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

static vox_status fail(vox_stream *s, vox_status status, const char *text) {
    vox_error err = { s->error, sizeof s->error };
    return vox_fail(&err, status, "%s", text);
}

static vox_status no_memory(vox_stream *s) {
    return fail(s, VOX_ERR_MEMORY, "There is no memory to go on.");
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
        if (!pending) return no_memory(s);
        if (s->pending) memcpy(pending, s->pending, s->n_pending * sizeof *pending);
        vox_free(s->pending);
        s->pending = pending;
        s->pending_room = room;
    }
    s->params.interval_s = seconds;
    return VOX_OK;
}

static vox_status set_delay(vox_stream *s, int delay_ms) {
    if (vox_prompt_get(s->model, delay_ms / 80, &s->next) != VOX_OK) return no_memory(s);
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
    if (status != VOX_OK) return no_memory(s);
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

static void send(const vox_stream *s, vox_event *event) {
    event->utterance = s->utterance;
    if (s->params.on_event) s->params.on_event(event, s->params.user);
}

/* Tokens of sound encoded in this utterance, left padding included. */
static int64_t encoded(const vox_stream *s) { return s->state.encoded + s->rescue.dropped; }

/* STATS, WARNING, UTTERANCE_END and END. */
static void send_state(const vox_stream *s, vox_event_type type, const char *reason) {
    const double in = (double)s->samples_in / VOX_SAMPLE_RATE, done = (double)s->generated * VOX_TOKEN_SECONDS;
    const int64_t before = s->model->tokenizer.n_left_pad;
    vox_event event = {
        .type = type,
        .audio_in = in,
        .audio_done = done < in ? done : in,
        .encoder_ms = s->encoder_ms,
        .decoder_ms = s->decoder_ms,
        .prefill_ms = s->prefill_ms,
        .encoder_tokens = s->open && encoded(s) > before ? encoded(s) - before : 0,
        .decoder_steps = s->generated,
        .decoder_passes = s->passes,
        .reason = reason,
    };
    send(s, &event);
}

static void send_choice(vox_stream *s, const vox_choice *choice) {
    vox_event token = { 0 }, text = { 0 };
    vox_words_token(&s->words, choice, &token);
    send(s, &token);
    if (vox_words_text(&s->words, choice, &text)) send(s, &text);
}

/* ---- work ------------------------------------------------------------------------------ */

static int must_stop(const vox_stream *s) { return s->params.abort && s->params.abort(s->params.user); }

/* Help the model out of a blank rut. The newest sound of token k is what its position hears. */
static void guard(vox_stream *s, float *logits) {
    const vox_model *m = s->model;
    const int64_t position = vox_prompt_length(m, s->prompt->delay) - 1 + s->generated - s->rescue.dropped;
    if (s->blank_bias != 0 && s->rut.blanks >= 40) logits[VOX_STREAMING_PAD] += s->blank_bias;
    if (s->params.no_rut_guard) return;
    if (vox_rut_guard(&s->rut, vox_voice_at(&s->state.voice, position), logits, m->config.vocab_size))
        send_state(s, VOX_EVENT_WARNING, "rut");
}

static void choose(vox_stream *s, float *logits) {
    const vox_model *m = s->model;
    const int vocab = m->config.vocab_size, specials = m->tokenizer.n_special;
    vox_choice choice = { .index = s->generated };
    guard(s, logits);
    const float most = logits[vox_argmax(logits, vocab)];
    vox_choose(logits, vocab, m->compute.kernels->sum_exp(logits, vocab, most), s->params.alternatives, &choice);
    s->token = choice.id;
    if (s->forced && s->generated < s->n_forced) s->token = s->forced[s->generated];
    vox_rut_chosen(&s->rut, s->token);
    vox_rescue_chosen(&s->rescue, s->token);
    s->generated++;
    vox_drafter_saw(&s->drafter, s->token, specials + vox_argmax(logits + specials, vocab - specials));
    send_choice(s, &choice);
}

/* The token behind each column that came true: path[n], whose last column is the first with logits,
 * grows by the guesses that were chosen. Returns its new length. */
static int choose_path(vox_stream *s, const int *ids, const vox_tree *tree, int columns, int *path, int n) {
    const int first = path[n - 1], vocab = s->model->config.vocab_size;
    for (;;) {
        const int at = path[n - 1];
        choose(s, s->model->logits + (size_t)(at - first) * (size_t)vocab);
        int next = at + 1;
        while (next < columns && (tree->parent[next] != at || ids[next] != s->token)) next++;
        if (next >= columns) return n;
        path[n++] = next;
    }
}

/* Feed tokens chosen before a rescue: prompt and they are known, up to but for the newest. */
static vox_status decode_again(vox_stream *s, int64_t end) {
    vox_utterance *u = &s->state;
    const int length = vox_prompt_length(s->model, s->prompt->delay), room = vox_kv_room(&u->decoder_kv, u->decoded);
    int ids[VOX_MAX_TREE], n = 0;
    while (n < room && n < VOX_MAX_TREE && n < u->n_audio - u->audio_at && u->decoded + n < end) {
        const int64_t position = u->decoded + n;
        ids[n++] = position < length ? vox_prompt_token(position) : vox_rescue_token(&s->rescue, position - length);
    }
    const vox_status status = vox_utterance_decode(u, ids, n, NULL, s->prompt->ffn_scale, 0);
    if (status == VOX_OK) vox_utterance_keep(u, NULL, n);
    return status;
}

/* One pass: what is left of the prompt, or the newest token, and guesses at those behind. */
static vox_status decode_once(vox_stream *s) {
    vox_utterance *u = &s->state;
    const int length = vox_prompt_length(s->model, s->prompt->delay), room = vox_kv_room(&u->decoder_kv, u->decoded);
    const int waiting = u->n_audio - u->audio_at < room ? u->n_audio - u->audio_at : room;
    const int prefill = u->decoded < length;
    const int64_t again = s->rescue.again ? length - 1 + s->rescue.again : 0;
    if (u->decoded < again) return decode_again(s, again);
    int ids[VOX_MAX_TREE], path[VOX_MAX_TREE], known = 0;
    vox_tree tree;
    do {
        ids[known] = prefill ? vox_prompt_token(u->decoded + known) : s->token;
        path[known] = tree.depth[known] = known;
        tree.parent[known] = known - 1;
        known++;
    } while (known < waiting && u->decoded + known < length);
    const int generates = u->decoded + known >= length;
    const int n = generates ? vox_draft(&s->drafter, known, waiting - 1, ids, &tree) : known;

    const double start = vox_now_ms();
    const vox_status status = vox_utterance_decode(u, ids, n, &tree, s->prompt->ffn_scale, generates ? n - known + 1 : 0);
    if (status != VOX_OK) return status;
    const double ms = vox_now_ms() - start;
    *(prefill ? &s->prefill_ms : &s->decoder_ms) += ms;
    if (!prefill) {
        s->passes++;
        vox_drafter_took(&s->drafter, n, ms);
    }
    vox_utterance_keep(u, path, generates ? choose_path(s, ids, &tree, n, path, known) : known);
    return VOX_OK;
}

/* Decode all embeddings that wait. */
static vox_status decode(vox_stream *s) {
    while (s->state.audio_at < s->state.n_audio) {
        if (must_stop(s)) return fail(s, VOX_ERR_ABORTED, "Stopped as asked.");
        const vox_status status = decode_once(s);
        if (status == VOX_ERR_MEMORY) return no_memory(s);
        if (status != VOX_OK) return status;
    }
    return VOX_OK;
}

/* Encode and decode everything heard. */
static vox_status work(vox_stream *s) {
    for (;;) {
        vox_status status = decode(s);
        if (status != VOX_OK) return status;
        if (!vox_utterance_ready(&s->state)) return VOX_OK;
        if (must_stop(s)) return fail(s, VOX_ERR_ABORTED, "Stopped as asked.");
        const double start = vox_now_ms();
        status = vox_utterance_encode(&s->state);
        if (status == VOX_ERR_MEMORY) return no_memory(s);
        if (status != VOX_OK) return status;
        s->encoder_ms += vox_now_ms() - start;
        status = decode(s);
        if (status != VOX_OK) return status;
        send_state(s, VOX_EVENT_STATS, NULL);
    }
}

/* Begin the state anew, on the backend that the model has now. */
static vox_status renew(vox_stream *s) {
    vox_utterance_free(&s->state);
    vox_status status = vox_prompt_get(s->model, s->prompt->delay, &s->prompt);
    if (status == VOX_OK) status = vox_utterance_init(&s->state, s->model);
    if (status != VOX_OK) return status;
    s->state.tap = s->tap.fn ? &s->tap : NULL;
    vox_utterance_continue(&s->state, &s->prompt->state);
    return vox_utterance_prepare(&s->state);
}

/* The GPU that had the utterance has failed: the CPU is to hear its newest sound again and is told the
 * tokens chosen so far; then it goes on. */
static vox_status rescue(vox_stream *s) {
    vox_model_fall_back(s->model);
    if (renew(s) != VOX_OK) return no_memory(s);
    vox_rescue_begin(&s->rescue, s->model->config.samples_per_token);
    send_state(s, VOX_EVENT_WARNING, "gpu");
    return VOX_OK;
}

/* Hear the next of what is pending, or of what a rescue has to hear again. */
static void hear(vox_stream *s) {
    const float *again;
    const size_t n = vox_rescue_samples(&s->rescue, &again);
    if (n > 0) {
        s->rescue.at += (int64_t)vox_utterance_hear(&s->state, again, n);
        return;
    }
    const float *samples = s->pending + s->pending_at;
    const size_t used = vox_utterance_hear(&s->state, samples, s->n_pending - s->pending_at);
    vox_rescue_heard(&s->rescue, samples, used);
    s->pending_at += used;
}

/* Hear what is pending and work on it. After an abort or without memory the rest stays pending. */
static vox_status consume(vox_stream *s) {
    const double start = vox_now_ms();
    const int64_t before = encoded(s);
    const int steady = s->generated > 0 && s->padding < 0;
    for (;;) {
        vox_status status = s->state.backend == s->model->backend ? work(s) : VOX_ERR_DEVICE;
        if (status == VOX_ERR_DEVICE) status = rescue(s);
        if (status != VOX_OK) return status;
        if (s->pending_at == s->n_pending && s->rescue.at == s->rescue.n_samples) break;
        hear(s);
    }
    s->pending_at = s->n_pending = 0;
    if (steady && encoded(s) - before <= VOX_PACE_TOKENS)
        vox_pace_took(&s->pace, (int)(encoded(s) - before), vox_now_ms() - start);
    return VOX_OK;
}

/* Tokens that could be encoded now: those whose last frame's look-ahead is there as well. */
static int64_t tokens_waiting(const vox_stream *s) {
    const vox_config *c = &s->model->config;
    const int64_t look_ahead = c->mel_window / 2 - c->mel_hop;
    const int64_t heard = (int64_t)s->model->tokenizer.n_left_pad * c->samples_per_token + s->samples_in;
    return (heard - look_ahead) / c->samples_per_token - encoded(s);
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
        if (renew(s) != VOX_OK) return no_memory(s);
    } else if (s->fresh) {
        vox_utterance_reset(&s->state);
        if (vox_prompt_play(&s->state, s->prompt->ffn_scale) != VOX_OK) return no_memory(s);
    } else {
        vox_utterance_continue(&s->state, &s->prompt->state);
        if (vox_utterance_prepare(&s->state) != VOX_OK) return no_memory(s);
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
    send_state(s, VOX_EVENT_UTTERANCE_END, reason);
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
    if (s->finished) return fail(s, VOX_ERR_STATE, "The stream has been finished; open another one.");
    if (s->open && s->padding >= 0)
        return fail(s, VOX_ERR_STATE, "The utterance is being flushed; flush again or reset first.");
    if (n == 0) return VOX_OK;
    if (!f && !i16) return fail(s, VOX_ERR_ARGUMENT, "There are no samples to feed.");
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
        if (tokens_waiting(s) >= most || s->n_pending == s->pending_room) status = consume(s);
    }
    return status == VOX_OK && tokens_waiting(s) >= tokens_wanted(s) ? consume(s) : status;
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
    if (s->finished) return fail(s, VOX_ERR_STATE, "The stream has been finished; open another one.");
    if (s->open) {
        if (s->padding < 0) s->padding = flush_padding(s);
        do {
            pad(s);
            const vox_status status = consume(s);
            if (status != VOX_OK) return status;
        } while (s->padding > 0);
        vox_event event = { 0 };
        if (vox_words_end(&s->words, &event)) send(s, &event);
    }
    end(s, "flush");
    return VOX_OK;
}

vox_status vox_stream_finish(vox_stream *s) {
    vox_status status = s->open ? vox_stream_flush(s) : VOX_OK;
    if (status != VOX_OK) return status;
    if (s->finished) return fail(s, VOX_ERR_STATE, "The stream has been finished already.");
    send_state(s, VOX_EVENT_END, NULL);
    s->finished = 1;
    return VOX_OK;
}

vox_status vox_stream_reset(vox_stream *s) {
    if (s->finished) return fail(s, VOX_ERR_STATE, "The stream has been finished; open another one.");
    end(s, "reset");
    return VOX_OK;
}
