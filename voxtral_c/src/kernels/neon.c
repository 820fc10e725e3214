/* neon.c - kernels for AArch64, whose baseline has all they need. */
#include "kernels.h"

#ifndef NAME
#define NAME "neon"
#define TABLE vox_kernels_neon
#endif

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#include <string.h>

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
#define V_LOAD_F16(p) vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))
#define V_LOAD_F16_N(p, n) load_f16_n(p, n)
#define V_ADD(a, b) vaddq_f32(a, b)
#define V_SUB(a, b) vsubq_f32(a, b)
#define V_MUL(a, b) vmulq_f32(a, b)
#define V_DIV(a, b) vdivq_f32(a, b)
#define V_MAX(a, b) vmaxq_f32(a, b)
#define V_FMA(a, b, c) vfmaq_f32(c, a, b)
#define V_ROUND(v) vrndnq_f32(v)
#define V_SCALE2(v, n) scale2(v, n)
#define V_EXPONENT(x) vminnmq_f32(vmaxnmq_f32(x, V_SET1(-126.0f)), V_SET1(126.0f))
#define V_FRACTION(v) vsubq_f32(v, vrndmq_f32(v))
#define V_SCALE_FLOOR(v, x) scale2(v, vrndmq_f32(x))
#define V_ALL_BELOW(v, s) (vminvq_u32(vcltq_f32(v, V_SET1(s))) != 0)

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

static inline float32x4_t load_f16_n(const uint16_t *p, int n) {
    uint16_t padded[4] = { 0 };
    for (int i = 0; i < n; i++) padded[i] = p[i];
    return V_LOAD_F16(padded);
}

static inline float32x4_t scale2(float32x4_t v, float32x4_t n) {
    const int32x4_t bits = vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(v, vreinterpretq_f32_s32(bits));
}

static inline void v_sum4(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d, float *out) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

static inline float v_max(float32x4_t v) { return vmaxvq_f32(v); }

/* ---- for quantised weights ---- */
#define QUANT_VECS 2
#define QUANT_COLS 4
#define BYTES_VECS 2
#define BYTES_COLS 4
typedef int32x4_t ivec;
#define U32(v) vreinterpretq_u32_s32(v)
#define S8(v) vreinterpretq_s8_s32(v)
#define I_LOAD(p) vld1q_s32((const int32_t *)(const void *)(p))
#define I_LOAD1(p) load1(p)
#define I_SET1(n) vdupq_n_s32(n)
#define I_ZERO() vdupq_n_s32(0)
#define I_AND(a, b) vandq_s32(a, b)
#define I_OR(a, b) vorrq_s32(a, b)
#define I_XOR(a, b) veorq_s32(a, b)
#define I_SHL(v, n) vshlq_s32(v, vdupq_n_s32(n))
#define I_SHR(v, n) vreinterpretq_s32_u32(vshlq_u32(U32(v), vdupq_n_s32(-(n))))
#define I_SAR(v, n) vshlq_s32(v, vdupq_n_s32(-(n)))
#define I_FLOAT(v) vcvtq_f32_s32(v)
#define V_HALF(v) vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(U32(v))))
#define V_FNMA(a, b, c) vfmsq_f32(c, a, b)
#define V_ABS(v) vabsq_f32(v)
#define V_STORE_I8(p, v) store_i8(p, vcvtnq_s32_f32(v))
#define I_DOT(sum, w, x) dot(sum, w, x)
#define I_DOT_SIGNED(sum, w, x) dot(sum, w, x)
#define DOT_UNSIGNED 0
#define I_PAIRS(sum, a, b) pairs(sum, vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b))
#define I_SCALED(sum, dot, a, s) vmlal_s16(sum, vmovn_s32(dot), vmul_n_s16(vmovn_s32(a), (int16_t)(s)))

#if defined(__ARM_FEATURE_MATMUL_INT8)
#define I_MATMUL(sum, w, x) vmmlaq_s32(sum, S8(w), S8(x))
#define I_LOAD2(p, q) vreinterpretq_s32_s8(vcombine_s8(vld1_s8(p), vld1_s8(q)))
#define I_ADD(a, b) vaddq_s32(a, b)
#define I_ZIP1(a, b) vzip1q_s32(a, b)
#define I_ZIP2(a, b) vzip2q_s32(a, b)
#define I_UNZIP1(a, b) vuzp1q_s32(a, b)
#define I_UNZIP2(a, b) vuzp2q_s32(a, b)
#endif

#if defined(__ARM_FEATURE_DOTPROD)
static inline int32x4_t dot(int32x4_t sum, int32x4_t w, int32x4_t x) { return vdotq_s32(sum, S8(w), S8(x)); }
#else
static inline int32x4_t dot(int32x4_t sum, int32x4_t w, int32x4_t x) {
    const int16x8_t low = vmull_s8(vget_low_s8(S8(w)), vget_low_s8(S8(x)));
    const int16x8_t high = vmull_high_s8(S8(w), S8(x));
    return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}
#endif

static inline int32x4_t pairs(int32x4_t sum, int16x8_t a, int16x8_t b) {
    return vaddq_s32(sum, vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)));
}

static inline int32x4_t load1(const void *p) {
    int32_t n;
    memcpy(&n, p, sizeof n);
    return vdupq_n_s32(n);
}

static inline void store_i8(int8_t *p, int32x4_t v) {
    int8_t bytes[8];
    vst1_s8(bytes, vmovn_s16(vcombine_s16(vmovn_s32(v), vmovn_s32(v))));
    memcpy(p, bytes, 4);
}

#include "simd_body.h"

const vox_kernels *TABLE(void) { return &table; }

#else

const vox_kernels *TABLE(void) { return NULL; }

#endif
