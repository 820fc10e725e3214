/* neon.c - kernels for AArch64, whose baseline has all they need. */
#include "kernels.h"

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

#define NAME "neon"
#define LANES 4
#define TILE_ROWS 4
#define TILE_COLS 4
#define WIDE_ROWS 8
#define V_BLOCK 4
typedef float32x4_t vec;

#define V_ZERO() vdupq_n_f32(0)
#define V_SET1(s) vdupq_n_f32(s)
#define V_LOAD(p) vld1q_f32(p)
#define V_STORE(p, v) vst1q_f32(p, v)
#define V_LOAD_N(p, n) load_n(p, n)
#define V_STORE_N(p, v, n) store_n(p, v, n)
#define V_LOAD_BF16(p) vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))
#define V_LOAD_BF16_N(p, n) load_bf16_n(p, n)
#define V_ADD(a, b) vaddq_f32(a, b)
#define V_SUB(a, b) vsubq_f32(a, b)
#define V_MUL(a, b) vmulq_f32(a, b)
#define V_DIV(a, b) vdivq_f32(a, b)
#define V_MAX(a, b) vmaxq_f32(a, b)
#define V_FMA(a, b, c) vfmaq_f32(c, a, b)
#define V_ROUND(v) vrndnq_f32(v)
#define V_SCALE2(v, n) scale2(v, n)

static inline float32x4_t load_n(const float *p, int n) {
    float padded[4] = { 0 };
    for (int i = 0; i < n; i++) padded[i] = p[i];
    return vld1q_f32(padded);
}

static inline void store_n(float *p, float32x4_t v, int n) {
    float lanes[4];
    vst1q_f32(lanes, v);
    for (int i = 0; i < n; i++) p[i] = lanes[i];
}

static inline float32x4_t load_bf16_n(const uint16_t *p, int n) {
    uint16_t padded[4] = { 0 };
    for (int i = 0; i < n; i++) padded[i] = p[i];
    return V_LOAD_BF16(padded);
}

static inline float32x4_t scale2(float32x4_t v, float32x4_t n) {
    const int32x4_t bits = vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(v, vreinterpretq_f32_s32(bits));
}

static inline void v_sum4(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d, float *out) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

static inline float v_max(float32x4_t v) { return vmaxvq_f32(v); }

#include "simd_body.h"

const vox_kernels *vox_kernels_neon(void) { return &table; }

#else

const vox_kernels *vox_kernels_neon(void) { return NULL; }

#endif
