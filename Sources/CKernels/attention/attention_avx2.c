#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "vector_avx2.h"

static inline vf bf16_part(vf words, unsigned s) {
    __m256i w = _mm256_castps_si256(words);
    return _mm256_castsi256_ps(
        s == 0 ? _mm256_slli_epi32(w, 16) : _mm256_and_si256(w, _mm256_set1_epi32((int)0xffff0000)));
}
static inline vf f16_part(vf words, unsigned s) {
    __m256i w = _mm256_castps_si256(words);
    w = s == 0 ? _mm256_and_si256(w, _mm256_set1_epi32(0xffff)) : _mm256_srli_epi32(w, 16);
    return _mm256_cvtph_ps(_mm_packus_epi32(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1)));
}
static inline vf i8_part(vf words, unsigned s) {
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(_mm256_castps_si256(words), 24 - 8 * (int)s), 24));
}
static inline vf load_i8(const void *p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p))); }
static inline vf load_i8_n(const void *p, size_t n) {
    int8_t all[8] = {0};
    memcpy(all, p, n);
    return load_i8(all);
}
/// Rounds to nearest even, to int8.
static inline void store_codes(int8_t *p, vf x, size_t n) {
    __m256i words = _mm256_cvtps_epi32(x);
    __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    int8_t all[16];
    _mm_storeu_si128((__m128i *)all, _mm_packs_epi16(halves, halves));
    memcpy(p, all, n);
}
static inline vf vf_andnot(vf a, vf b) { return _mm256_andnot_ps(a, b); }
static inline vf vf_power2(vf x) {
    __m256i n = _mm256_slli_epi32(_mm256_castps_si256(x), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(0x3f800000)));
}

#include "attention_vector.h"

void fill_attention_avx2(kernel_table *t) { fill_attention(t); }

#pragma clang attribute pop
