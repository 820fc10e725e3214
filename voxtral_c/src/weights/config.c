#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text/json.h"

#define MAX_FILE ((size_t)16 << 20)

enum { MAX_POSITIONS = 131072 };      /* of a model that does not say */

/* A reader that keeps the first failure, so that a table of fields needs no checks between. */
typedef struct reader {
    const json_doc *doc;
    const char *path;
    vox_error *err;
    vox_status status;
} reader;

static void read_int(reader *r, const json_node *node, const char *name, int low, int high, int *out) {
    int64_t v = 0;
    if (r->status != VOX_OK) return;
    if (!json_integer(r->doc, json_member(r->doc, node, name), &v) || v < low || v > high)
        r->status = vox_fail(r->err, VOX_ERR_FORMAT, "%s: %s must be a whole number from %d to %d.",
                             r->path, name, low, high);
    *out = (int)v;
}

static void read_number(reader *r, const json_node *node, const char *name, double low, double high,
                        double *out) {
    if (r->status != VOX_OK) return;
    if (!json_number(r->doc, json_member(r->doc, node, name), out) || !(*out >= low && *out <= high))
        r->status = vox_fail(r->err, VOX_ERR_FORMAT, "%s: %s must be a number from %g to %g.",
                             r->path, name, low, high);
}

/* Refuse what this engine would silently get wrong. */
static void require(reader *r, int condition, const char *what) {
    if (r->status == VOX_OK && !condition)
        r->status = vox_fail(r->err, VOX_ERR_UNSUPPORTED, "%s: %s.", r->path, what);
}

static int is_true(const json_doc *doc, const json_node *node, const char *name, int otherwise) {
    int v;
    return json_bool(json_member(doc, node, name), &v) ? v : otherwise;
}

/* ---- what holds for both kinds of file ------------------------------------------------- */

static void check_stack(reader *r, const vox_stack_config *c) {
    require(r, c->head_dim % 2 == 0, "head_dim must be even");
    require(r, r->status == VOX_OK && c->n_heads % c->n_kv_heads == 0, "n_heads must be a multiple of n_kv_heads");
}

static void check_audio(reader *r, vox_config *c, int rate) {
    if (r->status != VOX_OK) return;
    c->samples_per_token = c->mel_hop * 2 * c->downsample;
    require(r, rate == VOX_SAMPLE_RATE, "the sampling rate must be 16000");
    require(r, c->mel_window % 2 == 0 && c->mel_hop <= c->mel_window, "the mel window does not fit its hop");
    require(r, c->samples_per_token == 1280, "one token must be 80 ms of audio");
}

static void check_all(reader *r, const vox_config *c) {
    check_stack(r, &c->encoder);
    check_stack(r, &c->decoder);
    require(r, c->decoder.dim % 2 == 0, "the decoder's width must be even");
}

/* ---- params.json ----------------------------------------------------------------------- */

static void read_stack(reader *r, const json_node *node, vox_stack_config *c) {
    double eps = 0;
    read_int(r, node, "dim", 1, 1 << 16, &c->dim);
    read_int(r, node, "n_layers", 1, 256, &c->n_layers);
    read_int(r, node, "n_heads", 1, 1024, &c->n_heads);
    read_int(r, node, "n_kv_heads", 1, 1024, &c->n_kv_heads);
    read_int(r, node, "head_dim", 2, 1024, &c->head_dim);
    read_int(r, node, "hidden_dim", 1, 1 << 18, &c->hidden_dim);
    read_int(r, node, "sliding_window", 1, 1 << 17, &c->window);
    read_number(r, node, "rope_theta", 1, 1e12, &c->rope_theta);
    read_number(r, node, "norm_eps", 0, 1, &eps);
    c->norm_eps = (float)eps;
    c->biases = is_true(r->doc, node, "use_biases", 0);
    require(r, is_true(r->doc, node, "causal", 1), "only causal models can be streamed");
}

static void read_audio(reader *r, const json_node *encoder, const json_node *whisper, vox_config *c) {
    const json_node *audio = json_member(r->doc, encoder, "audio_encoding_args");
    int rate = 0;
    double max = 0, frame_rate = 0;
    read_int(r, audio, "sampling_rate", 1, 1 << 20, &rate);
    read_int(r, audio, "num_mel_bins", 1, 1024, &c->n_mels);
    read_int(r, audio, "window_size", 16, 4096, &c->mel_window);
    read_int(r, audio, "hop_length", 1, 4096, &c->mel_hop);
    read_number(r, audio, "global_log_mel_max", -100, 100, &max);
    read_number(r, audio, "frame_rate", 0.01, 1e4, &frame_rate);
    read_int(r, json_member(r->doc, whisper, "downsample_args"), "downsample_factor", 1, 64, &c->downsample);
    c->mel_max = (float)max;
    check_audio(r, c, rate);
    require(r, fabs(frame_rate * c->samples_per_token - rate) < 1e-6, "one token must be 80 ms of audio");
}

/* The encoder has as many positions as belong to the decoder's. */
static void read_positions(reader *r, const json_node *root, vox_config *c) {
    c->decoder.max_positions = MAX_POSITIONS;
    if (json_member(r->doc, root, "model_max_length"))
        read_int(r, root, "model_max_length", 1, 1 << 24, &c->decoder.max_positions);
    if (r->status == VOX_OK) c->encoder.max_positions = c->decoder.max_positions * c->downsample;
}

vox_status vox_config_load(vox_config *c, const char *path, vox_error *err) {
    char *text;
    size_t len;
    json_doc doc;
    memset(c, 0, sizeof *c);
    vox_status status = vox_read_file(path, MAX_FILE, &text, &len, err);
    if (status != VOX_OK) return status;
    status = json_parse(&doc, text, len, path, err);
    if (status == VOX_OK) {
        reader r = { &doc, path, err, VOX_OK };
        const json_node *root = doc.nodes;
        const json_node *multimodal = json_member(&doc, root, "multimodal");
        const json_node *whisper = json_member(&doc, multimodal, "whisper_model_args");
        const json_node *encoder = json_member(&doc, whisper, "encoder_args");
        require(&r, encoder != NULL, "this is not a speech model (multimodal.whisper_model_args.encoder_args is missing)");
        read_stack(&r, root, &c->decoder);
        read_int(&r, root, "vocab_size", 34, 1 << 22, &c->vocab_size);
        require(&r, is_true(&doc, root, "tied_embeddings", 0), "the output head must be tied to the embeddings");
        require(&r, is_true(&doc, root, "ada_rms_norm_t_cond", 0), "the model lacks conditioning on the delay");
        read_int(&r, root, "ada_rms_norm_t_cond_dim", 1, 1 << 16, &c->ada_dim);
        read_stack(&r, encoder, &c->encoder);
        read_audio(&r, encoder, whisper, c);
        read_positions(&r, root, c);
        check_all(&r, c);
        status = r.status;
    }
    json_free(&doc);
    vox_free(text);
    return status;
}

/* ---- GGUF metadata --------------------------------------------------------------------- */

#define PREFIX "stt.voxtral_realtime."

static void gguf_int(reader *r, const gguf *g, const char *key, int low, int high, int *out) {
    int64_t v = 0;
    if (r->status != VOX_OK) return;
    if (!gguf_integer(g, key, &v) || v < low || v > high)
        r->status = vox_fail(r->err, VOX_ERR_FORMAT, "%s: %s must be a whole number from %d to %d.", r->path, key, low, high);
    *out = (int)v;
}

static double gguf_real(reader *r, const gguf *g, const char *key, double low, double high) {
    double v = 0;
    if (r->status == VOX_OK && (!gguf_number(g, key, &v) || !(v >= low && v <= high)))
        r->status = vox_fail(r->err, VOX_ERR_FORMAT, "%s: %s must be a number from %g to %g.", r->path, key, low, high);
    return v;
}

/* Absent is well: these say how the model differs from the one this engine knows. */
static void gguf_expect(reader *r, const gguf *g, const char *key, const char *wanted) {
    gguf_text text;
    if (r->status == VOX_OK && gguf_string(g, key, &text) &&
        (text.len != strlen(wanted) || memcmp(text.at, wanted, text.len)))
        r->status = vox_fail(r->err, VOX_ERR_UNSUPPORTED, "%s: %s must be %s.", r->path, key, wanted);
}

static void gguf_stack(reader *r, const gguf *g, vox_stack_config *c, int decoder) {
    char key[96];
#define KEY(name) (snprintf(key, sizeof key, PREFIX "%s.%s", decoder ? "decoder" : "encoder", name), key)
    gguf_int(r, g, KEY("n_layers"), 1, 256, &c->n_layers);
    gguf_int(r, g, KEY(decoder ? "hidden_size" : "d_model"), 1, 1 << 16, &c->dim);
    gguf_int(r, g, KEY("n_heads"), 1, 1024, &c->n_heads);
    gguf_int(r, g, KEY("n_kv_heads"), 1, 1024, &c->n_kv_heads);
    gguf_int(r, g, KEY("head_dim"), 2, 1024, &c->head_dim);
    gguf_int(r, g, KEY(decoder ? "intermediate_size" : "ffn_dim"), 1, 1 << 18, &c->hidden_dim);
    gguf_int(r, g, KEY("sliding_window"), 1, 1 << 17, &c->window);
    c->rope_theta = gguf_real(r, g, KEY("rope_theta"), 1, 1e12);
    c->norm_eps = (float)gguf_real(r, g, KEY("rms_norm_eps"), 0, 1);
    gguf_expect(r, g, KEY("hidden_act"), "silu");
#undef KEY
    c->biases = vox_tensors_find(&g->tensors, decoder ? "dec.blocks.0.attn.q.bias" : "enc.blocks.0.attn.q.bias") != NULL;
    c->split_halves = 1;
}

vox_status vox_config_from_gguf(vox_config *c, const gguf *g, vox_error *err) {
    reader r = { NULL, g->tensors.path, err, VOX_OK };
    int rate = 0, mels = 0, window = 0, tied = 1;
    gguf_text architecture = { "", 0 };
    memset(c, 0, sizeof *c);
    gguf_string(g, "general.architecture", &architecture);
    require(&r, architecture.len == 16 && !memcmp(architecture.at, "voxtral_realtime", 16),
            "this GGUF file holds another kind of model (general.architecture is not voxtral_realtime)");
    gguf_stack(&r, g, &c->encoder, 0);
    gguf_stack(&r, g, &c->decoder, 1);
    c->decoder.max_positions = MAX_POSITIONS;
    if (gguf_find(g, PREFIX "decoder.max_position_embeddings"))
        gguf_int(&r, g, PREFIX "decoder.max_position_embeddings", 1, 1 << 24, &c->decoder.max_positions);
    gguf_int(&r, g, PREFIX "decoder.vocab_size", 34, 1 << 22, &c->vocab_size);
    gguf_int(&r, g, PREFIX "time.ada_hidden", 1, 1 << 16, &c->ada_dim);
    gguf_int(&r, g, PREFIX "projector.downsample_factor", 1, 64, &c->downsample);
    gguf_expect(&r, g, PREFIX "projector.hidden_act", "gelu");
    gguf_int(&r, g, "stt.frontend.num_mels", 1, 1024, &c->n_mels);
    gguf_int(&r, g, PREFIX "encoder.num_mel_bins", 1, 1024, &mels);
    gguf_int(&r, g, "stt.frontend.n_fft", 16, 4096, &c->mel_window);
    gguf_int(&r, g, "stt.frontend.win_length", 16, 4096, &window);
    gguf_int(&r, g, "stt.frontend.hop_length", 1, 4096, &c->mel_hop);
    gguf_int(&r, g, "stt.frontend.sample_rate", 1, 1 << 20, &rate);
    c->mel_max = (float)gguf_real(&r, g, "stt.frontend.global_log_mel_max", -100, 100);
    gguf_expect(&r, g, "stt.frontend.type", "mel");
    gguf_expect(&r, g, "stt.frontend.window", "hann_periodic");
    gguf_expect(&r, g, "stt.frontend.normalize", "global");
    gguf_expect(&r, g, "stt.frontend.pad_mode", "reflect");
    gguf_bool(g, PREFIX "decoder.tie_word_embeddings", &tied);
    require(&r, tied, "the output head must be tied to the embeddings");
    require(&r, mels == c->n_mels && window == c->mel_window, "the front end does not fit the encoder");
    require(&r, fabs(gguf_real(&r, g, PREFIX "time.embed_theta", 1, 1e12) - 10000) < 1, "time.embed_theta must be 10000");
    if (r.status == VOX_OK) c->encoder.max_positions = c->decoder.max_positions * c->downsample;
    check_audio(&r, c, rate);
    check_all(&r, c);
    return r.status;
}
