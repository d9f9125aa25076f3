#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

static inline vf bf16_part(vf words, unsigned s) {
    __m512i w = _mm512_castps_si512(words);
    return _mm512_castsi512_ps(
        s == 0 ? _mm512_slli_epi32(w, 16) : _mm512_and_si512(w, _mm512_set1_epi32((int)0xffff0000)));
}
static inline vf f16_part(vf words, unsigned s) {
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(words), 16 * s)));
}
static inline vf i8_part(vf words, unsigned s) {
    return _mm512_cvtepi32_ps(_mm512_srai_epi32(_mm512_slli_epi32(_mm512_castps_si512(words), 24 - 8 * s), 24));
}
static inline vf load_i8(const void *p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p))); }
static inline vf load_i8_n(const void *p, size_t n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first_lanes(n), p)));
}
/// Rounds to nearest even, to int8.
static inline void store_codes(int8_t *p, vf x, size_t n) {
    _mm_mask_storeu_epi8(p, first_lanes(n), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}
static inline vf vf_andnot(vf a, vf b) { return _mm512_andnot_ps(a, b); }
static inline vf vf_power2(vf x) {
    __m512i n = _mm512_slli_epi32(_mm512_castps_si512(x), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(n, _mm512_set1_epi32(0x3f800000)));
}

#include "attention_vector.h"

void fill_attention_avx512(kernel_table *t) { fill_attention(t); }

#pragma clang attribute pop
