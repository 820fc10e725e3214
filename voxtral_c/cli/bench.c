/* bench.c - voxtral --bench: how fast this machine runs the model
 *
 * Without -d the weights are random numbers of the real size, which cost what real ones cost. The
 * tokens that such a decoder would choose mean nothing, so it is made to choose recorded ones.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "../src/weights/files.h"
#include "../src/gpu/resident.h"
#include "../src/weights/random.h"
#include "bench_live.h"
#include "exit_codes.h"
#include "json_write.h"

enum { REPLAYED = 1 << 16, ITEM = 1 << 20, AHEAD = 4096, ROUNDS = 9, PASSES = 5 };

#define MOST_MS 5000.0        /* after which a measurement ends early */

/* ---- memory ---------------------------------------------------------------------------- */

typedef struct reading {
    const vox_weight *matrices[512];
    int n, items[513];        /* items before each matrix */
    uint64_t sums[VOX_MAX_THREADS];
} reading;

static size_t bytes_of(const vox_weight *w) { return vox_weight_bytes(w, w->rows); }

/* What a step of the decoder reads. */
static size_t list_matrices(const vox_model *m, reading *r) {
    size_t total = 0;
    r->n = 0;
    r->matrices[r->n++] = &m->weights.embeddings;
    for (int i = 0; i < m->config.decoder.n_layers && r->n + 7 <= 512; i++) {
        const vox_layer_weights *w = &m->weights.decoder[i];
        const vox_weight *of_layer[] = { &w->wq, &w->wk, &w->wv, &w->wo, &w->w1, &w->w2, &w->w3 };
        memcpy(r->matrices + r->n, of_layer, sizeof of_layer);
        r->n += 7;
    }
    r->items[0] = 0;
    for (int i = 0; i < r->n; i++) {
        r->items[i + 1] = r->items[i] + (int)((bytes_of(r->matrices[i]) + ITEM - 1) / ITEM);
        total += bytes_of(r->matrices[i]);
    }
    return total;
}

static void read_item(void *arg, int item, int thread) {
    reading *r = arg;
    int i = 0;
    while (item >= r->items[i + 1]) i++;
    const size_t at = (size_t)(item - r->items[i]) * ITEM, size = bytes_of(r->matrices[i]);
    const uint8_t *data = (const uint8_t *)r->matrices[i]->data + at;
    const size_t n = size - at < ITEM ? size - at : ITEM;
    uint64_t sum = 0, word;
    for (size_t j = 0; j + sizeof word <= n; j += 64) {   /* the rest of a cache line comes along */
        __builtin_prefetch(data + j + AHEAD);
        memcpy(&word, data + j, sizeof word);
        sum += word;
    }
    r->sums[thread] += sum;
}

/* Milliseconds of reading all the weights that a step reads; not of those on a GPU. */
static double read_weights(bench *b) {
    static reading r;
    b->step_gb = (double)list_matrices(b->model, &r) / 1e9;
    if (b->model->gpu) return 0;
    const double start = vox_now_ms();
    vox_pool_run(b->model->compute.pool, read_item, &r, r.items[r.n]);
    return vox_now_ms() - start;
}

/* ---- single figures -------------------------------------------------------------------- */

typedef struct watch {
    const vox_stream *stream;
    double last_word;         /* when the last text or word mark came, ms */
} watch;

static void on_event(const vox_event *event, void *user) {
    watch *w = user;
    if (event->type == VOX_EVENT_TOKEN && w->stream->token != VOX_STREAMING_PAD) w->last_word = vox_now_ms();
}

static double median(double *v, int n) {
    bench_sort(v, n);
    return n ? n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2 : 0;
}

/* Steps and readings of their weights in turn, as what else happens on the machine slows down both; the medians.
 * A GPU's bandwidth is that of copies there. */
static void measure_step(bench *b) {
    double steps[ROUNDS], readings[ROUNDS];
    int n = 0;
    vox_stream *s = bench_open(b, 0.5, 1, NULL, NULL);
    if (!s) return;
    read_weights(b);                          /* touches a mapped file's pages */
    for (double ms = 0; n < ROUNDS && ms < MOST_MS && !b->failed;) {
        const double before = s->decoder_ms;
        const int64_t passes = s->passes;
        ms += bench_feed(b, s, 0.5);
        if (s->passes == passes) continue;
        steps[n] = (s->decoder_ms - before) / (double)(s->passes - passes);
        readings[n++] = read_weights(b);
    }
    vox_stream_close(s);
    if (b->failed || !n) return;
    b->step_ms = median(steps, n);
    b->bandwidth_gbs = b->model->gpu ? vox_gpu_bandwidth(b->model->gpu) : b->step_gb / median(readings, n) * 1000;
    bench_check(b, b->bandwidth_gbs > 0 ? VOX_OK : VOX_ERR_DEVICE, "The GPU gave up.");
}

/* The decoder's prompt at once, as when the first stream of a delay is opened. */
static void measure_prefill(bench *b) {
    vox_utterance u;
    vox_stream *s = bench_open(b, 0.5, 0, NULL, NULL);
    if (!s) return;
    const int length = vox_prompt_length(b->model, s->next->delay);
    int ids[VOX_BATCH_TOKENS];
    if (bench_check(b, vox_utterance_init(&u, b->model), "There is no memory for an utterance.")) {
        if (u.audio) memset(u.audio, 0, (size_t)VOX_BATCH_TOKENS * (size_t)b->model->config.decoder.dim * sizeof(float));
        const double start = vox_now_ms();
        while (u.decoded < length && !b->failed) {
            const int n = length - (int)u.decoded < VOX_BATCH_TOKENS ? length - (int)u.decoded : VOX_BATCH_TOKENS;
            for (int i = 0; i < n; i++) ids[i] = vox_prompt_token(u.decoded + i);
            u.audio_at = 0;
            bench_check(b, vox_utterance_decode(&u, ids, n, NULL, s->next->ffn_scale, u.decoded + n == length), "There is no memory to go on.");
            vox_utterance_keep(&u, NULL, n);
        }
        b->prefill_ms = vox_now_ms() - start;
        vox_utterance_free(&u);
    }
    vox_stream_close(s);
}

/* A pass over the weights with 1, 2 .. columns, as the decoder makes them to verify guesses: medians. */
static void measure_passes(bench *b) {
    vox_stream *s = bench_open(b, 0.5, 1, NULL, NULL);
    if (!s) return;
    vox_utterance *u = &s->state;
    bench_feed(b, s, 0.5);
    double ms[VOX_DRAFT_COLUMNS][PASSES];
    u->audio_at = 0;          /* what has been heard is heard again; nothing moves on */
    for (int i = 0; i < PASSES * VOX_DRAFT_COLUMNS && !b->failed; i++) {
        const int columns = i % VOX_DRAFT_COLUMNS + 1;
        int ids[VOX_DRAFT_COLUMNS];
        vox_tree tree;
        for (int c = 0; c < columns; c++) {       /* guesses in pairs: a pad and a word mark */
            ids[c] = c % 2 ? VOX_STREAMING_PAD : VOX_STREAMING_WORD;
            tree.parent[c] = c < 3 ? -(c == 0) : c % 2 ? c - 2 : c - 3;
            tree.depth[c] = (c + 1) / 2;
        }
        const double start = vox_now_ms();
        bench_check(b, vox_utterance_decode(u, ids, columns, &tree, s->prompt->ffn_scale, columns), "There is no memory to go on.");
        ms[columns - 1][i / VOX_DRAFT_COLUMNS] = vox_now_ms() - start;
    }
    for (int c = 1; c <= VOX_DRAFT_COLUMNS && !b->failed; c++) b->pass_ms[c] = median(ms[c - 1], PASSES);
    vox_stream_close(s);
}

/* Of a second utterance, and to the last word when half an interval waits. */
static void measure_ends(bench *b) {
    watch w = { 0 };
    vox_stream *s = bench_open(b, 0.5, 0, on_event, &w);
    if (!s) return;
    w.stream = s;
    bench_feed(b, s, 0.5);
    bench_check(b, vox_stream_reset(s), vox_stream_error(s));
    b->start_ms = bench_feed(b, s, 1.0 / VOX_SAMPLE_RATE);
    for (int i = 0; i < 8; i++) bench_feed(b, s, 0.48);
    bench_feed(b, s, 0.24);
    /* What was said is heard to its end; what follows is silence. */
    const int said = (int)(s->samples_in / b->model->config.samples_per_token);
    if (b->replays)
        for (int i = said; i < said + 64; i++) b->replay.ids[i] = VOX_STREAMING_PAD;
    const double start = vox_now_ms();
    bench_check(b, vox_stream_flush(s), vox_stream_error(s));
    b->whole_end_ms = vox_now_ms() - start;
    b->end_ms = w.last_word > start ? w.last_word - start : b->whole_end_ms;
    vox_stream_close(s);
}

/* ---- the report ------------------------------------------------------------------------ */

static double bound_ms(const bench *b) { return b->step_gb / b->bandwidth_gbs * 1000; }

static double acceptance(const bench *b) { return 1 - 1 / b->steps_per_pass[3]; }

static void print_text(const bench *b, const options *opt) {
    vox_model_info info;
    vox_model_get_info(b->model, &info);
    printf("%s, %s, %.2f G weights, ", opt->model_dir ? opt->model_dir : "random weights of the real size", b->type, (double)info.parameters / 1e9);
    if (info.gpu) printf("%s\n", info.gpu);
    else printf("kernels %s, %d threads\n", info.kernels, info.threads);
    if (b->replays)
        printf("tokens replayed: %d %% pads, %d %% word marks, %d %% text; all arithmetic is done, only the\n"
               "decoder's choice is replaced by the recorded token\n", (100 * b->replay.pads + 50) / b->replay.n,
               100 * b->replay.marks / b->replay.n, 100 * b->replay.texts / b->replay.n);
    printf("\nmemory bandwidth             %8.1f GB/s, %s\n", b->bandwidth_gbs, info.gpu ? "copying" : "reading");
    printf("one step                     %8.1f ms for %.2f GB, bound %.1f ms: %.2f times\n", b->step_ms, b->step_gb, bound_ms(b),
           b->step_ms / bound_ms(b));
    printf("pass of 1, 2 .. columns     ");
    for (int i = 1; i <= VOX_DRAFT_COLUMNS; i++) printf(" %.0f", b->pass_ms[i]);
    printf(" ms\nencoder                      %8.1f ms per token of 80 ms, interval 0.5 s\n", b->encoder_ms);
    printf("prompt of the decoder        %8.1f ms, once per delay\n", b->prefill_ms);
    printf("start of an utterance        %8.1f ms\n", b->start_ms);
    printf("end of sound to last word    %8.1f ms, to the end %.1f\n", b->end_ms, b->whole_end_ms);
    for (int i = 0; i < INTERVALS; i++)
        printf("live, interval %.2f s        %8.2f of real time, %.2f steps per pass\n", bench_intervals[i], b->rtf[i], b->steps_per_pass[i]);
    printf("live after ten minutes       %8.2f of real time, interval 1 s\n", b->late_rtf);
    printf("words wait, interval 0.5 s   %8.0f ms, 95 %% at most %.0f; in whole intervals %.0f and %.0f\n", b->adaptive.mean,
           b->adaptive.p95, b->fixed.mean, b->fixed.p95);
    printf("model made or loaded in      %8.0f ms\n", b->load_ms);
    printf("peak memory, ten minutes     %8.0f MiB\n", b->peak_mb);
}

static void print_json(const bench *b) {
    json_line j = { 0 };
    vox_model_info info;
    vox_model_get_info(b->model, &info);
    jsonl_begin(&j);
    jsonl_string(&j, "type", b->type);
    if (info.gpu) jsonl_string(&j, "gpu", info.gpu);
    jsonl_integer(&j, "threads", vox_pool_threads(b->model->compute.pool));
    jsonl_number(&j, "bandwidth_gbs", b->bandwidth_gbs, 2);
    jsonl_number(&j, "encoder_ms_per_token", b->encoder_ms, 2);
    jsonl_number(&j, "step_ms", b->step_ms, 2);
    jsonl_number(&j, "step_bound_ms", bound_ms(b), 2);
    jsonl_open(&j, "pass_ms", '[');
    for (int i = 1; i <= VOX_DRAFT_COLUMNS; i++) jsonl_number(&j, NULL, b->pass_ms[i], 2);
    jsonl_close(&j, ']');
    jsonl_number(&j, "prefill_ms", b->prefill_ms, 1);
    jsonl_number(&j, "utterance_start_ms", b->start_ms, 4);
    jsonl_number(&j, "utterance_end_ms", b->end_ms, 1);
    jsonl_open(&j, "live_rtf", '{');
    for (int i = 0; i < INTERVALS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%g", bench_intervals[i]);
        jsonl_number(&j, name, b->rtf[i], 4);
    }
    jsonl_close(&j, '}');
    jsonl_open(&j, "wait_ms", '{');
    jsonl_number(&j, "mean", b->adaptive.mean, 1);
    jsonl_number(&j, "p95", b->adaptive.p95, 1);
    jsonl_number(&j, "whole_mean", b->fixed.mean, 1);
    jsonl_number(&j, "whole_p95", b->fixed.p95, 1);
    jsonl_close(&j, '}');
    jsonl_number(&j, "load_ms", b->load_ms, 1);
    jsonl_number(&j, "peak_mb", b->peak_mb, 1);
    jsonl_number(&j, "acceptance", acceptance(b), 4);
    jsonl_end(&j);
    if (!j.failed) fwrite(j.text, 1, j.length, stdout);
    jsonl_free(&j);
}

/* ---- the run --------------------------------------------------------------------------- */

static vox_status make_model(bench *b, const options *opt, char *err_text, size_t err_size) {
    vox_error err = { err_text, err_size };
    const vox_config config = vox_full_size();
    const vox_precision type = opt->type ? opt->type : VOX_PRECISION_Q4_K_M;
    if (opt->model_dir) return vox_model_load(opt->model_dir, &opt->model, &b->model, err_text, err_size);
    return vox_model_random(&config, vox_precision_weights(type), &opt->model, &b->model, &err);
}

static int prepare(bench *b, const options *opt) {
    char err[512] = "";
    vox_model_info info;
    const double start = vox_now_ms();
    if (!bench_check(b, make_model(b, opt, err, sizeof err), err)) return 0;
    b->load_ms = vox_now_ms() - start;
    vox_model_get_info(b->model, &info);
    b->type = info.precision;
    const char *recorded = opt->replay ? opt->replay : "speech";
    b->replays = strcmp(recorded, "none") != 0;
    if (!b->replays) return 1;
    const int loaded = replay_load(&b->replay, recorded, REPLAYED, b->model->tokenizer.n_special, info.vocab_size, err, sizeof err);
    return bench_check(b, loaded ? VOX_OK : VOX_ERR_IO, err);
}

int bench_run(const options *opt) {
    static bench b;
    struct rusage usage;
    const int ready = prepare(&b, opt);
    if (ready && opt->minutes) {
        bench_soak(&b, opt->minutes, opt->heard, opt->json);
    } else if (ready) {
        measure_prefill(&b);
        measure_step(&b);
        measure_passes(&b);
        bench_measure_live(&b);
        bench_measure_waits(&b);
        bench_measure_late(&b);
        measure_ends(&b);
        bench_check(&b, b.model->gpu && b.model->backend == &vox_backend_cpu ? VOX_ERR_DEVICE : VOX_OK, b.model->gpu_why);
    }
    if (!b.failed && !opt->minutes) {
        getrusage(RUSAGE_SELF, &usage);
        b.peak_mb = (double)usage.ru_maxrss / 1024;
#ifdef __APPLE__
        b.peak_mb /= 1024;
#endif
        if (opt->json) print_json(&b);
        else print_text(&b, opt);
    }
    replay_free(&b.replay);
    vox_model_free(b.model);
    return b.failed ? EXIT_UNUSABLE : EXIT_DONE;
}
