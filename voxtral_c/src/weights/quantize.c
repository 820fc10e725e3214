/* quantize.c - floats to blocks: for each group the scale (and minimum) that leave the least
 * squared error, found by trying ranges around the obvious one and solving for the best line
 * through the codes each of them gives. */
#include <math.h>
#include <string.h>

#include "quants.h"

enum { GROUP = 32, GROUPS = 8, FINE_GROUP = 16, FINE_GROUPS = 16 };

/* Four sums side by side: the compilers that build this know how, on any processor. */
typedef float vec4 __attribute__((vector_size(16)));

static inline vec4 load4(const float *x) {
    vec4 v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline float total(vec4 v) { return (v[0] + v[2]) + (v[1] + v[3]); }

/* The nearest whole number from 0 to most; NaN gives 0. */
static inline float code_of(float v, float most) {
    v = v > 0.0f ? v : 0.0f;
    v = v < most ? v : most;
    return (float)(int)(v + 0.5f);
}

/* ---- 8 bit ----------------------------------------------------------------------------- */

static void write_q8_0(const float *x, void *block) {
    vox_q8_0 b;
    float most = 0;
    for (int i = 0; i < 32; i++) most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    const float d = most / 127.0f, inverse = d > 0.0f ? 1.0f / d : 0.0f;
    b.d = vox_f32_to_f16(d);
    for (int i = 0; i < 32; i++) {
        const float v = x[i] * inverse, a = code_of(fabsf(v), 127.0f);
        b.q[i] = (int8_t)(v < 0.0f ? -a : a);
    }
    memcpy(block, &b, sizeof b);
}

/* ---- groups with a minimum: x ~ scale * q - min, q from 0 to most ---------------------- */

typedef struct fit { float scale, min, error; } fit;

/* The best line through the codes that (x - low) * inverse gives. */
static fit fit_line(const float *x, float low, float inverse, float most) {
    float q[GROUP];
    vec4 sq = { 0 }, sqq = { 0 }, sx = { 0 }, sxx = { 0 }, sxq = { 0 };
    for (int i = 0; i < GROUP; i++) q[i] = code_of((x[i] - low) * inverse, most);
    for (int i = 0; i < GROUP; i += 4) {
        const vec4 v = load4(x + i), c = load4(q + i);
        sq += c;
        sqq += c * c;
        sx += v;
        sxx += v * v;
        sxq += v * c;
    }
    const float a = total(sq), b = total(sqq), c = total(sx), d = total(sxq), det = GROUP * b - a * a;
    fit f = { b > 0.0f ? d / b : 0.0f, 0, 0 };           /* the best line through nought */
    const float min = det > 0.0f ? (a * d - b * c) / det : 0.0f;
    if (min > 0.0f) {                                    /* minimums are stored without a sign */
        f.min = min;
        f.scale = (GROUP * d - c * a) / det;
    }
    if (f.scale < 0.0f) f.scale = 0.0f;
    f.error = total(sxx) + f.scale * (f.scale * b - 2 * d) + f.min * (GROUP * f.min + 2 * c - 2 * f.scale * a);
    return f;
}

static fit fit_group(const float *x, float most) {
    float low = 0, high = x[0];
    for (int i = 0; i < GROUP; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    if (!(high > low)) return (fit){ 0, -low, 0 };
    fit best = fit_line(x, low, most / (high - low), most);
    for (int t = -8; t <= 8; t++) {
        if (t == 0) continue;
        const fit f = fit_line(x, low, (most + 0.125f * (float)t) / (high - low), most);
        if (f.error < best.error) best = f;
    }
    /* The codes nearest to the line found, and their line again. */
    if (best.scale > 0.0f) {
        const fit f = fit_line(x, -best.min, 1.0f / best.scale, most);
        if (f.error < best.error) best = f;
    }
    return best;
}

typedef struct super_block {
    float d, dmin;            /* as stored: rounded to float16 */
    int scale[GROUPS], min[GROUPS];
    uint8_t code[GROUP * GROUPS];
    double error;
} super_block;

static void choose_codes(super_block *b, const float *x, float most) {
    b->error = 0;
    for (int g = 0; g < GROUPS; g++) {
        const float scale = b->d * (float)b->scale[g], min = b->dmin * (float)b->min[g];
        const float inverse = scale > 0.0f ? 1.0f / scale : 0.0f;
        for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
            const float c = code_of((x[i] + min) * inverse, most), e = scale * c - min - x[i];
            b->code[i] = (uint8_t)c;
            b->error += (double)e * e;
        }
    }
}

/* d and dmin that fit best while the scales, minimums and codes stay. */
static void refit(super_block *b, const float *x) {
    double ss = 0, sm = 0, mm = 0, sx = 0, mx = 0;
    for (int i = 0; i < GROUP * GROUPS; i++) {
        const double s = b->scale[i / GROUP] * b->code[i], m = b->min[i / GROUP];
        ss += s * s;
        sm += s * m;
        mm += m * m;
        sx += s * (double)x[i];
        mx += m * (double)x[i];
    }
    const double det = ss * mm - sm * sm;
    float d = b->d, dmin = b->dmin;
    if (det > 1e-9 * ss * mm) {
        d = (float)((sx * mm - mx * sm) / det);
        dmin = (float)((sx * sm - mx * ss) / det);
    } else if (ss > 0) {
        d = (float)(sx / ss);
    }
    if (d >= 0.0f) b->d = vox_f16_to_f32(vox_f32_to_f16(d));
    if (dmin >= 0.0f) b->dmin = vox_f16_to_f32(vox_f32_to_f16(dmin));
}

static void quantize_groups(super_block *b, const float *x, float most) {
    fit fits[GROUPS];
    float scale = 0, min = 0;
    for (int g = 0; g < GROUPS; g++) {
        fits[g] = fit_group(x + g * GROUP, most);
        scale = fits[g].scale > scale ? fits[g].scale : scale;
        min = fits[g].min > min ? fits[g].min : min;
    }
    b->d = vox_f16_to_f32(vox_f32_to_f16(scale / 63.0f));
    b->dmin = vox_f16_to_f32(vox_f32_to_f16(min / 63.0f));
    for (int g = 0; g < GROUPS; g++) {
        b->scale[g] = b->d > 0.0f ? (int)code_of(fits[g].scale / b->d, 63.0f) : 0;
        b->min[g] = b->dmin > 0.0f ? (int)code_of(fits[g].min / b->dmin, 63.0f) : 0;
    }
    choose_codes(b, x, most);
    for (int round = 0; round < 2; round++) {
        super_block better = *b;
        refit(&better, x);
        choose_codes(&better, x, most);
        if (!(better.error < b->error)) break;
        *b = better;
    }
}

static void pack_scales(const super_block *b, uint8_t *packed) {
    for (int g = 0; g < 4; g++) {
        packed[g] = (uint8_t)(b->scale[g] | b->scale[g + 4] >> 4 << 6);
        packed[g + 4] = (uint8_t)(b->min[g] | b->min[g + 4] >> 4 << 6);
        packed[g + 8] = (uint8_t)((b->scale[g + 4] & 15) | (b->min[g + 4] & 15) << 4);
    }
}

static void pack_nibbles(const super_block *b, uint8_t *q) {
    for (int i = 0; i < 128; i++) {
        const uint8_t *low = b->code + i / 32 * 64 + i % 32;
        q[i] = (uint8_t)((low[0] & 15) | (low[32] & 15) << 4);
    }
}

static void write_q4_k(const float *x, void *block) {
    super_block b;
    vox_q4_k out;
    quantize_groups(&b, x, 15.0f);
    out.d = vox_f32_to_f16(b.d);
    out.dmin = vox_f32_to_f16(b.dmin);
    pack_scales(&b, out.scales);
    pack_nibbles(&b, out.q);
    memcpy(block, &out, sizeof out);
}

static void write_q5_k(const float *x, void *block) {
    super_block b;
    vox_q5_k out;
    quantize_groups(&b, x, 31.0f);
    out.d = vox_f32_to_f16(b.d);
    out.dmin = vox_f32_to_f16(b.dmin);
    pack_scales(&b, out.scales);
    pack_nibbles(&b, out.q);
    memset(out.qh, 0, sizeof out.qh);
    for (int i = 0; i < 256; i++) out.qh[i % 32] = (uint8_t)(out.qh[i % 32] | b.code[i] >> 4 << i / 32);
    memcpy(block, &out, sizeof out);
}

/* ---- small groups without a minimum: x ~ scale * q, q from -32 to 31 ------------------- */

/* The best scale for the codes that x * inverse gives; its sign is free. */
static fit fit_scale(const float *x, float inverse) {
    float q[FINE_GROUP];
    vec4 sqq = { 0 }, sxx = { 0 }, sxq = { 0 };
    for (int i = 0; i < FINE_GROUP; i++) q[i] = code_of(x[i] * inverse + 32.0f, 63.0f) - 32.0f;
    for (int i = 0; i < FINE_GROUP; i += 4) {
        const vec4 v = load4(x + i), c = load4(q + i);
        sqq += c * c;
        sxx += v * v;
        sxq += v * c;
    }
    const float b = total(sqq), d = total(sxq), scale = b > 0.0f ? d / b : 0.0f;
    return (fit){ scale, 0, total(sxx) - scale * d };
}

/* The largest of the group falls near code -32, of which there is one more than of 31. */
static float best_scale(const float *x) {
    float most = 0;
    for (int i = 0; i < FINE_GROUP; i++) most = fabsf(x[i]) > fabsf(most) ? x[i] : most;
    if (!(fabsf(most) > 0.0f)) return 0.0f;
    fit best = fit_scale(x, -32.0f / most);
    for (int t = -8; t <= 8; t++) {
        if (t == 0) continue;
        const fit f = fit_scale(x, (-32.0f + 0.25f * (float)t) / most);
        if (f.error < best.error) best = f;
    }
    return best.scale;
}

static double choose_fine_codes(const float *x, float d, const int8_t *scales, int8_t *code) {
    double error = 0;
    for (int i = 0; i < 256; i++) {
        const float scale = d * (float)scales[i / FINE_GROUP];
        const float c = scale != 0.0f ? code_of(x[i] / scale + 32.0f, 63.0f) - 32.0f : 0.0f, e = scale * c - x[i];
        code[i] = (int8_t)c;
        error += (double)e * e;
    }
    return error;
}

static float refit_fine(const float *x, const int8_t *scales, const int8_t *code, float d) {
    double ss = 0, sx = 0;
    for (int i = 0; i < 256; i++) {
        const double s = scales[i / FINE_GROUP] * code[i];
        ss += s * s;
        sx += s * (double)x[i];
    }
    return ss > 0 ? vox_f16_to_f32(vox_f32_to_f16((float)(sx / ss))) : d;
}

static void write_q6_k(const float *x, void *block) {
    vox_q6_k out;
    int8_t code[256], other[256];
    float scale[FINE_GROUPS], most = 0;
    for (int g = 0; g < FINE_GROUPS; g++) {
        scale[g] = best_scale(x + g * FINE_GROUP);
        most = fabsf(scale[g]) > fabsf(most) ? scale[g] : most;
    }
    float d = vox_f16_to_f32(vox_f32_to_f16(most / -128.0f));
    for (int g = 0; g < FINE_GROUPS; g++) out.scales[g] = d != 0.0f ? (int8_t)(code_of(scale[g] / d + 128.0f, 255.0f) - 128.0f) : 0;
    const double error = choose_fine_codes(x, d, out.scales, code);
    const float better = refit_fine(x, out.scales, code, d);
    if (choose_fine_codes(x, better, out.scales, other) < error) {
        d = better;
        memcpy(code, other, sizeof code);
    }
    out.d = vox_f32_to_f16(d);
    for (int i = 0; i < 64; i++) {
        const int8_t *c = code + i / 32 * 128 + i % 32;
        uint8_t q[4];
        for (int part = 0; part < 4; part++) q[part] = (uint8_t)(c[part * 32] + 32);
        out.ql[i / 32 * 64 + i % 32] = (uint8_t)((q[0] & 15) | (q[2] & 15) << 4);
        out.ql[i / 32 * 64 + 32 + i % 32] = (uint8_t)((q[1] & 15) | (q[3] & 15) << 4);
        out.qh[i] = (uint8_t)(q[0] >> 4 | q[1] >> 4 << 2 | q[2] >> 4 << 4 | q[3] >> 4 << 6);
    }
    memcpy(block, &out, sizeof out);
}

void vox_quantize_block(vox_weight_type type, const float *x, void *block) {
    switch (type) {
    case VOX_WEIGHT_Q8_0: write_q8_0(x, block); break;
    case VOX_WEIGHT_Q4_K: write_q4_k(x, block); break;
    case VOX_WEIGHT_Q5_K: write_q5_k(x, block); break;
    default: write_q6_k(x, block); break;
    }
}
