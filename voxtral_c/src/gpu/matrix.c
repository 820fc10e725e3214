/* matrix.c - weights on the GPU: uploaded a few panels at a time, so that memory holds little more
 * than one copy, and multiplied. */
#include <string.h>

#include "weights/interleave.h"
#include "kernels.h"

enum { UPLOAD = 4 << 20, PANEL_STEP = 4, LINE_BYTES = 64 };

static int panels_of(int rows) { return (rows + VOX_PANEL - 1) / VOX_PANEL; }

/* Columns that are read together. */
static int unit_of(vox_weight_type type) { return vox_is_quantised(type) ? 64 : 32; }

static int units_of(const gpu_matrix *m) { return (m->cols + unit_of(m->type) - 1) / unit_of(m->type); }

static size_t panel_bytes(vox_weight_type type, int cols) {
    if (vox_is_quantised(type)) return vox_panel_bytes(type, cols);
    return (size_t)((cols + 31) / 32) * (type == VOX_WEIGHT_F32 ? 32 : 16) * LINE_BYTES;
}

/* Plain floats in panels: 4 bytes of each row side by side, columns filled up with zeros. */
static void fill_floats(const vox_weight *w, int first, int rows, uint8_t *out, size_t bytes) {
    const size_t row_bytes = vox_row_bytes(w->type, w->cols);
    memset(out, 0, bytes);
    for (int r = 0; r < rows; r++) {
        const uint8_t *row = (const uint8_t *)w->data + (size_t)(first + r) * row_bytes;
        for (size_t i = 0; i < row_bytes; i += 4)
            memcpy(out + i / 4 * LINE_BYTES + (size_t)r * 4, row + i, row_bytes - i < 4 ? row_bytes - i : 4);
    }
}

static void fill_panel(const vox_weight *w, int panel, uint8_t *out, size_t bytes) {
    const int first = panel * VOX_PANEL, rows = w->rows - first < VOX_PANEL ? w->rows - first : VOX_PANEL;
    if (vox_is_quantised(w->type)) memcpy(out, (const uint8_t *)w->data + (size_t)panel * bytes, bytes);
    else fill_floats(w, first, rows, out, bytes);
}

/* Which matrix a panel of the whole is of, and which of its panels. */
static const vox_weight *weight_of(const vox_weight *const *weights, int count, int gated, int *panel) {
    if (gated) {
        const vox_weight *w = weights[*panel % count];
        *panel /= count;
        return w;
    }
    int i = 0;
    for (; i + 1 < count && *panel >= panels_of(weights[i]->rows); i++) *panel -= panels_of(weights[i]->rows);
    return weights[i];
}

static void upload(gpu *g, gpu_part *part, const gpu_matrix *m, const vox_weight *const *weights, int count, int gated, uint8_t *room) {
    const int at_once = (int)(UPLOAD / m->panel_bytes) + 1;
    uint32_t ignored;
    for (int from = 0; from < part->panels && gpu_ok(g); from += at_once) {
        const int n = part->panels - from < at_once ? part->panels - from : at_once;
        for (int i = 0; i < n; i++) {
            int panel = part->panel0 + from + i;
            const vox_weight *w = weight_of(weights, count, gated, &panel);
            fill_panel(w, panel, room + (size_t)i * m->panel_bytes, m->panel_bytes);
        }
        gpu_write(g, &part->buffer, (uint64_t)from * m->panel_bytes, room, (size_t)n * m->panel_bytes);
        gpu_read(g, &part->buffer, 0, &ignored, sizeof ignored);    /* what has been taken over is freed */
    }
}

static void upload_bias(gpu *g, gpu_matrix *m, const vox_weight *const *weights, const float *const *biases, int count) {
    int any = 0, row = 0;
    for (int i = 0; i < count; i++) any |= biases && biases[i];
    if (!any) return;
    m->bias = gpu_alloc(g, (uint64_t)m->rows * sizeof(float));
    for (int i = 0; i < count; i++) {
        if (biases[i]) gpu_write(g, &m->bias, (uint64_t)row * sizeof(float), biases[i], (size_t)weights[i]->rows * sizeof(float));
        row += panels_of(weights[i]->rows) * VOX_PANEL;
    }
}

void gpu_matrix_make(gpu *g, gpu_matrix *m, const vox_weight *const *weights, const float *const *biases, int count, int gated) {
    const vox_weight *w = weights[0];
    int panels = 0;
    for (int i = 0; i < count; i++) panels += panels_of(weights[i]->rows);
    *m = (gpu_matrix){ .type = w->type, .rows = panels * VOX_PANEL, .cols = w->cols, .panel_bytes = panel_bytes(w->type, w->cols) };
    for (int i = 1; i < count; i++)
        if (weights[i]->type != w->type || weights[i]->cols != w->cols) gpu_fail(g, "matrices used together differ in type");
    const uint64_t fit = g->max_binding / m->panel_bytes;
    const int most = (int)(fit < INT32_MAX ? fit : INT32_MAX) / PANEL_STEP * PANEL_STEP;
    if (most == 0) gpu_fail(g, "a matrix has rows too long for this GPU");
    if (!gpu_ok(g)) return;
    m->n_parts = (panels + most - 1) / most;
    m->parts = vox_alloc_zero((size_t)m->n_parts, sizeof *m->parts);
    uint8_t *room = vox_alloc((UPLOAD / m->panel_bytes + 1) * m->panel_bytes, 1);
    if (!m->parts || !room) gpu_fail(g, "there is no memory to upload weights");
    for (int i = 0; i < m->n_parts && gpu_ok(g); i++) {
        gpu_part *part = &m->parts[i];
        part->panel0 = i * most;
        part->panels = panels - part->panel0 < most ? panels - part->panel0 : most;
        part->buffer = gpu_alloc(g, (uint64_t)part->panels * m->panel_bytes);
        upload(g, part, m, weights, count, gated, room);
    }
    upload_bias(g, m, weights, biases, count);
    vox_free(room);
}

void gpu_matrix_free(gpu *g, gpu_matrix *m) {
    for (int i = 0; m->parts && i < m->n_parts; i++) gpu_free(g, &m->parts[i].buffer);
    gpu_free(g, &m->bias);
    vox_free(m->parts);
    memset(m, 0, sizeof *m);
}

/* Columns that a variant of the kernel for few takes: 1, 2, 4 or 8. */
static uint32_t few_columns(int n) { return n <= 1 ? 1 : n <= 2 ? 2 : n <= 4 ? 4 : 8; }

void gpu_product(gpu *g, const gpu_matrix *m, gpu_mode mode, const gpu_buffer *x, int x0, int ldx, int n,
                 const gpu_buffer *y, int ldy) {
    const int few = n <= GPU_FEW_COLUMNS;
    const uint32_t columns = few ? few_columns(n) : n <= 16 ? 16 : 64;
    const uint32_t variant = (uint32_t)m->type | (uint32_t)(mode == GPU_ADD ? GPU_STORE : mode) << 4 | columns << 8;
    for (int i = 0; i < m->n_parts; i++) {
        const gpu_part *part = &m->parts[i];
        const struct { uint32_t n, panels, panel0, units, panel_lines, ldx, x0, ldy, biased, added; } p = {
            (uint32_t)n, (uint32_t)part->panels, (uint32_t)part->panel0, (uint32_t)units_of(m), (uint32_t)(m->panel_bytes / LINE_BYTES),
            (uint32_t)ldx / 4, (uint32_t)x0 / 4, (uint32_t)ldy, m->bias.handle != NULL, mode == GPU_ADD,
        };
        const gpu_buffer *bias = m->bias.handle ? &m->bias : &part->buffer;
        const gpu_bind binds[] = { { &part->buffer, 0, 0 }, { x, 0, 0 }, { bias, 0, 0 }, { y, 0, 0 } };
        const uint32_t panels = (uint32_t)(mode == GPU_SWIGLU ? part->panels / 2 : part->panels);
        gpu_dispatch(g, few ? GPU_FEW : GPU_MANY, variant, binds, 4, &p, sizeof p,
                     few ? panels : ((uint32_t)part->panels + 3) / 4, few ? 1 : ((uint32_t)n + columns - 1) / columns, 1);
        gpu_worked(g, gpu_cost((double)part->panels * VOX_PANEL * m->cols * n, (double)part->panels * (double)m->panel_bytes));
    }
}

void gpu_embed(gpu *g, const gpu_matrix *m, const gpu_buffer *audio, int audio0, const gpu_buffer *info, int n,
               const gpu_buffer *x, int ldx) {
    for (int i = 0; i < m->n_parts; i++) {
        const gpu_part *part = &m->parts[i];
        const struct { uint32_t panels, panel0, units, panel_lines, fours, audio0, ldx; } p = {
            (uint32_t)part->panels, (uint32_t)part->panel0, (uint32_t)units_of(m), (uint32_t)(m->panel_bytes / LINE_BYTES),
            (uint32_t)m->cols / 4, (uint32_t)audio0 / 4, (uint32_t)ldx / 4,
        };
        const gpu_bind binds[] = { { &part->buffer, 0, 0 }, { audio, 0, 0 }, { info, 0, 0 }, { x, 0, 0 } };
        gpu_dispatch(g, GPU_EMBED, m->type, binds, 4, &p, sizeof p, (uint32_t)n, 1, 1);
    }
}
