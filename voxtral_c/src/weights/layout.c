#include "layout.h"

#include <stddef.h>
#include <stdio.h>

#define MM "mm_streams_embeddings.embedding_module."
#define WHISPER MM "whisper_encoder."

/* Sizes that shapes are made of: of the stack a tensor belongs to, or of the whole model. */
typedef enum size_code { NONE, DIM, QUERIES, KEYS, HIDDEN, ADA, MELS, ENCODER_DIM, DECODER_DIM, STACKED, VOCAB } size_code;

typedef struct row {
    const char *official, *gguf;
    vox_slot_kind kind;
    size_code rows, cols;
    size_t field;             /* in vox_layer_weights, or in vox_weights */
} row;

#define AT(field) offsetof(vox_weights, field)
static const row front[] = {
    { WHISPER "conv_layers.0.conv.weight", "enc.conv.0.weight", VOX_SLOT_CONV, ENCODER_DIM, MELS, AT(conv0) },
    { WHISPER "conv_layers.0.conv.bias", "enc.conv.0.bias", VOX_SLOT_VECTOR, ENCODER_DIM, NONE, AT(conv0_bias) },
    { WHISPER "conv_layers.1.conv.weight", "enc.conv.1.weight", VOX_SLOT_CONV, ENCODER_DIM, ENCODER_DIM, AT(conv1) },
    { WHISPER "conv_layers.1.conv.bias", "enc.conv.1.bias", VOX_SLOT_VECTOR, ENCODER_DIM, NONE, AT(conv1_bias) },
    { WHISPER "transformer.norm.weight", "enc.final_norm.weight", VOX_SLOT_VECTOR, ENCODER_DIM, NONE, AT(encoder_norm) },
};
static const row middle[] = {
    { MM "audio_language_projection.0.weight", "proj.linear_1.weight", VOX_SLOT_MATRIX, DECODER_DIM, STACKED, AT(adapter0) },
    { MM "audio_language_projection.2.weight", "proj.linear_2.weight", VOX_SLOT_MATRIX, DECODER_DIM, DECODER_DIM, AT(adapter1) },
    { MM "tok_embeddings.weight", "dec.token_embd.weight", VOX_SLOT_EMBEDDING, VOCAB, DECODER_DIM, AT(embeddings) },
    { "norm.weight", "dec.output_norm.weight", VOX_SLOT_VECTOR, DECODER_DIM, NONE, AT(decoder_norm) },
};
#undef AT

/* Gate (w1) and up (w3) lie side by side: transcribe.cpp copies them otherwise. */
#define AT(field) offsetof(vox_layer_weights, field)
static const row of_layer[] = {
    { "attention_norm.weight", "norm_attn.weight", VOX_SLOT_VECTOR, DIM, NONE, AT(attention_norm) },
    { "attention.wq.weight", "attn.q.weight", VOX_SLOT_MATRIX, QUERIES, DIM, AT(wq) },
    { "attention.wq.bias", "attn.q.bias", VOX_SLOT_VECTOR, QUERIES, NONE, AT(bq) },
    { "attention.wk.weight", "attn.k.weight", VOX_SLOT_MATRIX, KEYS, DIM, AT(wk) },
    { "attention.wv.weight", "attn.v.weight", VOX_SLOT_MATRIX, KEYS, DIM, AT(wv) },
    { "attention.wv.bias", "attn.v.bias", VOX_SLOT_VECTOR, KEYS, NONE, AT(bv) },
    { "attention.wo.weight", "attn.out.weight", VOX_SLOT_ATTENTION_OUT, DIM, QUERIES, AT(wo) },
    { "attention.wo.bias", "attn.out.bias", VOX_SLOT_VECTOR, DIM, NONE, AT(bo) },
    { "ffn_norm.weight", "norm_ffn.weight", VOX_SLOT_VECTOR, DIM, NONE, AT(ffn_norm) },
    { "feed_forward.w1.weight", "ffn.gate.weight", VOX_SLOT_MATRIX, HIDDEN, DIM, AT(w1) },
    { "feed_forward.w3.weight", "ffn.up.weight", VOX_SLOT_MATRIX, HIDDEN, DIM, AT(w3) },
    { "feed_forward.w2.weight", "ffn.down.weight", VOX_SLOT_MATRIX, DIM, HIDDEN, AT(w2) },
    { "feed_forward.w2.bias", "ffn.down.bias", VOX_SLOT_VECTOR, DIM, NONE, AT(b2) },
    { "ada_rms_norm_t_cond.0.weight", "ada.linear_1.weight", VOX_SLOT_MATRIX, ADA, DIM, AT(ada_down) },
    { "ada_rms_norm_t_cond.2.weight", "ada.linear_2.weight", VOX_SLOT_MATRIX, DIM, ADA, AT(ada_up) },
};
#undef AT

vox_weight_type vox_slot_type(const vox_slot *slot, vox_weight_type type) {
    if (slot->kind == VOX_SLOT_VECTOR || slot->kind == VOX_SLOT_CONV) return VOX_WEIGHT_F32;
    if (type == VOX_WEIGHT_Q4_K || type == VOX_WEIGHT_Q5_K) {
        if (slot->kind == VOX_SLOT_ATTENTION_OUT) type = VOX_WEIGHT_Q8_0;
        else if (slot->kind == VOX_SLOT_EMBEDDING) type = VOX_WEIGHT_Q6_K;
    }
    if (slot->cols % vox_block_weights(type) != 0) type = VOX_WEIGHT_Q8_0;
    return slot->cols % vox_block_weights(type) != 0 ? VOX_WEIGHT_F16 : type;
}

static int size_of(const vox_config *c, const vox_stack_config *s, size_code code) {
    switch (code) {
    case DIM: return s->dim;
    case QUERIES: return s->n_heads * s->head_dim;
    case KEYS: return s->n_kv_heads * s->head_dim;
    case HIDDEN: return s->hidden_dim;
    case ADA: return c->ada_dim;
    case MELS: return c->n_mels;
    case ENCODER_DIM: return c->encoder.dim;
    case DECODER_DIM: return c->decoder.dim;
    case STACKED: return c->encoder.dim * c->downsample;
    case VOCAB: return c->vocab_size;
    default: return 0;
    }
}

static void fill(vox_slot *slot, const vox_config *c, const vox_stack_config *s, const row *r, void *base) {
    slot->kind = r->kind;
    slot->rows = size_of(c, s, r->rows);
    slot->cols = size_of(c, s, r->cols);
    slot->heads = 0;
    slot->target = base ? (char *)base + r->field : NULL;
}

static vox_status each_of(const vox_config *c, vox_weights *w, const row *rows, size_t n, vox_slot_fn fn, void *user) {
    vox_status status = VOX_OK;
    for (size_t i = 0; i < n && status == VOX_OK; i++) {
        vox_slot slot;
        fill(&slot, c, NULL, &rows[i], w);
        snprintf(slot.official, sizeof slot.official, "%s", rows[i].official);
        snprintf(slot.gguf, sizeof slot.gguf, "%s", rows[i].gguf);
        status = fn(user, &slot);
    }
    return status;
}

static int is_in(const vox_stack_config *s, const row *r, int decoder) {
    const int ada = r->rows == ADA || r->cols == ADA, bias = r->kind == VOX_SLOT_VECTOR && r->field >= offsetof(vox_layer_weights, bq);
    return ada ? decoder : !bias || s->biases;
}

static vox_status each_layer(const vox_config *c, vox_weights *w, int decoder, vox_slot_fn fn, void *user) {
    const vox_stack_config *s = decoder ? &c->decoder : &c->encoder;
    vox_layer_weights *layers = !w ? NULL : decoder ? w->decoder : w->encoder;
    vox_status status = VOX_OK;
    for (int layer = 0; layer < s->n_layers; layer++)
        for (size_t i = 0; i < sizeof of_layer / sizeof *of_layer && status == VOX_OK; i++) {
            const row *r = &of_layer[i];
            const char *name = decoder && r->kind == VOX_SLOT_ATTENTION_OUT ? "attn.o.weight" : r->gguf;
            vox_slot slot;
            if (!is_in(s, r, decoder)) continue;
            fill(&slot, c, s, r, layers ? &layers[layer] : NULL);
            if (r->field == offsetof(vox_layer_weights, wq) || r->field == offsetof(vox_layer_weights, bq)) slot.heads = s->n_heads;
            if (r->field == offsetof(vox_layer_weights, wk)) slot.heads = s->n_kv_heads;
            snprintf(slot.official, sizeof slot.official, "%slayers.%d.%s", decoder ? "" : WHISPER "transformer.", layer, r->official);
            snprintf(slot.gguf, sizeof slot.gguf, "%s.blocks.%d.%s", decoder ? "dec" : "enc", layer, name);
            status = fn(user, &slot);
        }
    return status;
}

vox_status vox_layout_each(const vox_config *c, vox_weights *w, vox_slot_fn fn, void *user) {
    vox_status status = each_of(c, w, front, sizeof front / sizeof *front, fn, user);
    if (status == VOX_OK) status = each_layer(c, w, 0, fn, user);
    if (status == VOX_OK) status = each_of(c, w, middle, sizeof middle / sizeof *middle, fn, user);
    return status == VOX_OK ? each_layer(c, w, 1, fn, user) : status;
}
