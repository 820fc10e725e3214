/* activations_body.h - columns turned into the bytes that quantised weights are multiplied with (quant.h),
 * written once over vectors; included behind quant_body.h, whose macros it uses. */

enum { GROUP_VECS = VOX_GROUP / LANES };

/* Whole numbers: sums of them are exact. */
INLINE void round_group(const float *x, float inverse, vec v[GROUP_VECS]) {
    UNROLL for (int i = 0; i < GROUP_VECS; i++) v[i] = V_ROUND(V_MUL(V_LOAD(x + i * LANES), V_SET1(inverse)));
}

INLINE float least_scale(const float *x) {
    vec v[GROUP_VECS], most = V_ZERO(), halves[2] = { V_ZERO(), V_ZERO() };
    float sums[4];
    UNROLL for (int i = 0; i < GROUP_VECS; i++) most = V_MAX(most, V_ABS(V_LOAD(x + i * LANES)));
    const float m = v_max(most) < 1e-30f ? 0 : v_max(most);
    round_group(x, m > 0 ? 127.0f / m : 0, v);
    UNROLL for (int i = 0; i < GROUP_VECS; i++) halves[i * 2 / GROUP_VECS] = V_ADD(halves[i * 2 / GROUP_VECS], V_ABS(v[i]));
    v_sum4(halves[0], halves[1], V_ZERO(), V_ZERO(), sums);
    return vox_group_scale(m, sums[0] > sums[1] ? sums[0] : sums[1]);
}

static void quantize(const float *x, int k, vox_chunk *out, size_t stride) {
    for (int at = 0; at < k; at += VOX_CHUNK, out += stride, x += VOX_CHUNK) {
        const int groups = k - at < VOX_CHUNK ? (k - at) / VOX_GROUP : VOX_GROUPS;
        float least[VOX_GROUPS] = { 0 };
        if (groups < VOX_GROUPS) memset(out, 0, sizeof *out);
        for (int g = 0; g < groups; g++) least[g] = least_scale(x + g * VOX_GROUP);
        vox_chunk_scales(least, out);
        for (int g = 0; g < groups; g++) {
            vec v[GROUP_VECS];
            round_group(x + g * VOX_GROUP, out->s[g] ? 1.0f / out->group_d[g] : 0, v);
            UNROLL for (int i = 0; i < GROUP_VECS; i++) V_STORE_I8(out->q + g * VOX_GROUP + i * LANES, v[i]);
        }
        vox_chunk_sums(out);
    }
}
