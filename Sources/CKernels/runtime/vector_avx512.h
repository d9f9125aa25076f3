// Sixteen floats at a time, for the family bodies; include inside a region that targets AVX-512.
#include <immintrin.h>

#define VW 16
typedef __m512 vf;

static inline vf vf_zero(void) { return _mm512_setzero_ps(); }
static inline vf vf_set1(float x) { return _mm512_set1_ps(x); }
static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vf_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/// c - a * b
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
/// The second operand where either is NaN.
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_round(vf x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// x * 2^n for whole n.
static inline vf vf_scale2(vf x, vf n) { return _mm512_scalef_ps(x, n); }

static inline __mmask16 first_lanes(size_t n) { return (__mmask16)((1u << n) - 1); }
/// The first n lanes of p, the others zero.
static inline vf vf_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
static inline void vf_store_n(float *p, vf x, size_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), x); }
/// x in the first n lanes, y in the others.
static inline vf vf_select_n(vf x, vf y, size_t n) { return _mm512_mask_blend_ps(first_lanes(n), y, x); }

static inline unsigned vf_nan_mask(vf x) { return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q); }
static inline unsigned vf_greater_mask(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline unsigned vf_equal_mask(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }

static inline float vf_sum(vf x) {
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
static inline float vf_largest(vf x) { return _mm512_reduce_max_ps(x); }

static inline vf vf_from_bf16_bits(__m256i h) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
static inline vf load_f32(const void *p) { return _mm512_loadu_ps(p); }
static inline vf load_bf16(const void *p) { return vf_from_bf16_bits(_mm256_loadu_si256(p)); }
static inline vf load_f16(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }
static inline vf load_f32_n(const void *p, size_t n) { return vf_load_n(p, n); }
static inline vf load_bf16_n(const void *p, size_t n) {
    return vf_from_bf16_bits(_mm256_maskz_loadu_epi16(first_lanes(n), p));
}
static inline vf load_f16_n(const void *p, size_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p));
}

static inline __m256i bf16_bits(vf x) {
    __m512i u = _mm512_castps_si512(x), upper = _mm512_srli_epi32(u, 16);
    __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    __m512i quiet = _mm512_or_si512(upper, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, vf_nan_mask(x), quiet));
}
static inline __m256i f16_bits(vf x) { return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline void store_bf16(void *p, vf x) { _mm256_storeu_si256(p, bf16_bits(x)); }
static inline void store_f16(void *p, vf x) { _mm256_storeu_si256(p, f16_bits(x)); }
static inline void store_bf16_n(void *p, vf x, size_t n) { _mm256_mask_storeu_epi16(p, first_lanes(n), bf16_bits(x)); }
static inline void store_f16_n(void *p, vf x, size_t n) { _mm256_mask_storeu_epi16(p, first_lanes(n), f16_bits(x)); }

/// Stores the first n lanes at p[at]; the others too where p, of `end` elements, goes on, since what follows is stored later.
static inline void store_column(float *p, size_t at, size_t end, size_t n, vf x) {
    if (at + VW <= end)
        vf_store(p + at, x);
    else
        vf_store_n(p + at, x, n);
}

/// Transposes a square of vectors in place.
static inline __attribute__((always_inline)) void vf_transpose(vf r[VW]) {
    vf t[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 4) {
        __m512d a = _mm512_castps_pd(t[i]), b = _mm512_castps_pd(t[i + 1]);
        __m512d c = _mm512_castps_pd(t[i + 2]), d = _mm512_castps_pd(t[i + 3]);
        r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
        r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
        r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
        r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
    }
}
