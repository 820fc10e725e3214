#include "tokenizer.h"

#include <string.h>

#include "json.h"

enum { MAX_VOCAB = 1 << 22 };

/* ---- tekken.json ----------------------------------------------------------------------- */

static int base64_digit(int c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Returns the number of bytes, or -1 if the text is no padded base64. out holds 3/4 of n. */
static long base64_decode(const char *s, size_t n, char *out) {
    long written = 0;
    if (n % 4) return -1;
    for (size_t i = 0; i < n; i += 4) {
        const int pad = i + 4 == n ? (s[i + 3] == '=') + (s[i + 2] == '=' && s[i + 3] == '=') : 0;
        uint32_t v = 0;
        for (size_t j = 0; j < 4; j++) {
            int d = (int)j >= 4 - pad ? 0 : base64_digit((unsigned char)s[i + j]);
            if (d < 0) return -1;
            v = v << 6 | (uint32_t)d;
        }
        for (int j = 0; j < 3 - pad; j++) out[written++] = (char)(v >> (16 - 8 * j));
    }
    return written;
}

static int read_int(const json_doc *doc, const json_node *parent, const char *name, int low, int high,
                    int *out) {
    int64_t v;
    if (!json_integer(doc, json_member(doc, parent, name), &v) || v < low || v > high) return 0;
    *out = (int)v;
    return 1;
}

static vox_status read_settings(vox_tokenizer *tok, const json_doc *doc, const char *path, vox_error *err) {
    const json_node *config = json_member(doc, doc->nodes, "config");
    const json_node *audio = json_member(doc, doc->nodes, "audio");
    if (!read_int(doc, config, "default_num_special_tokens", VOX_STREAMING_WORD + 1, MAX_VOCAB, &tok->n_special) ||
        !read_int(doc, config, "default_vocab_size", tok->n_special, MAX_VOCAB, &tok->n_vocab))
        return vox_fail(err, VOX_ERR_FORMAT,
                        "%s does not give default_num_special_tokens and default_vocab_size.", path);
    if (!read_int(doc, audio, "transcription_delay_ms", 80, 2400, &tok->delay_ms) || tok->delay_ms % 80)
        return vox_fail(err, VOX_ERR_FORMAT,
                        "%s does not give audio.transcription_delay_ms as a multiple of 80 from 80 to 2400.", path);
    if (!read_int(doc, audio, "streaming_n_left_pad_tokens", 0, 1024, &tok->n_left_pad))
        return vox_fail(err, VOX_ERR_FORMAT,
                        "%s does not give audio.streaming_n_left_pad_tokens from 0 to 1024.", path);
    return VOX_OK;
}

/* The vocabulary lists tokens by rank, in any order: find each rank's entry first. */
static vox_status read_vocab(vox_tokenizer *tok, const json_doc *doc, const json_node **by_rank,
                             const char *path, vox_error *err) {
    const int n = tok->n_vocab - tok->n_special;
    const json_node *vocab = json_member(doc, doc->nodes, "vocab");
    size_t total = 0;
    if (!vocab || vocab->type != JSON_ARRAY)
        return vox_fail(err, VOX_ERR_FORMAT, "%s has no vocab list.", path);
    for (const json_node *v = json_first(doc, vocab); v; v = json_next(doc, v)) {
        const json_node *bytes = json_member(doc, v, "token_bytes");
        int64_t rank;
        if (!json_integer(doc, json_member(doc, v, "rank"), &rank) || rank < 0 || rank > MAX_VOCAB ||
            !bytes || bytes->type != JSON_STRING || bytes->len > VOX_MAX_TOKEN_BYTES)
            return vox_fail(err, VOX_ERR_FORMAT, "%s: an entry of vocab lacks a rank or token_bytes.", path);
        if (rank >= n) continue;
        if (!by_rank[rank]) total += bytes->len;
        else return vox_fail(err, VOX_ERR_FORMAT, "%s: two tokens have rank %d.", path, (int)rank);
        by_rank[rank] = bytes;
    }
    tok->offsets = vox_alloc_zero((size_t)n + 1, sizeof *tok->offsets);
    tok->bytes = vox_alloc(total + 1, 1);
    if (!tok->offsets || !tok->bytes)
        return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
    for (int i = 0; i < n; i++) {
        char text[VOX_MAX_TOKEN_BYTES + 1];
        long length = 0;
        if (by_rank[i]) {
            length = json_string(doc, by_rank[i], text, sizeof text);
            if (length >= 0) length = base64_decode(text, (size_t)length, tok->bytes + tok->offsets[i]);
            if (length < 0)
                return vox_fail(err, VOX_ERR_FORMAT, "%s: token_bytes of rank %d is not base64.", path, i);
        }
        tok->offsets[i + 1] = tok->offsets[i] + (uint32_t)length;
    }
    return VOX_OK;
}

vox_status vox_tokenizer_load(vox_tokenizer *tok, const char *path, vox_error *err) {
    char *text;
    size_t len;
    json_doc doc;
    memset(tok, 0, sizeof *tok);
    vox_status status = vox_read_file(path, VOX_MAX_TEKKEN, &text, &len, err);
    if (status != VOX_OK) return status;
    status = json_parse(&doc, text, len, path, err);
    if (status == VOX_OK) status = read_settings(tok, &doc, path, err);
    if (status == VOX_OK) {
        size_t n = (size_t)(tok->n_vocab - tok->n_special);
        const json_node **by_rank = vox_alloc_zero(n, sizeof *by_rank);
        status = by_rank ? read_vocab(tok, &doc, by_rank, path, err)
                         : vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
        vox_free(by_rank);
    }
    json_free(&doc);
    vox_free(text);
    if (status != VOX_OK) vox_tokenizer_free(tok);
    return status;
}

/* ---- GGUF metadata --------------------------------------------------------------------- */

/* The byte that GPT-2's vocabularies write as this character, or -1. Printable bytes stand for
 * themselves; the others are, in order, the characters from U+0100 on. */
static int byte_of_character(uint32_t c) {
    if ((c >= 0x21 && c <= 0x7e) || (c >= 0xa1 && c <= 0xff && c != 0xad)) return (int)c;
    if (c < 0x100 || c > 0x143) return -1;
    c -= 0x100;
    if (c <= 0x20) return (int)c;
    if (c <= 0x42) return (int)c - 0x21 + 0x7f;          /* 7f..a0 */
    return 0xad;
}

/* All of those characters take one or two bytes of UTF-8. */
static long decode_token(gguf_text text, char *out) {
    long written = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t c = (unsigned char)text.at[i];
        if (c >= 0x80) {
            if ((c & 0xe0) != 0xc0 || i + 1 == text.len) return -1;
            c = (c & 31) << 6 | ((unsigned char)text.at[++i] & 63);
        }
        const int byte = byte_of_character(c);
        if (byte < 0) return -1;
        out[written++] = (char)byte;
    }
    return written;
}

enum { TYPE_NORMAL = 1, TYPE_CONTROL = 3 };

static int token_type(const gguf_value *types, uint64_t i) {
    int32_t type;
    memcpy(&type, types->data + i * sizeof type, sizeof type);
    return type;
}

static vox_status read_pieces(vox_tokenizer *tok, const gguf_value *tokens, const gguf_value *types,
                              const char *path, vox_error *err) {
    const uint8_t *at = tokens->data;
    const size_t n = (size_t)(tok->n_vocab - tok->n_special);
    gguf_text text;
    for (int i = 0; i < tok->n_special; i++) at = gguf_next_string(at, &text);
    tok->offsets = vox_alloc_zero(n + 1, sizeof *tok->offsets);
    tok->bytes = vox_alloc(tokens->entry_size, 1);
    if (!tok->offsets || !tok->bytes) return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
    for (size_t i = 0; i < n; i++) {
        long length = 0;
        at = gguf_next_string(at, &text);
        if (text.len > VOX_MAX_TOKEN_BYTES) length = -1;
        else if (token_type(types, (uint64_t)tok->n_special + i) == TYPE_NORMAL) length = decode_token(text, tok->bytes + tok->offsets[i]);
        if (length < 0)
            return vox_fail(err, VOX_ERR_FORMAT, "%s: token %d is not in GPT-2's byte alphabet.", path, tok->n_special + (int)i);
        tok->offsets[i + 1] = tok->offsets[i] + (uint32_t)length;
    }
    return VOX_OK;
}

vox_status vox_tokenizer_from_gguf(vox_tokenizer *tok, const gguf *g, vox_error *err) {
    const char *path = g->tensors.path;
    const gguf_value *tokens = gguf_find(g, "tokenizer.ggml.tokens"), *types = gguf_find(g, "tokenizer.ggml.token_type");
    gguf_text model;
    int64_t delay, left_pad = 32, pad = VOX_STREAMING_PAD;
    memset(tok, 0, sizeof *tok);
    if (!gguf_string(g, "tokenizer.ggml.model", &model) || model.len != 4 || memcmp(model.at, "gpt2", 4))
        return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s: tokenizer.ggml.model must be gpt2.", path);
    if (!tokens || tokens->type != GGUF_ARRAY || tokens->item != GGUF_STRING || tokens->count > MAX_VOCAB ||
        tokens->entry_size > VOX_MAX_TEKKEN || !types || types->type != GGUF_ARRAY || types->item != GGUF_I32 || types->count != tokens->count)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: tokenizer.ggml.tokens and token_type are not lists of the same length.", path);
    tok->n_vocab = (int)tokens->count;
    while (tok->n_special < tok->n_vocab && token_type(types, (uint64_t)tok->n_special) == TYPE_CONTROL) tok->n_special++;
    if (tok->n_special <= VOX_STREAMING_WORD)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: tokenizer.ggml.token_type does not begin with the special tokens.", path);
    if (!gguf_integer(g, "stt.voxtral_realtime.time.default_num_delay_tokens", &delay) || delay < 1 || delay > 30)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: stt.voxtral_realtime.time.default_num_delay_tokens must be from 1 to 30.", path);
    gguf_integer(g, "stt.voxtral_realtime.streaming_pad_token_id", &pad);
    if (pad != VOX_STREAMING_PAD)
        return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s: stt.voxtral_realtime.streaming_pad_token_id must be %d.", path, VOX_STREAMING_PAD);
    /* Ours: other writers' files go without it. */
    gguf_integer(g, "stt.voxtral_realtime.streaming_n_left_pad_tokens", &left_pad);
    if (left_pad < 0 || left_pad > 1024)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: stt.voxtral_realtime.streaming_n_left_pad_tokens must be from 0 to 1024.", path);
    tok->delay_ms = (int)delay * 80;
    tok->n_left_pad = (int)left_pad;
    vox_status status = read_pieces(tok, tokens, types, path, err);
    if (status != VOX_OK) vox_tokenizer_free(tok);
    return status;
}

void vox_tokenizer_free(vox_tokenizer *tok) {
    vox_free(tok->offsets);
    vox_free(tok->bytes);
    memset(tok, 0, sizeof *tok);
}

const char *vox_tokenizer_bytes(const vox_tokenizer *tok, int id, size_t *len) {
    *len = 0;
    if (id < tok->n_special || id >= tok->n_vocab || !tok->offsets) return NULL;
    const uint32_t *o = tok->offsets + (id - tok->n_special);
    *len = o[1] - o[0];
    return *len ? tok->bytes + o[0] : NULL;
}

/* ---- UTF-8 ----------------------------------------------------------------------------- */

static size_t put_replacement(char *out) {
    memcpy(out, "\xEF\xBF\xBD", 3);
    return 3;
}

/* Length of the character that `lead` begins, 0 if none can begin with it. */
static int utf8_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/* Whether c may be byte `at` (1..) of the character begun in s: no overlong forms, surrogates or
 * values beyond U+10FFFF, all of which show in the second byte. */
static int utf8_continues(const unsigned char *s, int at, unsigned char c) {
    if (c < 0x80 || c > 0xBF) return 0;
    if (at != 1) return 1;
    switch (s[0]) {
    case 0xE0: return c >= 0xA0;
    case 0xED: return c <= 0x9F;
    case 0xF0: return c >= 0x90;
    case 0xF4: return c <= 0x8F;
    default: return 1;
    }
}

size_t vox_utf8_push(vox_utf8 *u, const char *bytes, size_t len, char *out) {
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        if (u->n && !utf8_continues(u->tail, u->n, c)) {
            written += put_replacement(out + written);
            u->n = 0;
        }
        if (u->n == 0 && (c == 0 || utf8_length(c) == 0)) {
            written += put_replacement(out + written);
            continue;
        }
        u->tail[u->n++] = c;
        if (u->n == utf8_length(u->tail[0])) {
            memcpy(out + written, u->tail, (size_t)u->n);
            written += (size_t)u->n;
            u->n = 0;
        }
    }
    out[written] = 0;
    return written;
}

size_t vox_utf8_end(vox_utf8 *u, char *out) {
    size_t written = u->n ? put_replacement(out) : 0;
    u->n = 0;
    out[written] = 0;
    return written;
}
