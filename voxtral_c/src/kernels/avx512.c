/* avx512.c - kernels for AVX-512 F, BW, DQ and VL; compiled with flags for these. */
#include "kernels.h"

#ifndef NAME
#define NAME "avx512"
#define TABLE vox_kernels_avx512
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>
#include <string.h>

#define LANES 16
#define TILE_ROWS 4
#define TILE_COLS 6
#define WIDE_ROWS 8
#define V_BLOCK 4
typedef __m512 vec;

#define MASK(n) ((__mmask16)((1u << (n)) - 1))
#define V_ZERO() _mm512_setzero_ps()
#define V_SET1(s) _mm512_set1_ps(s)
#define V_LOAD(p) _mm512_loadu_ps(p)
#define V_STORE(p, v) _mm512_storeu_ps(p, v)
#define V_LOAD_N(p, n) _mm512_maskz_loadu_ps(MASK(n), p)
#define V_STORE_N(p, v, n) _mm512_mask_storeu_ps(p, MASK(n), v)
#define V_WIDEN(h) _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16))
#define V_LOAD_BF16(p) V_WIDEN(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define V_LOAD_BF16_N(p, n) V_WIDEN(_mm256_maskz_loadu_epi16(MASK(n), p))
#define V_LOAD_F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define V_LOAD_F16_N(p, n) _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(MASK(n), p))
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
#define V_DIV(a, b) _mm512_div_ps(a, b)
#define V_MAX(a, b) _mm512_max_ps(a, b)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_ROUND(v) _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define V_SCALE2(v, n) _mm512_scalef_ps(v, n)
#define V_EXPONENT(x) (x)
#define V_FRACTION(v) _mm512_reduce_ps(v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#define V_SCALE_FLOOR(v, x) _mm512_scalef_ps(v, x)
#define V_ALL_BELOW(v, s) (_mm512_cmp_ps_mask(v, _mm512_set1_ps(s), _CMP_NLT_UQ) == 0)

static inline __m256 fold(__m512 v) {
    return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
}

static inline void v_sum4(__m512 a, __m512 b, __m512 c, __m512 d, float *out) {
    const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(fold(a), fold(b)), _mm256_hadd_ps(fold(c), fold(d)));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

static inline float v_max(__m512 v) { return _mm512_reduce_max_ps(v); }

/* ---- for quantised weights ---- */
#define QUANT_VECS 1
#define QUANT_COLS 8
#define BYTES_VECS 2
#define BYTES_COLS 8
typedef __m512i ivec;
#define I_LOAD(p) _mm512_loadu_si512((const void *)(p))
#define I_LOAD1(p) load1(p)
#define I_SET1(n) _mm512_set1_epi32(n)
#define I_ZERO() _mm512_setzero_si512()
#define I_AND(a, b) _mm512_and_si512(a, b)
#define I_OR(a, b) _mm512_or_si512(a, b)
#define I_XOR(a, b) _mm512_xor_si512(a, b)
#define I_SHL(v, n) _mm512_slli_epi32(v, (unsigned)(n))
#define I_SHR(v, n) _mm512_srli_epi32(v, (unsigned)(n))
#define I_SAR(v, n) _mm512_srai_epi32(v, (unsigned)(n))
#define I_FLOAT(v) _mm512_cvtepi32_ps(v)
#define V_HALF(v) _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v))
#define V_FNMA(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define V_ABS(v) _mm512_abs_ps(v)
#define V_STORE_I8(p, v) _mm_storeu_si128((void *)(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)))

static inline __m512i load1(const void *p) {
    int32_t n;
    memcpy(&n, p, sizeof n);
    return _mm512_set1_epi32(n);
}

#define I_SCALED(sum, dot, a, s) I_PAIRS(sum, dot, _mm512_mullo_epi16(a, _mm512_set1_epi32(s)))

#if defined(__AVX512VNNI__)
#define I_DOT(sum, w, x) _mm512_dpbusd_epi32(sum, w, x)
#define DOT_UNSIGNED 1
#define I_PAIRS(sum, a, b) _mm512_dpwssd_epi32(sum, a, b)
#else
#define I_DOT(sum, w, x) _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(w, x), _mm512_set1_epi16(1)))
#define I_DOT_SIGNED(sum, w, x) dot_signed(sum, w, x)
#define DOT_UNSIGNED 0
#define I_PAIRS(sum, a, b) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))

/* Even and odd bytes, widened to 16 bit. */
static inline __m512i dot_signed(__m512i sum, __m512i w, __m512i x) {
    const __m512i even = _mm512_madd_epi16(_mm512_srai_epi16(_mm512_slli_epi16(w, 8), 8),
                                           _mm512_srai_epi16(_mm512_slli_epi16(x, 8), 8));
    const __m512i odd = _mm512_madd_epi16(_mm512_srai_epi16(w, 8), _mm512_srai_epi16(x, 8));
    return _mm512_add_epi32(sum, _mm512_add_epi32(even, odd));
}
#endif

#if defined(__AVX512VNNI__) && !defined(__clang__)
/* gcc 12 would make two instructions of it. */
static inline __m512i dot1(__m512i sum, __m512i w, const void *p) {
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*(const int32_t *)p));
    return sum;
}
#define I_DOT1(sum, w, p) dot1(sum, w, p)
#endif

#include "simd_body.h"

const vox_kernels *TABLE(void) { return &table; }

#else

const vox_kernels *TABLE(void) { return NULL; }

#endif
