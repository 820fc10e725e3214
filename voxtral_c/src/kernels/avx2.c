/* avx2.c - kernels for AVX2 with FMA; compiled with flags for these. */
#include "kernels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define NAME "avx2"
#define LANES 8
#define TILE_ROWS 4
#define TILE_COLS 3
#define WIDE_ROWS 8
#define V_BLOCK 4
typedef __m256 vec;

static inline __m256i first_n(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define V_ZERO() _mm256_setzero_ps()
#define V_SET1(s) _mm256_set1_ps(s)
#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_STORE(p, v) _mm256_storeu_ps(p, v)
#define V_LOAD_N(p, n) _mm256_maskload_ps(p, first_n(n))
#define V_STORE_N(p, v, n) _mm256_maskstore_ps(p, first_n(n), v)
#define V_WIDEN(h) _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16))
#define V_LOAD_BF16(p) V_WIDEN(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define V_LOAD_BF16_N(p, n) load_bf16_n(p, n)
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_SUB(a, b) _mm256_sub_ps(a, b)
#define V_MUL(a, b) _mm256_mul_ps(a, b)
#define V_DIV(a, b) _mm256_div_ps(a, b)
#define V_MAX(a, b) _mm256_max_ps(a, b)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_ROUND(v) _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define V_SCALE2(v, n) scale2(v, n)

static inline __m256 load_bf16_n(const uint16_t *p, int n) {
    uint16_t padded[8] = { 0 };
    for (int i = 0; i < n; i++) padded[i] = p[i];
    return V_LOAD_BF16(padded);
}

static inline __m256 scale2(__m256 v, __m256 n) {
    const __m256i bits = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(v, _mm256_castsi256_ps(bits));
}

static inline void v_sum4(__m256 a, __m256 b, __m256 c, __m256 d, float *out) {
    const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

static inline float v_max(__m256 v) {
    float lanes[8], most;
    _mm256_storeu_ps(lanes, v);
    most = lanes[0];
    for (int i = 1; i < 8; i++) most = lanes[i] > most ? lanes[i] : most;
    return most;
}

#include "simd_body.h"

const vox_kernels *vox_kernels_avx2(void) { return &table; }

#else

const vox_kernels *vox_kernels_avx2(void) { return NULL; }

#endif
