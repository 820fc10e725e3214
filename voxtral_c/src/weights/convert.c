/* convert.c - a model as one GGUF file: tensor by tensor, some rows at a time, on all cores. */
#define _DEFAULT_SOURCE       /* realpath */
#define _DARWIN_C_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "convert.h"
#include "layout.h"
#include "audio/mel.h"
#include "metadata.h"
#include "machine/out_file.h"
#include "model/prompt.h"
#include "machine/threads.h"

enum { CHUNK_BYTES = 16 << 20, ITEM_WEIGHTS = 1 << 15 };

typedef struct plan {             /* one tensor of the new file */
    vox_slot slot;
    vox_weight_type type;
    int rows, cols;               /* as rows of floats: a vector is one, a convolution's taps lie flat */
    int interleaved;
    const float *values;          /* of tables that the source does not have; else NULL */
    uint64_t offset, bytes;
} plan;

typedef struct converter {
    const vox_quantize_params *params;
    int interleave;
    const char *path;
    vox_error *err;
    vox_files files;
    vox_mel_plan mel;
    float *frequencies;           /* [decoder dim / 2] */
    plan *plans;
    size_t n_plans, capacity;
    uint64_t total, written;      /* bytes of tensors */
    gguf_bytes head;
    vox_pool *pool;
    float *rows;                  /* one of row_floats for each thread */
    size_t row_floats;
    uint8_t *panels;              /* rows to be interleaved: panel_bytes for each thread */
    size_t panel_bytes;
    uint8_t *chunk;
    size_t chunk_bytes;
    vox_out_file out;
} converter;

static vox_status no_memory(converter *c) {
    return vox_fail(c->err, VOX_ERR_MEMORY, "There is no memory to convert %s.", c->path);
}

/* ---- what the file will hold ----------------------------------------------------------- */

static uint64_t alignment(const converter *c) { return c->interleave ? VOX_LINE : GGUF_ALIGNMENT; }

static const vox_tensor *source_of(const converter *c, const vox_slot *slot) {
    return vox_tensors_find(&c->files.weights.file, c->files.is_gguf ? slot->gguf : slot->official);
}

static vox_status append(converter *c, const vox_slot *slot, vox_weight_type type, const float *values) {
    if (c->n_plans == c->capacity) {
        const size_t capacity = c->capacity * 2 + 256;
        plan *plans = vox_alloc(capacity, sizeof *plans);
        if (!plans) return no_memory(c);
        if (c->n_plans) memcpy(plans, c->plans, c->n_plans * sizeof *plans);
        vox_free(c->plans);
        c->plans = plans;
        c->capacity = capacity;
    }
    plan *p = &c->plans[c->n_plans++];
    *p = (plan){ .slot = *slot, .type = type, .values = values };
    p->rows = slot->kind == VOX_SLOT_VECTOR ? 1 : slot->rows;
    p->cols = slot->kind == VOX_SLOT_VECTOR ? slot->rows : slot->kind == VOX_SLOT_CONV ? 3 * slot->cols : slot->cols;
    p->interleaved = c->interleave && vox_is_quantised(type);
    p->bytes = p->interleaved ? vox_interleaved_bytes(type, p->rows, p->cols) : (uint64_t)p->rows * vox_row_bytes(type, p->cols);
    p->offset = (c->total + alignment(c) - 1) / alignment(c) * alignment(c);
    c->total = p->offset + p->bytes;
    return VOX_OK;
}

static vox_status append_slot(void *user, const vox_slot *slot) {
    converter *c = user;
    const vox_weight_type same = source_of(c, slot)->type;
    if (c->params->type != VOX_PRECISION_AUTO)
        return append(c, slot, vox_slot_type(slot, vox_precision_weights(c->params->type)), NULL);
    return append(c, slot, slot->kind == VOX_SLOT_VECTOR && vox_is_quantised(same) ? VOX_WEIGHT_F32 : same, NULL);
}

static vox_status append_table(converter *c, const char *name, const float *values, int rows, int cols) {
    vox_slot slot = { .kind = cols ? VOX_SLOT_MATRIX : VOX_SLOT_VECTOR, .rows = rows, .cols = cols };
    snprintf(slot.gguf, sizeof slot.gguf, "%s", name);
    return append(c, &slot, VOX_WEIGHT_F32, values);
}

static vox_status make_plans(converter *c) {
    const vox_config *config = &c->files.config;
    const int half = config->decoder.dim / 2;
    vox_status status = vox_mel_plan_init(&c->mel, config, c->files.filters);
    if (status != VOX_OK) return vox_fail(c->err, status, "%s: its front end is not supported.", c->path);
    c->frequencies = vox_alloc((size_t)half, sizeof *c->frequencies);
    if (!c->frequencies) return no_memory(c);
    for (int i = 0; i < half; i++) c->frequencies[i] = vox_delay_frequency(i, half);
    status = append_table(c, "frontend.mel_filterbank", c->mel.filters, c->mel.n_mels, c->mel.n_bins);
    if (status == VOX_OK) status = append_table(c, "frontend.window", c->mel.hann, c->mel.window, 0);
    if (status == VOX_OK) status = append_table(c, "dec.time_embed.inv_freq", c->frequencies, half, 0);
    return status == VOX_OK ? vox_layout_each(config, NULL, append_slot, c) : status;
}

static vox_status make_head(converter *c) {
    gguf_bytes values = { 0 };
    const vox_precision type = c->params->type == VOX_PRECISION_AUTO ? c->files.precision : c->params->type;
    vox_status status = vox_write_metadata(&values, &c->files, c->path, type, c->err);
    if (c->interleave) {
        char *source = realpath(c->path, NULL);
        gguf_add_u32(&values, "general.alignment", (uint32_t)alignment(c));
        gguf_add_string(&values, VOX_COPY_OF, source ? source : c->path);
        free(source);
    }
    gguf_put(&c->head, "GGUF", 4);
    gguf_put_u32(&c->head, 3);
    gguf_put_u64(&c->head, c->n_plans);
    gguf_put_u64(&c->head, values.entries);
    gguf_put(&c->head, values.data, values.size);
    vox_free(values.data);
    for (size_t i = 0; i < c->n_plans; i++) {
        const plan *p = &c->plans[i];
        const vox_slot *s = &p->slot;
        gguf_put_text(&c->head, s->gguf, strlen(s->gguf));
        gguf_put_u32(&c->head, s->kind == VOX_SLOT_VECTOR ? 1 : s->kind == VOX_SLOT_CONV ? 3 : 2);
        if (s->kind == VOX_SLOT_CONV) gguf_put_u64(&c->head, 3);          /* the fastest first */
        if (s->kind != VOX_SLOT_VECTOR) gguf_put_u64(&c->head, (uint64_t)s->cols);
        gguf_put_u64(&c->head, (uint64_t)s->rows);
        gguf_put_u32(&c->head, gguf_weight_type_number(p->type) + (p->interleaved ? GGUF_INTERLEAVED : 0));
        gguf_put_u64(&c->head, p->offset);
    }
    static const uint8_t zeros[VOX_LINE];
    gguf_put(&c->head, zeros, (alignment(c) - c->head.size % alignment(c)) % alignment(c));
    return status == VOX_OK && c->head.failed ? no_memory(c) : status;
}

/* ---- tensors --------------------------------------------------------------------------- */

typedef struct rows_job {
    const converter *c;
    const plan *p;
    const vox_tensor *source;     /* NULL: p->values */
    int heads;                    /* whose rows come interleaved and go as halves; 0 = as they are */
    int first, count, per_item;   /* rows of the chunk, and of an item */
} rows_job;

/* Of `n` rows in `heads` heads, the interleaved one that goes to place i. */
static int interleaved(int i, int n, int heads) {
    const int size = n / heads, at = i % size, half = size / 2;
    return i - at + (at < half ? 2 * at : 2 * (at - half) + 1);
}

/* Rows begin .. end-1 of the chunk. */
static void convert_rows(const rows_job *job, int begin, int end, int thread, uint8_t *out) {
    const plan *p = job->p;
    float *row = job->c->rows + (size_t)thread * job->c->row_floats;
    const size_t bytes = vox_row_bytes(p->type, p->cols);
    const int is_vector = p->slot.kind == VOX_SLOT_VECTOR;
    for (int i = begin; i < end; i++, out += bytes) {
        const int at = job->first + i, from = job->heads && !is_vector ? interleaved(at, p->rows, job->heads) : at;
        const float *x = row;
        if (!job->source) x = p->values + (size_t)at * (size_t)p->cols;
        else vox_tensor_read(job->source, (int64_t)from * p->cols, p->cols, row);
        if (!job->heads || !is_vector) vox_quantize(p->type, x, out, (size_t)p->cols);
        else
            for (int j = 0; j < p->cols; j++) memcpy(out + (size_t)j * 4, x + interleaved(j, p->cols, job->heads), 4);
    }
}

static int end_of(const rows_job *job, int item) {
    return (item + 1) * job->per_item < job->count ? (item + 1) * job->per_item : job->count;
}

static void convert_item(void *arg, int item, int thread) {
    const rows_job *job = arg;
    const int begin = item * job->per_item;
    convert_rows(job, begin, end_of(job, item), thread, job->c->chunk + (size_t)begin * vox_row_bytes(job->p->type, job->p->cols));
}

static void convert_panel(void *arg, int item, int thread) {
    const rows_job *job = arg;
    const plan *p = job->p;
    const int begin = item * VOX_PANEL, end = end_of(job, item);
    uint8_t *rows = job->c->panels + (size_t)thread * job->c->panel_bytes;
    if (job->source->type == p->type) {
        memcpy(rows, job->source->data + (size_t)(job->first + begin) * vox_row_bytes(p->type, p->cols),
               (size_t)(end - begin) * vox_row_bytes(p->type, p->cols));
    } else {
        convert_rows(job, begin, end, thread, rows);
    }
    vox_interleave(p->type, rows, end - begin, p->cols, job->c->chunk + (size_t)item * vox_panel_bytes(p->type, p->cols));
}

static vox_status report(converter *c) {
    if (!c->params->on_progress || !c->params->on_progress((double)c->written / (double)c->total, c->params->user)) return VOX_OK;
    return vox_fail(c->err, VOX_ERR_ABORTED, "The conversion of %s was stopped.", c->path);
}

static vox_status write_tensor(converter *c, const plan *p) {
    static const uint8_t zeros[VOX_LINE];
    const vox_tensor *t = p->values ? NULL : source_of(c, &p->slot);
    const int step = p->interleaved ? VOX_PANEL : 1;
    const size_t bytes = p->interleaved ? vox_panel_bytes(p->type, p->cols) : vox_row_bytes(p->type, p->cols);    /* of a step */
    const int most = (int)(c->chunk_bytes / bytes) * step;
    const uint64_t source_row = t ? vox_row_bytes(t->type, p->cols) : 0;
    vox_status status = vox_out_write(&c->out, zeros, (size_t)(p->offset - c->written), c->err);
    c->written = p->offset;
    for (int at = 0; at < p->rows && status == VOX_OK; at += most) {
        rows_job job = { c, p, t, c->files.is_gguf ? 0 : p->slot.heads, at, p->rows - at < most ? p->rows - at : most,
                         p->interleaved ? VOX_PANEL : ITEM_WEIGHTS / p->cols + 1 };
        const size_t made = (size_t)((job.count + step - 1) / step) * bytes;
        vox_pool_run(c->pool, p->interleaved ? convert_panel : convert_item, &job, (job.count + job.per_item - 1) / job.per_item);
        if (t) vox_tensor_release(t, (uint64_t)at * source_row, (uint64_t)(at + job.count) * source_row);
        status = vox_out_write(&c->out, c->chunk, made, c->err);
        c->written += made;
        if (status == VOX_OK) status = report(c);
    }
    return status;
}

static vox_status make_buffers(converter *c) {
    for (size_t i = 0; i < c->n_plans; i++) {
        const plan *p = &c->plans[i];
        const size_t bytes = vox_panel_bytes(p->type, p->cols);
        if (p->interleaved && bytes > c->panel_bytes) c->panel_bytes = bytes;
        if ((size_t)p->cols > c->row_floats) c->row_floats = (size_t)p->cols;
        if (bytes > c->chunk_bytes) c->chunk_bytes = bytes;
    }
    if (c->chunk_bytes < CHUNK_BYTES) c->chunk_bytes = CHUNK_BYTES;
    c->pool = vox_pool_new(c->params->threads ? c->params->threads : vox_physical_cores());
    c->chunk = vox_alloc(c->chunk_bytes, 1);
    c->rows = c->pool ? vox_alloc(c->row_floats * (size_t)vox_pool_threads(c->pool), sizeof *c->rows) : NULL;
    c->panels = c->pool ? vox_alloc(c->panel_bytes * (size_t)vox_pool_threads(c->pool) + 1, 1) : NULL;
    return c->pool && c->chunk && c->rows && c->panels ? VOX_OK : no_memory(c);
}

/* ---- the whole ------------------------------------------------------------------------- */

static vox_status check_params(const vox_quantize_params *p, int interleave, const char *out, vox_error *err) {
    if (p->type < VOX_PRECISION_AUTO || (p->type == VOX_PRECISION_AUTO && !interleave) || p->type > VOX_PRECISION_Q4_K_M)
        return vox_fail(err, VOX_ERR_ARGUMENT, "There is no type %d to convert to.", (int)p->type);
    if (p->threads < 0 || p->threads > VOX_MAX_THREADS)
        return vox_fail(err, VOX_ERR_ARGUMENT, "The number of threads must be from 1 to %d, or 0 for the machine's own.", VOX_MAX_THREADS);
    if (!p->overwrite && access(out, F_OK) == 0)
        return vox_fail(err, VOX_ERR_ARGUMENT, "%s is there already; choose another name, or replace it with --force.", out);
    return VOX_OK;
}

static vox_status open_source(converter *c) {
    vox_status status = vox_files_load(&c->files, c->path, VOX_PRECISION_AUTO, NULL, c->err);
    if (status == VOX_OK && c->params->type != VOX_PRECISION_AUTO && c->files.precision >= VOX_PRECISION_Q8_0)
        return vox_fail(c->err, VOX_ERR_UNSUPPORTED, "%s holds %s weights already; convert the official folder or a BF16 file instead.",
                        c->path, vox_precision_name(c->files.precision));
    return status;
}

static void free_all(converter *c) {
    vox_out_close(&c->out);
    vox_pool_free(c->pool);
    vox_free(c->rows);
    vox_free(c->panels);
    vox_free(c->chunk);
    vox_free(c->head.data);
    vox_free(c->plans);
    vox_free(c->frequencies);
    vox_mel_plan_free(&c->mel);
    vox_files_free(&c->files);
}

vox_status vox_convert(const char *path, const char *out, const vox_quantize_params *params, int interleave,
                       vox_error *err) {
    converter c = { .params = params, .interleave = interleave, .path = path, .err = err, .out = { NULL, NULL, -1 } };
    vox_status status = check_params(params, interleave, out, err);
    if (status == VOX_OK) status = open_source(&c);
    if (status == VOX_OK) status = make_plans(&c);
    if (status == VOX_OK) status = make_head(&c);
    if (status == VOX_OK) status = make_buffers(&c);
    if (status == VOX_OK) status = vox_out_open(&c.out, out, c.head.size + c.total, err);
    if (status == VOX_OK) status = vox_out_write(&c.out, c.head.data, c.head.size, err);
    for (size_t i = 0; i < c.n_plans && status == VOX_OK; i++) status = write_tensor(&c, &c.plans[i]);
    if (status == VOX_OK) status = vox_out_finish(&c.out, err);
    free_all(&c);
    return status;
}

vox_status vox_quantize_model(const char *path, const char *out, const vox_quantize_params *params,
                              char *err_text, size_t err_size) {
    vox_error err = { err_text, err_size };
    if (err_text && err_size) err_text[0] = 0;
    if (!path || !out || !params) return vox_fail(&err, VOX_ERR_ARGUMENT, "A model, a file and a type must be named.");
    return vox_convert(path, out, params, 0, &err);
}
