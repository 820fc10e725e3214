/* quant.h - activations as products with quantised weights take them. */
#ifndef VOX_QUANT_H
#define VOX_QUANT_H

#include <stddef.h>
#include <stdint.h>

enum { VOX_CHUNK = 256, VOX_GROUP = 32, VOX_GROUPS = VOX_CHUNK / VOX_GROUP };

/* 256 values of one column (fewer at a column's end: then zeros), in groups of 32: x = d * s * q, q from
 * -127 to 127 and rounded to the nearest, ties to even, s a whole number up to 16, so that a chunk's
 * products with whole numbers are added up as whole numbers. Of 16 q's the absolute values add up to
 * 1023 at most: times six bits, or of 32 times four, that fits into 16 bits. The same bits on every
 * processor. A chunk that is not finite gives some q and a useless d; a group below 1e-30 counts as
 * zeros. What the sums are for: weights are unsigned in the product, w = scale * (u - offset) - min. */
typedef struct vox_chunk {
    _Alignas(64) int8_t q[VOX_CHUNK];
    int32_t s[VOX_GROUPS];
    int16_t sums[VOX_GROUPS];             /* s * sum of q: of groups 0 2 1 3 4 6 5 7, see VOX_PAIRED */
    float d;
    _Alignas(64) int32_t offset_q6[2 * VOX_GROUPS];       /* -32 * sum of q over 16: Q6_K */
    int32_t offset_q8[VOX_GROUPS];        /* -128 * sum of q: Q8_0 */
    float group_d[VOX_GROUPS];            /* d * s: Q8_0, whose groups have scales that are no whole numbers */
} vox_chunk;

/* Where the sum of group g is: bytes of four groups become pairs of words by one shift. */
#define VOX_PAIRED(g) ((g) / 4 * 4 + (g) % 2 * 2 + (g) % 4 / 2)

/* Chunks of a column of k values. */
static inline size_t vox_chunks(int k) { return ((size_t)k + VOX_CHUNK - 1) / VOX_CHUNK; }

/* The least scale of a group of which `most` is the largest absolute value, and with q up to 127 the
 * absolute values of either 16 would add up to `sum` at most. */
static inline float vox_group_scale(float most, float sum) {
    const float d = most / 127.0f, more = (sum + 8) / 1014.0f;        /* rounding adds up to 8 each time */
    return more > 1 ? d * more : d;
}

/* d and all s, for these least scales. */
static inline void vox_chunk_scales(const float least[VOX_GROUPS], vox_chunk *out) {
    float most = 0;
    for (int g = 0; g < VOX_GROUPS; g++) most = least[g] > most ? least[g] : most;
    out->d = most / 16;
    for (int g = 0; g < VOX_GROUPS; g++) {
        const float s = most > 0 ? least[g] / out->d : 0;
        int up = s < 16 ? (int)s : 16;
        if (s > (float)up && up < 16) up++;
        out->s[g] = up;
        out->group_d[g] = out->d * (float)up;
    }
}

/* What follows from all q and s. */
static inline void vox_chunk_sums(vox_chunk *out) {
    for (int g = 0; g < VOX_GROUPS; g++) {
        int sums[2] = { 0, 0 };
        for (int h = 0; h < 2; h++) {
            const int8_t *q = out->q + VOX_GROUP * g + VOX_GROUP / 2 * h;
            for (int i = 0; i < VOX_GROUP / 2; i++) sums[h] += q[i];
            out->offset_q6[2 * g + h] = -32 * sums[h];
        }
        out->offset_q8[g] = -128 * (sums[0] + sums[1]);
        out->sums[VOX_PAIRED(g)] = (int16_t)(out->s[g] * (sums[0] + sums[1]));
    }
}

#endif
