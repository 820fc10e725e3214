#include "weights.h"

#include <stdio.h>
#include <string.h>

#include "kernels/kernels.h"

#define MM "mm_streams_embeddings.embedding_module."
#define ENCODER MM "whisper_encoder."

/* Each owned block begins with this header, padded so that the data stays aligned. */
struct vox_owned {
    struct vox_owned *next;
    char pad[64 - sizeof(struct vox_owned *)];
};

/* The first failure sticks, so that loading reads as a list of tensors. */
typedef struct loader {
    vox_weights *w;
    vox_precision precision;
    vox_error *err;
    vox_status status;
    char prefix[160];             /* of the layer being loaded */
} loader;

static float *own(loader *l, int64_t floats) {
    struct vox_owned *block = NULL;
    if ((uint64_t)floats < (SIZE_MAX - sizeof *block) / sizeof(float))
        block = vox_alloc(sizeof *block + (size_t)floats * sizeof(float), 1);
    if (!block) {
        l->status = vox_fail(l->err, VOX_ERR_MEMORY, "There is no memory for the model's weights.");
        return NULL;
    }
    block->next = l->w->owned;
    l->w->owned = block;
    return (float *)(void *)(block + 1);
}

static const char *shape_text(const int64_t *shape, int n, char *buf, size_t size) {
    size_t at = (size_t)snprintf(buf, size, "[");
    for (int i = 0; i < n && i < VOX_MAX_DIMS && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (at < size) snprintf(buf + at, size - at, "]");
    return buf;
}

/* The tensor prefix + name if it is there with that shape (c = 0: two dimensions, b = 0: one). */
static const st_tensor *find(loader *l, const char *name, int a, int b, int c) {
    char full[256], has[96], wants[96];
    const int64_t shape[3] = { a, b, c };
    const int n = c ? 3 : b ? 2 : 1;
    if (l->status != VOX_OK) return NULL;
    snprintf(full, sizeof full, "%s%s", l->prefix, name);
    const st_tensor *t = safetensors_find(&l->w->file, full);
    const char *path = l->w->file.path;
    if (!t) {
        l->status = vox_fail(l->err, VOX_ERR_FORMAT,
                             "%s lacks the tensor %s; it does not belong to params.json or is incomplete.",
                             path, full);
        return NULL;
    }
    if (t->dtype == VOX_OTHER) {
        l->status = vox_fail(l->err, VOX_ERR_UNSUPPORTED,
                             "%s: %s is neither BF16, F16 nor F32.", path, full);
        return NULL;
    }
    if (t->n_dims != n || memcmp(t->shape, shape, (size_t)n * sizeof *shape) != 0) {
        l->status = vox_fail(l->err, VOX_ERR_FORMAT, "%s: %s is %s but params.json asks for %s.", path, full,
                             shape_text(t->shape, t->n_dims, has, sizeof has),
                             shape_text(shape, n, wants, sizeof wants));
        return NULL;
    }
    l->w->parameters += t->count;
    return t;
}

static const float *load_vector(loader *l, const char *name, int n) {
    const st_tensor *t = find(l, name, n, 0, 0);
    float *data = t ? own(l, n) : NULL;
    if (data) safetensors_read(t, 0, n, data);
    return data;
}

/* BF16 is used where it lies in the file unless float32 was asked for; F16 has no kernels and is
 * widened, which loses nothing. */
static vox_weight load_matrix(loader *l, const char *name, int rows, int cols) {
    vox_weight m = { VOX_WEIGHT_F32, rows, cols, NULL };
    const st_tensor *t = find(l, name, rows, cols, 0);
    if (!t) return m;
    const size_t size = t->dtype == VOX_F32 ? 4 : 2;
    const int aligned = (uintptr_t)t->data % size == 0;
    if (l->precision == VOX_PRECISION_BF16 && t->dtype != VOX_BF16) {
        l->status = vox_fail(l->err, VOX_ERR_UNSUPPORTED,
                             "%s holds %s weights; BF16 would change them. Choose the precision f32 or auto.",
                             l->w->file.path, vox_dtype_name(t->dtype));
        return m;
    }
    if (t->dtype == VOX_BF16 && l->precision != VOX_PRECISION_F32 && aligned) {
        m.type = VOX_WEIGHT_BF16;
        m.data = t->data;
        return m;
    }
    if (t->dtype == VOX_F32 && aligned) {
        m.data = t->data;
        return m;
    }
    float *data = own(l, t->count);
    if (data) safetensors_read(t, 0, t->count, data);
    m.data = data;
    return m;
}

/* [out, in, 3] becomes [out, 3 * in], so that three frames side by side are one column. */
static vox_weight load_conv(loader *l, const char *name, int out, int in) {
    vox_weight m = { VOX_WEIGHT_F32, out, 3 * in, NULL };
    const st_tensor *t = find(l, name, out, in, 3);
    float *data = t ? own(l, t->count) : NULL;
    if (!data) return m;
    for (int o = 0; o < out; o++)
        for (int i = 0; i < in; i++) {
            float taps[3];
            safetensors_read(t, ((int64_t)o * in + i) * 3, 3, taps);
            for (int k = 0; k < 3; k++) data[((int64_t)o * 3 + k) * in + i] = taps[k];
        }
    m.data = data;
    return m;
}

static void load_layer(loader *l, const vox_stack_config *c, int ada_dim, vox_layer_weights *w) {
    const int q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
    w->attention_norm = load_vector(l, "attention_norm.weight", c->dim);
    w->wq = load_matrix(l, "attention.wq.weight", q, c->dim);
    w->wk = load_matrix(l, "attention.wk.weight", kv, c->dim);
    w->wv = load_matrix(l, "attention.wv.weight", kv, c->dim);
    w->wo = load_matrix(l, "attention.wo.weight", c->dim, q);
    w->ffn_norm = load_vector(l, "ffn_norm.weight", c->dim);
    w->w1 = load_matrix(l, "feed_forward.w1.weight", c->hidden_dim, c->dim);
    w->w2 = load_matrix(l, "feed_forward.w2.weight", c->dim, c->hidden_dim);
    w->w3 = load_matrix(l, "feed_forward.w3.weight", c->hidden_dim, c->dim);
    if (c->biases) {
        w->bq = load_vector(l, "attention.wq.bias", q);
        w->bv = load_vector(l, "attention.wv.bias", kv);
        w->bo = load_vector(l, "attention.wo.bias", c->dim);
        w->b2 = load_vector(l, "feed_forward.w2.bias", c->dim);
    }
    if (ada_dim) {
        w->ada_down = load_matrix(l, "ada_rms_norm_t_cond.0.weight", ada_dim, c->dim);
        w->ada_up = load_matrix(l, "ada_rms_norm_t_cond.2.weight", c->dim, ada_dim);
    }
}

static vox_layer_weights *load_stack(loader *l, const vox_stack_config *c, int ada_dim, const char *prefix) {
    vox_layer_weights *layers = vox_alloc_zero((size_t)c->n_layers, sizeof *layers);
    if (!layers) {
        l->status = vox_fail(l->err, VOX_ERR_MEMORY, "There is no memory for the model's weights.");
        return NULL;
    }
    for (int i = 0; i < c->n_layers && l->status == VOX_OK; i++) {
        snprintf(l->prefix, sizeof l->prefix, "%slayers.%d.", prefix, i);
        load_layer(l, c, ada_dim, &layers[i]);
    }
    l->prefix[0] = 0;
    return layers;
}

static void load_all(loader *l, const vox_config *c) {
    vox_weights *w = l->w;
    const int dim = c->encoder.dim;
    w->embeddings = load_matrix(l, MM "tok_embeddings.weight", c->vocab_size, c->decoder.dim);
    w->type = w->embeddings.type;
    w->conv0 = load_conv(l, ENCODER "conv_layers.0.conv.weight", dim, c->n_mels);
    w->conv0_bias = load_vector(l, ENCODER "conv_layers.0.conv.bias", dim);
    w->conv1 = load_conv(l, ENCODER "conv_layers.1.conv.weight", dim, dim);
    w->conv1_bias = load_vector(l, ENCODER "conv_layers.1.conv.bias", dim);
    if (l->status == VOX_OK) w->encoder = load_stack(l, &c->encoder, 0, ENCODER "transformer.");
    w->encoder_norm = load_vector(l, ENCODER "transformer.norm.weight", dim);
    w->adapter0 = load_matrix(l, MM "audio_language_projection.0.weight", c->decoder.dim, dim * c->downsample);
    w->adapter1 = load_matrix(l, MM "audio_language_projection.2.weight", c->decoder.dim, c->decoder.dim);
    if (l->status == VOX_OK) w->decoder = load_stack(l, &c->decoder, c->ada_dim, "");
    w->decoder_norm = load_vector(l, "norm.weight", c->decoder.dim);
}

vox_status vox_weights_load(vox_weights *w, const vox_config *config, const char *path,
                            vox_precision precision, vox_error *err) {
    loader l = { .w = w, .precision = precision, .err = err, .status = VOX_OK };
    memset(w, 0, sizeof *w);
    l.status = safetensors_open(&w->file, path, err);
    if (l.status == VOX_OK) load_all(&l, config);
    if (l.status != VOX_OK) vox_weights_free(w);
    return l.status;
}

void vox_weights_free(vox_weights *w) {
    for (struct vox_owned *b = w->owned, *next; b; b = next) {
        next = b->next;
        vox_free(b);
    }
    vox_free(w->encoder);
    vox_free(w->decoder);
    safetensors_close(&w->file);
    memset(w, 0, sizeof *w);
}

void vox_weight_row(const vox_weight *w, int row, float *out) {
    const size_t at = (size_t)row * (size_t)w->cols;
    if (w->type == VOX_WEIGHT_BF16) vox_widen_bf16((const uint16_t *)w->data + at, out, (size_t)w->cols);
    else memcpy(out, (const float *)w->data + at, (size_t)w->cols * sizeof *out);
}
