/* avx512.c - kernels for AVX-512 F, BW, DQ and VL; compiled with flags for these. */
#include "kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>

#define NAME "avx512"
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
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
#define V_DIV(a, b) _mm512_div_ps(a, b)
#define V_MAX(a, b) _mm512_max_ps(a, b)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_ROUND(v) _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define V_SCALE2(v, n) _mm512_scalef_ps(v, n)

static inline __m256 fold(__m512 v) {
    return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
}

static inline void v_sum4(__m512 a, __m512 b, __m512 c, __m512 d, float *out) {
    const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(fold(a), fold(b)), _mm256_hadd_ps(fold(c), fold(d)));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

static inline float v_max(__m512 v) { return _mm512_reduce_max_ps(v); }

#include "simd_body.h"

const vox_kernels *vox_kernels_avx512(void) { return &table; }

#else

const vox_kernels *vox_kernels_avx512(void) { return NULL; }

#endif
