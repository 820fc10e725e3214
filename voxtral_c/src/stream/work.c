/* work.c - from sound that waits to tokens: hear, encode, decode with guesses, choose; and the same
 * again on the CPU when a GPU fails. */
#include "stream.h"

static void send_choice(vox_stream *s, const vox_choice *choice) {
    vox_event token = { 0 }, text = { 0 };
    vox_words_token(&s->words, choice, &token);
    vox_stream_send(s, &token);
    if (vox_words_text(&s->words, choice, &text)) vox_stream_send(s, &text);
}

static int must_stop(const vox_stream *s) { return s->params.abort && s->params.abort(s->params.user); }

/* Help the model out of a blank rut. The newest sound of token k is what its position hears. */
static void guard(vox_stream *s, vox_scores *scores) {
    const vox_model *m = s->model;
    const int64_t position = vox_prompt_length(m, s->prompt->delay) - 1 + s->generated - s->rescue.dropped;
    if (s->blank_bias != 0 && s->rut.blanks >= 40) scores->pad += s->blank_bias;
    if (s->params.no_rut_guard) return;
    if (vox_rut_guard(&s->rut, vox_voice_at(&s->state.voice, position), scores))
        vox_stream_send_state(s, VOX_EVENT_WARNING, "rut");
}

static void choose(vox_stream *s, vox_scores *scores) {
    vox_choice choice = { .index = s->generated };
    guard(s, scores);
    vox_choose(scores, s->params.alternatives, &choice);
    s->token = choice.id;
    if (s->forced && s->generated < s->n_forced) s->token = s->forced[s->generated];
    vox_rut_chosen(&s->rut, s->token);
    vox_rescue_chosen(&s->rescue, s->token);
    s->generated++;
    vox_drafter_saw(&s->drafter, s->token, scores->text);
    send_choice(s, &choice);
}

/* The token behind each column that came true: path[n], whose last column is the first with scores,
 * grows by the guesses that were chosen. Returns its new length. */
static int choose_path(vox_stream *s, const int *ids, const vox_tree *tree, int columns, int *path, int n) {
    const int first = path[n - 1];
    for (;;) {
        const int at = path[n - 1];
        choose(s, &s->model->scores[at - first]);
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
        if (must_stop(s)) return vox_stream_fail(s, VOX_ERR_ABORTED, "Stopped as asked.");
        const vox_status status = decode_once(s);
        if (status == VOX_ERR_MEMORY) return vox_stream_no_memory(s);
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
        if (must_stop(s)) return vox_stream_fail(s, VOX_ERR_ABORTED, "Stopped as asked.");
        const double start = vox_now_ms();
        status = vox_utterance_encode(&s->state);
        if (status == VOX_ERR_MEMORY) return vox_stream_no_memory(s);
        if (status != VOX_OK) return status;
        s->encoder_ms += vox_now_ms() - start;
        status = decode(s);
        if (status != VOX_OK) return status;
        vox_stream_send_state(s, VOX_EVENT_STATS, NULL);
    }
}

vox_status vox_stream_renew(vox_stream *s) {
    vox_utterance_free(&s->state);
    vox_status status = vox_prompt_get(s->model, s->prompt->delay, &s->prompt);
    if (status == VOX_OK) status = vox_utterance_init(&s->state, s->model);
    if (status != VOX_OK) return status;
    s->state.tap = s->tap.fn ? &s->tap : NULL;
    s->state.n_best = 1 + s->params.alternatives;
    vox_utterance_continue(&s->state, &s->prompt->state);
    return vox_utterance_prepare(&s->state);
}

/* The GPU that had the utterance has failed: the CPU is to hear its newest sound again and is told the
 * tokens chosen so far; then it goes on. */
static vox_status rescue(vox_stream *s) {
    vox_model_fall_back(s->model);
    if (vox_stream_renew(s) != VOX_OK) return vox_stream_no_memory(s);
    vox_rescue_begin(&s->rescue, s->model->config.samples_per_token);
    vox_stream_send_state(s, VOX_EVENT_WARNING, "gpu");
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

vox_status vox_stream_work(vox_stream *s) {
    const double start = vox_now_ms();
    const int64_t before = vox_stream_encoded(s);
    const int steady = s->generated > 0 && s->padding < 0;
    for (;;) {
        vox_status status = s->state.backend == s->model->backend ? work(s) : VOX_ERR_DEVICE;
        if (status == VOX_ERR_DEVICE) status = rescue(s);
        if (status != VOX_OK) return status;
        if (s->pending_at == s->n_pending && s->rescue.at == s->rescue.n_samples) break;
        hear(s);
    }
    s->pending_at = s->n_pending = 0;
    if (steady && vox_stream_encoded(s) - before <= VOX_PACE_TOKENS)
        vox_pace_took(&s->pace, (int)(vox_stream_encoded(s) - before), vox_now_ms() - start);
    return VOX_OK;
}
