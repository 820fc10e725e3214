/* generic.c - the reference kernels in portable C: what the others are tested against. */
#include <math.h>
#include <string.h>

#include "weights/interleave.h"
#include "kernels.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF   /* else one call might fuse what another does not */
#endif

/* Eight partial sums, so that a compiler may use vectors without reordering anything. */
#define LANES 8

static float sum_lanes(const float *s) {
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static float widen(uint16_t v) {
    union { uint32_t u; float f; } bits;
    bits.u = (uint32_t)v << 16;
    return bits.f;
}

static float dot_f32(const float *w, const float *x, int k) {
    float s[LANES] = { 0 };
    int i = 0;
    for (; i + LANES <= k; i += LANES)
        for (int j = 0; j < LANES; j++) s[j] += w[i + j] * x[i + j];
    for (int j = 0; i + j < k; j++) s[j] += w[i + j] * x[i + j];
    return sum_lanes(s);
}

static float dot_bf16(const uint16_t *w, const float *x, int k) {
    float s[LANES] = { 0 };
    int i = 0;
    for (; i + LANES <= k; i += LANES)
        for (int j = 0; j < LANES; j++) s[j] += widen(w[i + j]) * x[i + j];
    for (int j = 0; i + j < k; j++) s[j] += widen(w[i + j]) * x[i + j];
    return sum_lanes(s);
}

static float dot_f16(const uint16_t *w, const float *x, int k) {
    float s[LANES] = { 0 };
    int i = 0;
    for (; i + LANES <= k; i += LANES)
        for (int j = 0; j < LANES; j++) s[j] += vox_f16_to_f32(w[i + j]) * x[i + j];
    for (int j = 0; i + j < k; j++) s[j] += vox_f16_to_f32(w[i + j]) * x[i + j];
    return sum_lanes(s);
}

static void matmul_bf16(const uint16_t *w, size_t ldw, int rows, int k,
                        const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            y[(size_t)c * ldy + (size_t)r] = dot_bf16(w + (size_t)r * ldw, x + (size_t)c * ldx, k);
}

static void matmul_f16(const uint16_t *w, size_t ldw, int rows, int k,
                       const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            y[(size_t)c * ldy + (size_t)r] = dot_f16(w + (size_t)r * ldw, x + (size_t)c * ldx, k);
}

static void matmul_f32(const float *w, size_t ldw, int rows, int k,
                       const float *x, size_t ldx, int cols, float *y, size_t ldy) {
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            y[(size_t)c * ldy + (size_t)r] = dot_f32(w + (size_t)r * ldw, x + (size_t)c * ldx, k);
}

/* ---- quantised weights ---- */

/* A group of weights taken apart: w = d * scale * (u - offset) - dmin * min. Q6_K has a scale for each half. */
typedef struct group {
    int u[VOX_GROUP], scale[2], min;
    float d, dmin;
} group;

static void group_q8_0(const vox_q8_0 *block, group *out) {
    for (int i = 0; i < VOX_GROUP; i++) out->u[i] = block->q[i];
    out->d = vox_f16_to_f32(block->d);
}

/* Q4_K, and Q5_K with fifth bits in qh */
static void group_k(uint16_t d, uint16_t dmin, const uint8_t *s, const uint8_t *q, const uint8_t *qh, int g, group *out) {
    for (int i = 0; i < VOX_GROUP; i++) {
        out->u[i] = q[g / 2 * 32 + i] >> g % 2 * 4 & 15;
        if (qh) out->u[i] |= (qh[i] >> g & 1) << 4;
    }
    out->scale[0] = out->scale[1] = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | s[g - 4] >> 6 << 4;
    out->min = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | s[g] >> 6 << 4;
    out->d = vox_f16_to_f32(d);
    out->dmin = vox_f16_to_f32(dmin);
}

static void group_q6_k(const vox_q6_k *block, int g, group *out) {
    const uint8_t *low = block->ql + g / 4 * 64 + g % 2 * 32, *high = block->qh + g / 4 * 32;
    for (int i = 0; i < VOX_GROUP; i++)
        out->u[i] = ((low[i] >> (g % 4 / 2 * 4) & 15) | (high[i] >> (g % 4 * 2) & 3) << 4) - 32;
    for (int h = 0; h < 2; h++) out->scale[h] = block->scales[2 * g + h];
    out->d = vox_f16_to_f32(block->d);
}

/* Group g of the blocks of a chunk. */
static void take_group(vox_weight_type type, const void *blocks, int g, group *out) {
    const vox_q4_k *q4 = blocks;
    const vox_q5_k *q5 = blocks;
    *out = (group){ .scale = { 1, 1 } };
    if (type == VOX_WEIGHT_Q8_0) group_q8_0((const vox_q8_0 *)blocks + g, out);
    else if (type == VOX_WEIGHT_Q4_K) group_k(q4->d, q4->dmin, q4->scales, q4->q, NULL, g, out);
    else if (type == VOX_WEIGHT_Q5_K) group_k(q5->d, q5->dmin, q5->scales, q5->q, q5->qh, g, out);
    else group_q6_k(blocks, g, out);
}

/* One row's chunk times a column's. */
static float dot_chunk(vox_weight_type type, const group *groups, int n, const vox_chunk *x) {
    int whole = 0, mins = 0;
    float sum = 0;
    for (int g = 0; g < n; g++) {
        const group *w = &groups[g];
        int dots[2] = { 0, 0 };
        for (int i = 0; i < VOX_GROUP; i++) dots[i / (VOX_GROUP / 2)] += w->u[i] * x->q[g * VOX_GROUP + i];
        if (type == VOX_WEIGHT_Q8_0) sum += w->d * x->group_d[g] * (float)(dots[0] + dots[1]);
        else whole += x->s[g] * (w->scale[0] * dots[0] + w->scale[1] * dots[1]);
        mins += w->min * x->sums[VOX_PAIRED(g)];
    }
    return type == VOX_WEIGHT_Q8_0 ? sum : x->d * (groups[0].d * (float)whole - groups[0].dmin * (float)mins);
}

static void matmul_quant(vox_weight_type type, const void *w, int rows, int k, const vox_chunk *x, int cols,
                         float *y, size_t ldy) {
    for (int r = 0; r < rows; r++) {
        _Alignas(4) uint8_t blocks[VOX_CHUNK_BLOCKS];
        for (int c = 0; c < cols; c++) y[(size_t)c * ldy + (size_t)r] = 0;
        for (int at = 0; at < k; at += VOX_CHUNK) {
            const int n = k - at < VOX_CHUNK ? (k - at) / VOX_GROUP : VOX_GROUPS;
            const vox_chunk *chunk = x + (size_t)(at / VOX_CHUNK) * (size_t)cols;
            group groups[VOX_GROUPS];
            vox_interleaved_blocks(type, w, r, at / VOX_CHUNK, k, blocks);
            for (int g = 0; g < n; g++) take_group(type, blocks, g, &groups[g]);
            for (int c = 0; c < cols; c++) y[(size_t)c * ldy + (size_t)r] += dot_chunk(type, groups, n, chunk + c);
        }
    }
}

static int byte_of(float v) { return (int)rintf(v < 127.0f ? v > -127.0f ? v : -127.0f : 127.0f); }    /* NaN: 127 */

static float least_scale(const float *x) {
    float most = 0, sums[2] = { 0, 0 };
    for (int i = 0; i < VOX_GROUP; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    if (most < 1e-30f) most = 0;
    const float inverse = most > 0 ? 127.0f / most : 0;
    for (int i = 0; i < VOX_GROUP; i++) sums[i / (VOX_GROUP / 2)] += fabsf(rintf(x[i] * inverse));    /* whole numbers: exact */
    return vox_group_scale(most, sums[0] > sums[1] ? sums[0] : sums[1]);
}

static void quantize(const float *x, int k, vox_chunk *out, size_t stride) {
    for (int at = 0; at < k; at += VOX_CHUNK, out += stride, x += VOX_CHUNK) {
        const int groups = k - at < VOX_CHUNK ? (k - at) / VOX_GROUP : VOX_GROUPS;
        float least[VOX_GROUPS] = { 0 };
        if (groups < VOX_GROUPS) memset(out, 0, sizeof *out);
        for (int g = 0; g < groups; g++) least[g] = least_scale(x + g * VOX_GROUP);
        vox_chunk_scales(least, out);
        for (int g = 0; g < groups; g++) {
            const float inverse = out->s[g] ? 1.0f / out->group_d[g] : 0;
            for (int i = g * VOX_GROUP; i < (g + 1) * VOX_GROUP; i++) out->q[i] = (int8_t)byte_of(x[i] * inverse);
        }
        vox_chunk_sums(out);
    }
}

static void add_weighted(const float *p, size_t ldp, int queries, const float *v, size_t ldv,
                         int keys, int dim, float *out, size_t ldo) {
    for (int q = 0; q < queries; q++)
        for (int j = 0; j < keys; j++) {
            const float weight = p[(size_t)q * ldp + (size_t)j];
            const float *row = v + (size_t)j * ldv;
            float *o = out + (size_t)q * ldo;
            for (int d = 0; d < dim; d++) o[d] += weight * row[d];
        }
}

static void score_bytes(const vox_byte_block *b, int positions, int dim, const vox_bytes *q, int cols, float *scores,
                        size_t ld) {
    for (int c = 0; c < cols; c++)
        for (int p = 0; p < positions; p++) {
            int32_t dot = 0;
            for (int i = 0; i < dim; i++)
                dot += (b->keys[(i / 4 * positions + p) * 4 + i % 4] - 128) * q->q[(size_t)c * q->ld + (size_t)i];
            scores[(size_t)c * ld + (size_t)p] = b->key_scales[p] * q->scale[c] * (float)dot;
        }
}

/* scores become weights, relative to the largest so far (vectors raise the level more seldom), and these times the
 * scales of values bytes; returns by what earlier sums must be multiplied. */
static float weigh(vox_walk *w, int c, float *scores, const float *value_scales, int n, int8_t *q, float *scale) {
    const float before = w->level[c];
    float most = 0;
    for (int i = 0; i < n; i++) w->level[c] = scores[i] > w->level[c] ? scores[i] : w->level[c];
    const float factor = exp2f(before - w->level[c]);
    for (int i = 0; i < VOX_WALK_LANES; i++) w->sums[c][i] *= factor;
    for (int i = 0; i < n; i++) {
        const float e = exp2f(scores[i] - w->level[c]);
        w->sums[c][i % VOX_WALK_LANES] += e;
        scores[i] = e > 0 ? e * value_scales[i] : 0;      /* the scale of what is not seen may be anything */
        most = scores[i] > most ? scores[i] : most;
    }
    const float inverse = most > 1e-28f ? 127.0f / most : 0;
    for (int i = 0; i < n; i++) q[i] = (int8_t)byte_of(scores[i] * inverse);
    *scale = most / 127.0f;
    return factor;
}

static void weigh_first(vox_walk *w, int c, const float *scores, const float *value_scales, int n, int8_t *q, float *scale) {
    float copy[VOX_FIRST_POSITIONS];
    memcpy(copy, scores, (size_t)n * sizeof *copy);
    w->level[c] = -INFINITY;
    memset(w->sums[c], 0, sizeof w->sums[c]);
    weigh(w, c, copy, value_scales, n, q, scale);
}

static void add_bytes(const int8_t *values, int positions, int dim, const vox_bytes *weights, int cols, float *out) {
    for (int c = 0; c < cols; c++)
        for (int d = 0; d < dim; d++) {
            int32_t dot = 0;
            for (int i = 0; i < positions; i++) dot += values[(i / 4 * dim + d) * 4 + i % 4] * weights->q[(size_t)c * weights->ld + (size_t)i];
            out[(size_t)c * (size_t)dim + (size_t)d] += weights->scale[c] * (float)dot;
        }
}

static void walk_block(const vox_byte_block *b, const vox_ahead *ahead, int positions, int dim, int at, vox_walk *w) {
    float scores[VOX_WALK_COLUMNS * VOX_KV_MAX_BLOCK];
    (void)ahead;
    score_bytes(b, positions, dim, &w->q, w->columns, scores, VOX_KV_MAX_BLOCK);
    for (int c = 0; c < w->columns; c++) {
        float *row = scores + c * VOX_KV_MAX_BLOCK, *out = w->out + (size_t)c * (size_t)dim, scale;
        int8_t q[VOX_KV_MAX_BLOCK];
        const int from = w->from[c] > at ? w->from[c] - at : 0, to = w->to[c] < at + positions ? w->to[c] - at : positions;
        if (from >= to) continue;
        for (int i = 0; i < positions; i++)
            if (i < from || i >= to) row[i] = -INFINITY;
        const float factor = weigh(w, c, row, b->value_scales, positions, q, &scale);
        const vox_bytes weights = { q, 0, &scale, NULL };
        for (int d = 0; d < dim; d++) out[d] *= factor;
        add_bytes(b->values, positions, dim, &weights, 1, out);
    }
}

static void to_bytes(const float *x, int n, int8_t *q, float *scale, int32_t *sum) {
    float most = 0;
    *sum = 0;
    for (int i = 0; i < n; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    *scale = most / 127.0f;
    const float inverse = *scale > 1e-30f ? 1.0f / *scale : 0;
    for (int i = 0; i < n; i++) {
        q[i] = (int8_t)byte_of(x[i] * inverse);
        *sum += q[i];
    }
}

static void rms_norm(const float *x, const float *weight, int n, float eps, float *y) {
    const float scale = 1.0f / sqrtf(dot_f32(x, x, n) / (float)n + eps);
    for (int i = 0; i < n; i++) y[i] = x[i] * scale * weight[i];
}

static float sum_exp(const float *x, int n, float max) {
    float s[LANES] = { 0 };
    for (int i = 0; i < n; i++) s[i % LANES] += expf(x[i] - max);
    return sum_lanes(s);
}

static void softmax(float *x, int n) {
    float max = -INFINITY, s[LANES] = { 0 };
    for (int i = 0; i < n; i++) max = x[i] > max ? x[i] : max;
    for (int i = 0; i < n; i++) {
        x[i] = expf(x[i] - max);
        s[i % LANES] += x[i];
    }
    const float scale = 1.0f / sum_lanes(s);
    for (int i = 0; i < n; i++) x[i] *= scale;
}

static void silu_mul(float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) a[i] = a[i] / (1.0f + expf(-a[i])) * b[i];
}

const vox_kernels *vox_kernels_generic(void) {
    static const vox_kernels table = {
        .name = "generic",
        .matmul_bf16 = matmul_bf16,
        .matmul_f16 = matmul_f16,
        .matmul_f32 = matmul_f32,
        .quantize = quantize,
        .matmul_quant = matmul_quant,
        .add_weighted = add_weighted,
        .score_bytes = score_bytes,
        .weigh_first = weigh_first,
        .add_bytes = add_bytes,
        .walk_block = walk_block,
        .to_bytes = to_bytes,
        .rms_norm = rms_norm,
        .softmax = softmax,
        .sum_exp = sum_exp,
        .silu_mul = silu_mul,
    };
    return &table;
}
