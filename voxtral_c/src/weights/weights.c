#include "weights.h"

#include <stdio.h>
#include <string.h>

#include "layout.h"

enum { RELEASE_BYTES = 64 << 20 };

/* Each owned block begins with this header, padded so that the data stays aligned. */
struct vox_owned {
    struct vox_owned *next;
    char pad[64 - sizeof(struct vox_owned *)];
};

typedef struct loader {
    vox_weights *w;
    int gguf;                 /* the names and the rows' order are those of GGUF */
    vox_precision precision;
    vox_pool *pool;           /* may be NULL */
    vox_error *err;
} loader;

static vox_status no_memory(const loader *l) {
    if (l->w->owned_bytes > l->w->most_bytes)
        return vox_fail(l->err, VOX_ERR_MEMORY, "There is no memory for the model's weights: arranged anew they take more than the "
                        "%.1f GB there are. Take a smaller model or precision, or a cache folder that can be written.", l->w->most_bytes / 1e9);
    return vox_fail(l->err, VOX_ERR_MEMORY, "There is no memory for the model's weights.");
}

void *vox_weights_own(vox_weights *w, size_t bytes) {
    w->owned_bytes += (double)bytes;
    if (w->most_bytes > 0 && w->owned_bytes > w->most_bytes) return NULL;     /* the system would not say so but kill */
    struct vox_owned *block = bytes < SIZE_MAX - sizeof *block ? vox_alloc(sizeof *block + bytes, 1) : NULL;
    if (!block) return NULL;
    vox_large_pages(block, sizeof *block + bytes);
    block->next = w->owned;
    w->owned = block;
    return block + 1;
}

static float *own(loader *l, int64_t floats) {
    return (uint64_t)floats < SIZE_MAX / sizeof(float) ? vox_weights_own(l->w, (size_t)floats * sizeof(float)) : NULL;
}

static const char *shape_text(const int64_t *shape, int n, char *buf, size_t size) {
    size_t at = (size_t)snprintf(buf, size, "[");
    for (int i = 0; i < n && i < VOX_MAX_DIMS && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (at < size) snprintf(buf + at, size - at, "]");
    return buf;
}

static vox_status find(loader *l, const vox_slot *slot, const vox_tensor **out) {
    const char *path = l->w->file.path, *name = l->gguf ? slot->gguf : slot->official;
    const char *dimensions = l->gguf ? "its metadata" : "params.json";
    const int64_t shape[3] = { slot->rows, slot->cols, 3 };
    const int n = slot->kind == VOX_SLOT_VECTOR ? 1 : slot->kind == VOX_SLOT_CONV ? 3 : 2;
    const vox_tensor *t = vox_tensors_find(&l->w->file, name);
    char has[96], wants[96];
    if (!t)
        return vox_fail(l->err, VOX_ERR_FORMAT, "%s lacks the tensor %s; it does not belong to %s or is incomplete.",
                        path, name, dimensions);
    if (t->type == VOX_WEIGHT_TYPES)
        return vox_fail(l->err, VOX_ERR_UNSUPPORTED, "%s: %s is of a type that this engine does not read; it reads %s.", path, name,
                        l->gguf ? "BF16, F16, F32, Q8_0, Q4_K, Q5_K and Q6_K" : "BF16, F16 and F32");
    if (t->n_dims != n || memcmp(t->shape, shape, (size_t)n * sizeof *shape) != 0)
        return vox_fail(l->err, VOX_ERR_FORMAT, "%s: %s is %s but %s asks for %s.", path, name,
                        shape_text(t->shape, t->n_dims, has, sizeof has), dimensions,
                        shape_text(shape, n, wants, sizeof wants));
    l->w->parameters += t->count;
    l->w->interleaved |= t->interleaved;
    *out = t;
    return VOX_OK;
}

/* The data lies in the file so that kernels can read it there, which those of blocks need not. */
static int is_aligned(const vox_tensor *t) {
    return vox_is_quantised(t->type) || (uintptr_t)t->data % (t->type == VOX_WEIGHT_F32 ? 4 : 2) == 0;
}

static const float *widened(loader *l, const vox_tensor *t) {
    float *data = own(l, t->count);
    if (data) vox_tensor_read(t, 0, t->count, data);
    return data;
}

static vox_status load_vector(loader *l, const vox_tensor *t, const float **out) {
    if (!l->pool) return VOX_OK;
    const int in_place = t->type == VOX_WEIGHT_F32 && is_aligned(t);
    *out = in_place ? (const float *)(const void *)t->data : widened(l, t);
    return *out ? VOX_OK : no_memory(l);
}

typedef struct interleave_job {
    const vox_tensor *t;
    uint8_t *out;
    int first;                /* panel */
} interleave_job;

static void interleave_panel(void *arg, int item, int thread) {
    const interleave_job *job = arg;
    const int rows = (int)job->t->shape[0], cols = (int)job->t->shape[1], panel = job->first + item, from = panel * VOX_PANEL;
    (void)thread;
    vox_interleave(job->t->type, job->t->data + (size_t)from * vox_row_bytes(job->t->type, cols),
                   rows - from < VOX_PANEL ? rows - from : VOX_PANEL, cols,
                   job->out + (size_t)panel * vox_panel_bytes(job->t->type, cols));
}

/* Some panels at a time, so that never much more than one copy is in memory. */
static const void *interleaved(loader *l, const vox_tensor *t) {
    const int rows = (int)t->shape[0], cols = (int)t->shape[1], panels = (rows + VOX_PANEL - 1) / VOX_PANEL;
    const size_t row = vox_row_bytes(t->type, cols);
    const int most = (int)(RELEASE_BYTES / (row * VOX_PANEL)) + 1;
    interleave_job job = { t, vox_weights_own(l->w, vox_interleaved_bytes(t->type, rows, cols)), 0 };
    for (; job.out && job.first < panels; job.first += most) {
        vox_pool_run(l->pool, interleave_panel, &job, panels - job.first < most ? panels - job.first : most);
        vox_tensor_release(t, (uint64_t)job.first * VOX_PANEL * row, (uint64_t)t->count / (uint64_t)cols * row);
    }
    return job.out;
}

/* Used where it lies in the file, unless float32 was asked for or rows must be interleaved. */
static vox_status load_matrix(loader *l, const vox_slot *slot, const vox_tensor *t, vox_weight *m) {
    const int widen = !is_aligned(t) || (l->precision == VOX_PRECISION_F32 && t->type != VOX_WEIGHT_F32);
    *m = (vox_weight){ widen ? VOX_WEIGHT_F32 : t->type, slot->rows, slot->cols, t->data };
    if (l->precision == VOX_PRECISION_BF16 && t->type != VOX_WEIGHT_BF16)
        return vox_fail(l->err, VOX_ERR_UNSUPPORTED,
                        "%s holds %s weights; %s. Choose the precision f32 or auto.", l->w->file.path,
                        vox_weight_type_name(t->type),
                        vox_is_quantised(t->type) ? "what they lack of BF16 is lost" : "BF16 would change them");
    if (!l->pool) return VOX_OK;
    if (widen) m->data = widened(l, t);
    else if (vox_is_quantised(t->type) && !t->interleaved) m->data = interleaved(l, t);
    return m->data ? VOX_OK : no_memory(l);
}

/* [out, in, 3] becomes [out, 3 * in], so that three frames side by side are one column. */
static vox_status load_conv(loader *l, const vox_slot *slot, const vox_tensor *t, vox_weight *m) {
    if (!l->pool) return VOX_OK;
    const size_t out = (size_t)slot->rows, in = (size_t)slot->cols;
    float *data = own(l, t->count), *taps = vox_alloc(3 * in, sizeof *taps);
    for (size_t o = 0; o < out && data && taps; o++) {
        vox_tensor_read(t, (int64_t)(o * in * 3), (int64_t)in * 3, taps);
        for (size_t i = 0; i < in; i++)
            for (size_t k = 0; k < 3; k++) data[(o * 3 + k) * in + i] = taps[i * 3 + k];
    }
    *m = (vox_weight){ VOX_WEIGHT_F32, slot->rows, 3 * slot->cols, data };
    vox_free(taps);
    return data && taps ? VOX_OK : no_memory(l);
}

static vox_status load_slot(void *user, const vox_slot *slot) {
    loader *l = user;
    const vox_tensor *t = NULL;
    vox_status status = find(l, slot, &t);
    if (status != VOX_OK) return status;
    if (slot->kind == VOX_SLOT_VECTOR) return load_vector(l, t, slot->target);
    if (slot->kind == VOX_SLOT_CONV && vox_is_quantised(t->type))
        return vox_fail(l->err, VOX_ERR_UNSUPPORTED, "%s: %.*s must be F32, F16 or BF16.", l->w->file.path,
                        (int)t->name_len, t->name);
    if (slot->kind == VOX_SLOT_CONV) return load_conv(l, slot, t, slot->target);
    return load_matrix(l, slot, t, slot->target);
}

vox_status vox_weights_load(vox_weights *w, const vox_config *config, vox_tensors *file, int from_gguf,
                            vox_precision precision, vox_pool *pool, vox_error *err) {
    loader l = { w, from_gguf, precision, pool, err };
    memset(w, 0, sizeof *w);
    w->file = *file;
    memset(file, 0, sizeof *file);
    w->most_bytes = vox_memory_total();
    w->encoder = vox_alloc_zero((size_t)config->encoder.n_layers, sizeof *w->encoder);
    w->decoder = vox_alloc_zero((size_t)config->decoder.n_layers, sizeof *w->decoder);
    vox_status status = w->encoder && w->decoder ? vox_layout_each(config, w, load_slot, &l) : no_memory(&l);
    if (status == VOX_OK) w->type = w->decoder->w1.type;
    else vox_weights_free(w);
    return status;
}

void vox_weights_free(vox_weights *w) {
    for (struct vox_owned *b = w->owned, *next; b; b = next) {
        next = b->next;
        vox_free(b);
    }
    vox_free(w->encoder);
    vox_free(w->decoder);
    vox_tensors_close(&w->file);
    memset(w, 0, sizeof *w);
}

size_t vox_weight_bytes(const vox_weight *w, int rows) {
    if (vox_is_quantised(w->type)) return vox_interleaved_bytes(w->type, rows, w->cols);
    return (size_t)rows * vox_row_bytes(w->type, w->cols);
}

void vox_weight_row(const vox_weight *w, int row, float *out) {
    const uint8_t *data = w->data;
    if (vox_is_quantised(w->type)) {
        vox_interleaved_row(w->type, data, row, w->cols, out);
        return;
    }
    vox_dequantize(w->type, data + (size_t)row * vox_row_bytes(w->type, w->cols), out, (size_t)w->cols);
}
