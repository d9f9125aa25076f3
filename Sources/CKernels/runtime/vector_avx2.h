// Eight floats at a time, for the family bodies; include inside a region that targets AVX2, FMA and F16C.
#include <immintrin.h>
#include <string.h>

#define VW 8
typedef __m256 vf;

static inline vf vf_zero(void) { return _mm256_setzero_ps(); }
static inline vf vf_set1(float x) { return _mm256_set1_ps(x); }
static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vf_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
/// c - a * b
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
/// The second operand where either is NaN.
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf vf_round(vf x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// x * 2^n for whole n of at most 8 bits: in two halves, so that subnormal results round once and overflow is infinite.
static inline vf vf_scale2(vf x, vf n) {
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
    __m256i bias = _mm256_set1_epi32(127);
    vf a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
    vf b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
    return _mm256_mul_ps(_mm256_mul_ps(x, a), b);
}

static inline __m256i first_lanes(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/// The first n lanes of p, the others zero.
static inline vf vf_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
static inline void vf_store_n(float *p, vf x, size_t n) { _mm256_maskstore_ps(p, first_lanes(n), x); }
/// x in the first n lanes, y in the others.
static inline vf vf_select_n(vf x, vf y, size_t n) {
    return _mm256_blendv_ps(y, x, _mm256_castsi256_ps(first_lanes(n)));
}

static inline unsigned vf_nan_mask(vf x) { return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)); }
static inline unsigned vf_greater_mask(vf a, vf b) {
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ));
}
static inline unsigned vf_equal_mask(vf a, vf b) {
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ));
}

static inline float vf_sum(vf x) {
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
static inline float vf_largest(vf x) {
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

static inline vf vf_from_bf16_bits(__m128i h) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
static inline vf load_f32(const void *p) { return _mm256_loadu_ps(p); }
static inline vf load_bf16(const void *p) { return vf_from_bf16_bits(_mm_loadu_si128(p)); }
static inline vf load_f16(const void *p) { return _mm256_cvtph_ps(_mm_loadu_si128(p)); }
static inline vf load_f32_n(const void *p, size_t n) { return vf_load_n(p, n); }
static inline __m128i load_halves(const void *p, size_t n) {
    uint16_t h[8] = {0};
    memcpy(h, p, n * 2);
    return _mm_loadu_si128((const __m128i *)h);
}
static inline vf load_bf16_n(const void *p, size_t n) { return vf_from_bf16_bits(load_halves(p, n)); }
static inline vf load_f16_n(const void *p, size_t n) { return _mm256_cvtph_ps(load_halves(p, n)); }

static inline __m128i bf16_bits(vf x) {
    __m256i u = _mm256_castps_si256(x), upper = _mm256_srli_epi32(u, 16);
    __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    __m256i words = _mm256_blendv_epi8(rounded, quiet, nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}
static inline __m128i f16_bits(vf x) { return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline void store_bf16(void *p, vf x) { _mm_storeu_si128(p, bf16_bits(x)); }
static inline void store_f16(void *p, vf x) { _mm_storeu_si128(p, f16_bits(x)); }
static inline void store_halves(void *p, __m128i h, size_t n) {
    uint16_t all[8];
    _mm_storeu_si128((__m128i *)all, h);
    memcpy(p, all, n * 2);
}
static inline void store_bf16_n(void *p, vf x, size_t n) { store_halves(p, bf16_bits(x), n); }
static inline void store_f16_n(void *p, vf x, size_t n) { store_halves(p, f16_bits(x), n); }

/// Stores the first n lanes at p[at]; the others too where p, of `end` elements, goes on, since what follows is stored later.
static inline void store_column(float *p, size_t at, size_t end, size_t n, vf x) {
    if (at + VW <= end)
        vf_store(p + at, x);
    else
        vf_store_n(p + at, x, n);
}

/// Transposes a square of vectors in place.
static inline __attribute__((always_inline)) void vf_transpose(vf r[VW]) {
    vf t[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 4) {
        __m256d a = _mm256_castps_pd(t[i]), b = _mm256_castps_pd(t[i + 1]);
        __m256d c = _mm256_castps_pd(t[i + 2]), d = _mm256_castps_pd(t[i + 3]);
        r[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
        r[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
        r[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
        r[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
        t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) r[i] = t[i];
}
