#include <immintrin.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "vector_avx2.h"

typedef __m256i vi;

static inline vi vi_load(const void *p) { return _mm256_loadu_si256(p); }
static inline void vi_store(void *p, vi x) { _mm256_storeu_si256(p, x); }
static inline vi vi_set1(int32_t x) { return _mm256_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_largest(vi a, vi b) { return _mm256_max_epi32(a, b); }
static inline vi vi_magnitude(vi x) { return _mm256_and_si256(x, _mm256_set1_epi32(0x7fffffff)); }
static inline vi vi_from_bits(vf x) { return _mm256_castps_si256(x); }
static inline vf vi_to_float(vi x) { return _mm256_cvtepi32_ps(x); }
static inline vi vi_broadcast(const int8_t *p) {
    int32_t four;
    memcpy(&four, p, 4);
    return _mm256_set1_epi32(four);
}
static inline int32_t sum_lanes(vi x) {
    __m128i q = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    q = _mm_add_epi32(q, _mm_shuffle_epi32(q, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(q, _mm_shuffle_epi32(q, 0xb1)));
}
static inline int32_t largest_lane(vi x) {
    __m128i q = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    q = _mm_max_epi32(q, _mm_shuffle_epi32(q, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(q, _mm_shuffle_epi32(q, 0xb1)));
}
static inline vi low_nibbles(vi x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
static inline vi high_nibbles(vi x) { return low_nibbles(_mm256_srli_epi16(x, 4)); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_shift_right(vi x, int bits) { return _mm256_srl_epi16(x, _mm_cvtsi32_si128(bits)); }
static inline vi vi_shift_left(vi x, int bits) { return _mm256_sll_epi16(x, _mm_cvtsi32_si128(bits)); }
static inline vi vi_sixteenth(vi x) { return _mm256_srai_epi32(x, 4); }
static inline vi vi_set_bytes(char x) { return _mm256_set1_epi8(x); }
static inline vi vi_lookup(const int8_t *table, vi x) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table)), x);
}
static inline __m256i load_lanes(const void *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p)); }
static inline vf load_u8(const void *p) { return _mm256_cvtepi32_ps(load_lanes(p)); }
static inline vf load_i8(const void *p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p))); }
static inline vf load_low4(const void *p) {
    return _mm256_cvtepi32_ps(_mm256_and_si256(load_lanes(p), _mm256_set1_epi32(15)));
}
static inline vf load_high4(const void *p) { return _mm256_cvtepi32_ps(_mm256_srli_epi32(load_lanes(p), 4)); }
static inline vi vi_round(vf x) { return _mm256_cvtps_epi32(x); }
static inline void store_bytes(int8_t *p, vi words) {
    __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(halves, halves));
}

/// Pairs of products are added in 16 bits first and must not saturate there.
static inline vi add_pairs(vi acc, vi unsigned_bytes, vi signed_bytes) {
    vi pairs = _mm256_maddubs_epi16(unsigned_bytes, signed_bytes);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
static inline vi count_bytes(vi x) { return add_pairs(_mm256_setzero_si256(), _mm256_set1_epi8(1), x); }

/// Weights give their sign to the activations: magnitudes reach 128, activations 127, so two products fit in 16 bits.
static inline vi dot_bytes(vi acc, vi w, vi x) {
    vi weights = _mm256_xor_si256(w, _mm256_set1_epi8((char)CODE_OFFSET));
    return add_pairs(acc, _mm256_abs_epi8(weights), _mm256_sign_epi8(x, weights));
}
static inline vi dot_codes(vi acc, vi w, vi x) { return add_pairs(acc, w, x); }
#define START_FACTOR 0
#define UPPER_NIBBLES 0

// Tile shapes for 16 registers: up to 8 sums, beside weights, their magnitudes and what a product needs on its way.
#define TILE_ROWS 2
#define GROUP_ROWS 2
#define WIDE_ROWS 1
#define FEW_ROWS 1
#define DIRECT_ROWS 1
#define TILE_SHAPES(body)                                                                                              \
    switch (t->rows * 8 + t->blocks) {                                                                                 \
        TILE_CASE(body, 1, 1) TILE_CASE(body, 2, 1) TILE_CASE(body, 1, WIDE) default : __builtin_trap();               \
    }
#define GROUP_SHAPES(body)                                                                                             \
    switch (t->rows * 8 + t->blocks) {                                                                                 \
        TILE_CASE(body, 1, 1) TILE_CASE(body, 2, 1) default : __builtin_trap();                                        \
    }
#define PEAK_SUMS 8
#define VECTOR_REGISTER "x"

#include "codes_vector.h"

void fill_codes_avx2(code_kernels *t) { fill_codes(t); }

#pragma clang attribute pop
