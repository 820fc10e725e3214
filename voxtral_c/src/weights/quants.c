#include "quants.h"

#include <string.h>

static const struct {
    const char *name;
    int weights;
    size_t bytes;
} types[VOX_WEIGHT_TYPES] = {
    [VOX_WEIGHT_F32] = { "f32", 1, 4 },
    [VOX_WEIGHT_BF16] = { "bf16", 1, 2 },
    [VOX_WEIGHT_F16] = { "f16", 1, 2 },
    [VOX_WEIGHT_Q8_0] = { "q8_0", 32, sizeof(vox_q8_0) },
    [VOX_WEIGHT_Q4_K] = { "q4_k", 256, sizeof(vox_q4_k) },
    [VOX_WEIGHT_Q5_K] = { "q5_k", 256, sizeof(vox_q5_k) },
    [VOX_WEIGHT_Q6_K] = { "q6_k", 256, sizeof(vox_q6_k) },
};

int vox_block_weights(vox_weight_type type) { return types[type].weights; }

size_t vox_block_bytes(vox_weight_type type) { return types[type].bytes; }

int vox_is_quantised(vox_weight_type type) { return types[type].weights > 1; }

size_t vox_row_bytes(vox_weight_type type, int cols) {
    return (size_t)cols / (size_t)types[type].weights * types[type].bytes;
}

const char *vox_weight_type_name(vox_weight_type type) { return types[type].name; }

/* ---- half precision -------------------------------------------------------------------- */

typedef union bits32 { uint32_t u; float f; } bits32;

float vox_f16_to_f32(uint16_t h) {
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 0) {
        const float f = (float)fraction * (1.0f / 16777216.0f);
        return sign ? -f : f;
    }
    return (bits32){ sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13 }.f;
}

uint16_t vox_f32_to_f16(float f) {
    const uint32_t u = (bits32){ .f = f }.u, sign = u >> 16 & 0x8000, a = u & 0x7fffffff;
    if (a > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (a >= 0x477ff000) return (uint16_t)(sign | 0x7c00);       /* rounds beyond the largest */
    if (a < 0x38800000) {                                        /* below 2^-14: a multiple of 2^-24 */
        const bits32 magic = { .f = (bits32){ a }.f + 0.5f };    /* whose last bit is 2^-24 */
        return (uint16_t)(sign | (magic.u - 0x3f000000));
    }
    return (uint16_t)(sign | (((a + 0xfff + (a >> 13 & 1)) >> 13) - (112 << 10)));
}

static uint16_t to_bf16(float f) {
    const uint32_t u = (bits32){ .f = f }.u;
    if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 64);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

/* ---- blocks to floats ------------------------------------------------------------------ */

/* Scale and minimum of group g, unpacked from the 12 bytes of a Q4_K or Q5_K block. */
static void k_scale_min(const uint8_t *packed, int g, int *scale, int *min) {
    if (g < 4) {
        *scale = packed[g] & 63;
        *min = packed[g + 4] & 63;
    } else {
        *scale = (packed[g + 4] & 15) | packed[g - 4] >> 6 << 4;
        *min = packed[g + 4] >> 4 | packed[g] >> 6 << 4;
    }
}

static void read_q8_0(const void *block, float *out) {
    vox_q8_0 b;
    memcpy(&b, block, sizeof b);
    const float d = vox_f16_to_f32(b.d);
    for (int i = 0; i < 32; i++) out[i] = d * (float)b.q[i];
}

/* Both types: `high` holds the fifth bits, or is NULL. */
static void read_q45(uint16_t d16, uint16_t dmin16, const uint8_t *scales, const uint8_t *q,
                     const uint8_t *high, float *out) {
    const float d = vox_f16_to_f32(d16), dmin = vox_f16_to_f32(dmin16);
    for (int g = 0; g < 8; g++) {
        int s, m;
        k_scale_min(scales, g, &s, &m);
        const float scale = d * (float)s, min = dmin * (float)m;
        for (int j = 0; j < 32; j++) {
            int code = q[g / 2 * 32 + j] >> g % 2 * 4 & 15;
            if (high) code |= (high[j] >> g & 1) << 4;
            out[g * 32 + j] = scale * (float)code - min;
        }
    }
}

static void read_q4_k(const void *block, float *out) {
    vox_q4_k b;
    memcpy(&b, block, sizeof b);
    read_q45(b.d, b.dmin, b.scales, b.q, NULL, out);
}

static void read_q5_k(const void *block, float *out) {
    vox_q5_k b;
    memcpy(&b, block, sizeof b);
    read_q45(b.d, b.dmin, b.scales, b.q, b.qh, out);
}

static void read_q6_k(const void *block, float *out) {
    vox_q6_k b;
    memcpy(&b, block, sizeof b);
    const float d = vox_f16_to_f32(b.d);
    for (int i = 0; i < 256; i++) {
        const int half = i / 128, part = i / 32 % 4, j = i % 32;
        const int low = b.ql[half * 64 + part % 2 * 32 + j] >> part / 2 * 4 & 15;
        const int code = low | (b.qh[half * 32 + j] >> part * 2 & 3) << 4;
        out[i] = d * (float)b.scales[i / 16] * (float)(code - 32);
    }
}

void vox_dequantize(vox_weight_type type, const void *row, float *out, size_t n) {
    static void (*const readers[VOX_WEIGHT_TYPES])(const void *, float *) = {
        [VOX_WEIGHT_Q8_0] = read_q8_0, [VOX_WEIGHT_Q4_K] = read_q4_k,
        [VOX_WEIGHT_Q5_K] = read_q5_k, [VOX_WEIGHT_Q6_K] = read_q6_k,
    };
    const uint8_t *src = row;
    const size_t weights = (size_t)types[type].weights, bytes = types[type].bytes;
    if (type == VOX_WEIGHT_F32) {
        memcpy(out, row, n * sizeof *out);
    } else if (type == VOX_WEIGHT_BF16 || type == VOX_WEIGHT_F16) {
        for (size_t i = 0; i < n; i++, src += 2) {
            uint16_t v;
            memcpy(&v, src, 2);
            out[i] = type == VOX_WEIGHT_F16 ? vox_f16_to_f32(v) : (bits32){ (uint32_t)v << 16 }.f;
        }
    } else {
        for (size_t i = 0; i < n; i += weights, src += bytes) readers[type](src, out + i);
    }
}

/* ---- floats to blocks: plain types; quantize.c has the others -------------------------- */

void vox_quantize(vox_weight_type type, const float *x, void *row, size_t n) {
    uint8_t *dst = row;
    const size_t weights = (size_t)types[type].weights, bytes = types[type].bytes;
    if (type == VOX_WEIGHT_F32) {
        memcpy(row, x, n * sizeof *x);
    } else if (type == VOX_WEIGHT_BF16 || type == VOX_WEIGHT_F16) {
        for (size_t i = 0; i < n; i++, dst += 2) {
            const uint16_t v = type == VOX_WEIGHT_F16 ? vox_f32_to_f16(x[i]) : to_bf16(x[i]);
            memcpy(dst, &v, 2);
        }
    } else {
        for (size_t i = 0; i < n; i += weights, dst += bytes) vox_quantize_block(type, x + i, dst);
    }
}
