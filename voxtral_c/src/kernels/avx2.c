/* avx2.c - kernels for AVX2 with FMA; compiled with flags for these. */
#include "kernels.h"

#ifndef NAME
#define NAME "avx2"
#define TABLE vox_kernels_avx2
#endif

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>
#include <string.h>

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
#define V_LOAD_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define V_LOAD_F16_N(p, n) load_f16_n(p, n)
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_SUB(a, b) _mm256_sub_ps(a, b)
#define V_MUL(a, b) _mm256_mul_ps(a, b)
#define V_DIV(a, b) _mm256_div_ps(a, b)
#define V_MAX(a, b) _mm256_max_ps(a, b)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_ROUND(v) _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define V_SCALE2(v, n) scale2(v, n)
#define V_EXPONENT(x) _mm256_min_ps(_mm256_max_ps(x, V_SET1(-126.0f)), V_SET1(126.0f))
#define V_FRACTION(v) _mm256_sub_ps(v, _mm256_floor_ps(v))
#define V_SCALE_FLOOR(v, x) scale2(v, _mm256_floor_ps(x))
#define V_ALL_BELOW(v, s) (_mm256_movemask_ps(_mm256_cmp_ps(v, V_SET1(s), _CMP_NLT_UQ)) == 0)

static inline __m256 load_bf16_n(const uint16_t *p, int n) {
    uint16_t padded[8] = { 0 };
    for (int i = 0; i < n; i++) padded[i] = p[i];
    return V_LOAD_BF16(padded);
}

static inline __m256 load_f16_n(const uint16_t *p, int n) {
    uint16_t padded[8] = { 0 };
    for (int i = 0; i < n; i++) padded[i] = p[i];
    return V_LOAD_F16(padded);
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

/* ---- for quantised weights ---- */
#define QUANT_VECS 1
#define QUANT_COLS 4
#define BYTES_VECS 1
#define BYTES_COLS 4
typedef __m256i ivec;
#define I_LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define I_LOAD1(p) load1(p)
#define I_SET1(n) _mm256_set1_epi32(n)
#define I_ZERO() _mm256_setzero_si256()
#define I_AND(a, b) _mm256_and_si256(a, b)
#define I_OR(a, b) _mm256_or_si256(a, b)
#define I_XOR(a, b) _mm256_xor_si256(a, b)
#define I_SHL(v, n) _mm256_slli_epi32(v, n)
#define I_SHR(v, n) _mm256_srli_epi32(v, n)
#define I_SAR(v, n) _mm256_srai_epi32(v, n)
#define I_FLOAT(v) _mm256_cvtepi32_ps(v)
#define V_HALF(v) half(v)
#define V_FNMA(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define V_ABS(v) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v)
#define V_STORE_I8(p, v) store_i8(p, _mm256_cvtps_epi32(v))

#define I_SCALED(sum, dot, a, s) I_PAIRS(sum, dot, _mm256_mullo_epi16(a, _mm256_set1_epi32(s)))

#if defined(__AVXVNNI__)
#define I_DOT(sum, w, x) _mm256_dpbusd_avx_epi32(sum, w, x)
#define DOT_UNSIGNED 1
#define I_PAIRS(sum, a, b) _mm256_dpwssd_avx_epi32(sum, a, b)
#else
#define I_DOT(sum, w, x) _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)))
#define I_DOT_SIGNED(sum, w, x) dot_signed(sum, w, x)
#define DOT_UNSIGNED 0
#define I_PAIRS(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))

/* Even and odd bytes, widened to 16 bit. */
static inline __m256i dot_signed(__m256i sum, __m256i w, __m256i x) {
    const __m256i even = _mm256_madd_epi16(_mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8),
                                           _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srai_epi16(w, 8), _mm256_srai_epi16(x, 8));
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
}
#endif

static inline __m256i load1(const void *p) {
    int32_t n;
    memcpy(&n, p, sizeof n);
    return _mm256_set1_epi32(n);
}

static inline __m256 half(__m256i v) {
    const __m256i low = _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
    return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

static inline void store_i8(int8_t *p, __m256i v) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((void *)p, _mm_packs_epi16(words, words));
}

#include "simd_body.h"

const vox_kernels *TABLE(void) { return &table; }

#else

const vox_kernels *TABLE(void) { return NULL; }

#endif
