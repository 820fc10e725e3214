#include "metadata.h"

#include <stdio.h>
#include <string.h>

#include "text/json.h"

#define OWN "stt.voxtral_realtime."

enum { TYPE_NORMAL = 1, TYPE_CONTROL = 3, TYPE_UNUSED = 5, MAX_NAME = 256 };

static uint32_t file_type(vox_precision type) {
    switch (type) {               /* numbers of llama.cpp */
    case VOX_PRECISION_F32: return 0;
    case VOX_PRECISION_F16: return 1;
    case VOX_PRECISION_Q8_0: return 7;
    case VOX_PRECISION_Q4_K_M: return 15;
    case VOX_PRECISION_Q5_K_M: return 17;
    case VOX_PRECISION_Q6_K: return 18;
    default: return 32;           /* BF16 */
    }
}

/* ---- the model ------------------------------------------------------------------------- */

static void add_general(gguf_bytes *b, const vox_files *f, const char *path, vox_precision type) {
    static const char *const languages[] = { "en", "fr", "es", "de", "ru", "zh", "ja", "it", "pt", "nl", "ar", "hi", "ko" };
    const double millions = (double)f->weights.parameters / 1e6;
    char name[MAX_NAME], size[32];
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    snprintf(name, sizeof name, "%.*s", (int)(end - begin), path + begin);
    if (millions >= 1000) snprintf(size, sizeof size, "%.1fB", millions / 1000);
    else snprintf(size, sizeof size, "%.1fM", millions);
    gguf_add_string(b, "general.architecture", "voxtral_realtime");
    gguf_add_string(b, "general.type", "model");
    gguf_add_string(b, "general.name", name);
    gguf_add_string(b, "general.basename", "voxtral_realtime");
    gguf_add_string(b, "general.version", "2602");
    gguf_add_string(b, "general.size_label", size);
    gguf_add_u32(b, "general.file_type", file_type(type));
    gguf_add_u32(b, "general.quantization_version", 2);
    gguf_add_array(b, "general.languages", GGUF_STRING, sizeof languages / sizeof *languages);
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) gguf_put_text(b, languages[i], strlen(languages[i]));
    gguf_add_string(b, "stt.variant", "voxtral-mini-4b-realtime-2602");
    gguf_add_bool(b, "stt.capability.lang_detect", 1);
    gguf_add_bool(b, "stt.capability.translate", 0);
    gguf_add_bool(b, "stt.capability.streaming", 1);
}

static void add_stack(gguf_bytes *b, const vox_stack_config *c, int decoder) {
    char key[96];
#define KEY(name) (snprintf(key, sizeof key, OWN "%s.%s", decoder ? "decoder" : "encoder", name), key)
    gguf_add_u32(b, KEY("n_layers"), (uint32_t)c->n_layers);
    gguf_add_u32(b, KEY(decoder ? "hidden_size" : "d_model"), (uint32_t)c->dim);
    gguf_add_u32(b, KEY("n_heads"), (uint32_t)c->n_heads);
    gguf_add_u32(b, KEY("n_kv_heads"), (uint32_t)c->n_kv_heads);
    gguf_add_u32(b, KEY("head_dim"), (uint32_t)c->head_dim);
    gguf_add_u32(b, KEY(decoder ? "intermediate_size" : "ffn_dim"), (uint32_t)c->hidden_dim);
    gguf_add_u32(b, KEY("sliding_window"), (uint32_t)c->window);
    /* Of the encoder it is 1500 in the files of others, who do not use it either. */
    gguf_add_u32(b, KEY("max_position_embeddings"), decoder ? (uint32_t)c->max_positions : 1500);
    gguf_add_f32(b, KEY("rope_theta"), c->rope_theta);
    gguf_add_f32(b, KEY("rms_norm_eps"), (double)c->norm_eps);
    gguf_add_string(b, KEY("hidden_act"), "silu");
#undef KEY
}

static void add_dimensions(gguf_bytes *b, const vox_config *c, const vox_tokenizer *tok) {
    add_stack(b, &c->encoder, 0);
    gguf_add_u32(b, OWN "encoder.num_mel_bins", (uint32_t)c->n_mels);
    gguf_add_u32(b, OWN "projector.downsample_factor", (uint32_t)c->downsample);
    gguf_add_u32(b, OWN "projector.input_dim", (uint32_t)(c->encoder.dim * c->downsample));
    gguf_add_string(b, OWN "projector.hidden_act", "gelu");
    gguf_add_u32(b, OWN "projector.audio_length_per_tok", (uint32_t)(c->downsample * 2));
    add_stack(b, &c->decoder, 1);
    gguf_add_bool(b, OWN "decoder.tie_word_embeddings", 1);
    gguf_add_u32(b, OWN "decoder.vocab_size", (uint32_t)c->vocab_size);
    gguf_add_u32(b, OWN "time.default_num_delay_tokens", (uint32_t)tok->delay_ms / 80);
    gguf_add_f32(b, OWN "time.embed_theta", 10000);
    gguf_add_u32(b, OWN "time.embed_dim", (uint32_t)c->decoder.dim);
    gguf_add_u32(b, OWN "time.ada_hidden", (uint32_t)c->ada_dim);
    gguf_add_u32(b, OWN "streaming_pad_token_id", VOX_STREAMING_PAD);
    gguf_add_u32(b, OWN "streaming_n_left_pad_tokens", (uint32_t)tok->n_left_pad);
}

static void add_front_end(gguf_bytes *b, const vox_config *c) {
    gguf_add_string(b, "stt.frontend.type", "mel");
    gguf_add_u32(b, "stt.frontend.num_mels", (uint32_t)c->n_mels);
    gguf_add_u32(b, "stt.frontend.sample_rate", VOX_SAMPLE_RATE);
    gguf_add_u32(b, "stt.frontend.n_fft", (uint32_t)c->mel_window);
    gguf_add_u32(b, "stt.frontend.win_length", (uint32_t)c->mel_window);
    gguf_add_u32(b, "stt.frontend.hop_length", (uint32_t)c->mel_hop);
    gguf_add_string(b, "stt.frontend.window", "hann_periodic");
    gguf_add_string(b, "stt.frontend.normalize", "global");
    gguf_add_f32(b, "stt.frontend.global_log_mel_max", (double)c->mel_max);
    gguf_add_f32(b, "stt.frontend.dither", 0);
    gguf_add_f32(b, "stt.frontend.pre_emphasis", 0);
    gguf_add_f32(b, "stt.frontend.f_min", 0);
    gguf_add_f32(b, "stt.frontend.f_max", VOX_SAMPLE_RATE / 2);
    gguf_add_string(b, "stt.frontend.pad_mode", "reflect");
    gguf_add_bool(b, "stt.frontend.center", 1);
    gguf_add_string(b, "stt.frontend.mel_norm", "slaney");
}

/* ---- the vocabulary -------------------------------------------------------------------- */

/* The names of the special tokens, from tekken.json; "" where it has none. */
typedef struct names { char (*text)[MAX_NAME]; int n; } names;

static vox_status read_names(names *out, int n, const char *path, vox_error *err) {
    char *tekken = vox_path(path, "tekken.json"), *text = NULL;
    size_t len = 0;
    json_doc doc = { 0 };
    out->n = n;
    out->text = vox_alloc_zero((size_t)n, sizeof *out->text);
    vox_status status = tekken && out->text ? VOX_OK : vox_fail(err, VOX_ERR_MEMORY, "There is no memory to convert %s.", path);
    if (status == VOX_OK) status = vox_read_file(tekken, VOX_MAX_TEKKEN, &text, &len, err);
    if (status == VOX_OK) status = json_parse(&doc, text, len, tekken, err);
    const json_node *list = status == VOX_OK ? json_member(&doc, doc.nodes, "special_tokens") : NULL;
    for (const json_node *t = list && list->type == JSON_ARRAY ? json_first(&doc, list) : NULL; t; t = json_next(&doc, t)) {
        int64_t rank;
        char name[MAX_NAME];
        if (json_integer(&doc, json_member(&doc, t, "rank"), &rank) && rank >= 0 && rank < n &&
            json_string(&doc, json_member(&doc, t, "token_str"), name, sizeof name) >= 0)
            memcpy(out->text[rank], name, sizeof name);
    }
    json_free(&doc);
    vox_free(text);
    vox_free(tekken);
    return status;
}

/* Each byte as the character that GPT-2's vocabularies write for it: tokenizer.c reads them. */
static void put_piece(gguf_bytes *b, const char *bytes, size_t n) {
    char text[2 * VOX_MAX_TOKEN_BYTES];
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = (unsigned char)bytes[i];
        if (c <= 0x20) c += 0x100;
        else if (c >= 0x7f && c <= 0xa0) c += 0x121 - 0x7f;
        else if (c == 0xad) c = 0x143;
        if (c < 0x80) {
            text[length++] = (char)c;
        } else {
            text[length++] = (char)(0xc0 | c >> 6);
            text[length++] = (char)(0x80 | (c & 63));
        }
    }
    gguf_put_text(b, text, length);
}

static void add_vocabulary(gguf_bytes *b, const vox_tokenizer *tok, int size, const names *special) {
    char name[MAX_NAME];
    gguf_add_string(b, "tokenizer.ggml.model", "gpt2");
    gguf_add_string(b, "tokenizer.ggml.pre", "tekken");
    gguf_add_array(b, "tokenizer.ggml.tokens", GGUF_STRING, (uint64_t)size);
    for (int i = 0; i < size; i++) {
        size_t n;
        const char *bytes = vox_tokenizer_bytes(tok, i, &n);
        snprintf(name, sizeof name, i < tok->n_special ? "<SPECIAL_%d>" : "<UNUSED_%d>", i);
        if (i < tok->n_special && special->text[i][0]) gguf_put_text(b, special->text[i], strlen(special->text[i]));
        else if (bytes) put_piece(b, bytes, n);
        else gguf_put_text(b, name, strlen(name));
    }
    gguf_add_array(b, "tokenizer.ggml.token_type", GGUF_I32, (uint64_t)size);
    for (int i = 0; i < size; i++) {
        size_t n;
        const char *bytes = vox_tokenizer_bytes(tok, i, &n);
        gguf_put_u32(b, i < tok->n_special ? TYPE_CONTROL : bytes ? TYPE_NORMAL : TYPE_UNUSED);
    }
    gguf_add_u32(b, "tokenizer.ggml.bos_token_id", VOX_BOS);
    gguf_add_u32(b, "tokenizer.ggml.eos_token_id", VOX_EOS);
    gguf_add_u32(b, "tokenizer.ggml.unknown_token_id", 0);
    gguf_add_u32(b, "tokenizer.ggml.padding_token_id", 11);
    gguf_add_bool(b, "tokenizer.ggml.add_bos_token", 1);
    gguf_add_bool(b, "tokenizer.ggml.add_eos_token", 0);
}

/* ---- both kinds of source -------------------------------------------------------------- */

/* All that the other file says, but for how its weights are stored. */
static void copy_values(gguf_bytes *b, const gguf *g, vox_precision type) {
    static const char *const ours[] = { "general.file_type", "general.quantization_version", "general.alignment" };
    for (size_t i = 0; i < g->n_values; i++) {
        const gguf_text key = g->values[i].key;
        int skip = 0;
        for (size_t j = 0; j < sizeof ours / sizeof *ours; j++)
            skip |= key.len == strlen(ours[j]) && !memcmp(key.at, ours[j], key.len);
        if (!skip) gguf_add_value(b, &g->values[i]);
    }
    gguf_add_u32(b, "general.file_type", file_type(type));
    gguf_add_u32(b, "general.quantization_version", 2);
}

vox_status vox_write_metadata(gguf_bytes *b, const vox_files *f, const char *path, vox_precision type, vox_error *err) {
    names special = { 0 };
    vox_status status = VOX_OK;
    if (f->is_gguf) {
        copy_values(b, &f->meta, type);
    } else if ((status = read_names(&special, f->tokenizer.n_special, path, err)) == VOX_OK) {
        add_general(b, f, path, type);
        add_dimensions(b, &f->config, &f->tokenizer);
        add_front_end(b, &f->config);
        add_vocabulary(b, &f->tokenizer, f->config.vocab_size, &special);
    }
    vox_free(special.text);
    if (status == VOX_OK && b->failed) status = vox_fail(err, VOX_ERR_MEMORY, "There is no memory to convert %s.", path);
    return status;
}
