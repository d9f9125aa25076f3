// Integer vectors of quantized products for AVX-512, with and without VNNI; include after vector_avx512.h.

typedef __m512i vi;

static inline vi vi_load(const void *p) { return _mm512_loadu_si512(p); }
static inline void vi_store(void *p, vi x) { _mm512_storeu_si512(p, x); }
static inline vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_largest(vi a, vi b) { return _mm512_max_epi32(a, b); }
static inline vi vi_magnitude(vi x) { return _mm512_and_si512(x, _mm512_set1_epi32(0x7fffffff)); }
static inline vi vi_from_bits(vf x) { return _mm512_castps_si512(x); }
static inline vf vi_to_float(vi x) { return _mm512_cvtepi32_ps(x); }
static inline vi vi_broadcast(const int8_t *p) {
    int32_t four;
    memcpy(&four, p, 4);
    return _mm512_set1_epi32(four);
}
static inline int32_t sum_lanes(vi x) { return _mm512_reduce_add_epi32(x); }
static inline int32_t largest_lane(vi x) { return _mm512_reduce_max_epi32(x); }
static inline vi low_nibbles(vi x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
static inline vi high_nibbles(vi x) { return low_nibbles(_mm512_srli_epi16(x, 4)); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_shift_right(vi x, int bits) { return _mm512_srl_epi16(x, _mm_cvtsi32_si128(bits)); }
static inline vi vi_shift_left(vi x, int bits) { return _mm512_sll_epi16(x, _mm_cvtsi32_si128(bits)); }
static inline vi vi_sixteenth(vi x) { return _mm512_srai_epi32(x, 4); }
static inline vi vi_set_bytes(char x) { return _mm512_set1_epi8(x); }
static inline vi vi_lookup(const int8_t *table, vi x) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table)), x);
}
static inline __m512i load_lanes(const void *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128(p)); }
static inline vf load_u8(const void *p) { return _mm512_cvtepi32_ps(load_lanes(p)); }
static inline vf load_i8(const void *p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p))); }
static inline vf load_low4(const void *p) {
    return _mm512_cvtepi32_ps(_mm512_and_si512(load_lanes(p), _mm512_set1_epi32(15)));
}
static inline vf load_high4(const void *p) { return _mm512_cvtepi32_ps(_mm512_srli_epi32(load_lanes(p), 4)); }
static inline vi vi_round(vf x) { return _mm512_cvtps_epi32(x); }
static inline void store_bytes(int8_t *p, vi x) { _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(x)); }

/// The products without VNNI. Pairs of them are added in 16 bits first and must not saturate there.
static inline vi add_pairs(vi acc, vi unsigned_bytes, vi signed_bytes) {
    vi pairs = _mm512_maddubs_epi16(unsigned_bytes, signed_bytes);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
static inline vi count_bytes(vi x) { return add_pairs(_mm512_setzero_si512(), _mm512_set1_epi8(1), x); }

// Tile shapes for 32 registers: up to 28 sums, weights and a broadcast; wide ones keep four vectors of weights.
#define TILE_ROWS 14
// With a float sum beside each integer one half of the rows.
#define GROUP_ROWS 7
#define WIDE_ROWS 6
#define FEW_ROWS 24
#define DIRECT_ROWS 6
// clang-format off
#define TILE_SHAPES(body)                                                                                              \
    switch (t->rows * 8 + t->blocks) {                                                                                 \
        TILE_CASE(body, 1, 1) TILE_CASE(body, 2, 1)                                                                    \
        TILE_CASE(body, 3, 1) TILE_CASE(body, 4, 1)                                                                    \
        TILE_CASE(body, 5, 1) TILE_CASE(body, 6, 1)                                                                    \
        TILE_CASE(body, 7, 1) TILE_CASE(body, 8, 1)                                                                    \
        TILE_CASE(body, 9, 1) TILE_CASE(body, 10, 1)                                                                   \
        TILE_CASE(body, 11, 1) TILE_CASE(body, 12, 1)                                                                  \
        TILE_CASE(body, 13, 1) TILE_CASE(body, 14, 1)                                                                  \
        TILE_CASE(body, 1, WIDE) TILE_CASE(body, 2, WIDE)                                                              \
        TILE_CASE(body, 3, WIDE) TILE_CASE(body, 4, WIDE)                                                              \
        TILE_CASE(body, 5, WIDE) TILE_CASE(body, 6, WIDE)                                                              \
    default:                                                                                                           \
        __builtin_trap();                                                                                              \
    }
#define GROUP_SHAPES(body)                                                                                             \
    switch (t->rows * 8 + t->blocks) {                                                                                 \
        TILE_CASE(body, 1, 1) TILE_CASE(body, 2, 1)                                                                    \
        TILE_CASE(body, 3, 1) TILE_CASE(body, 4, 1)                                                                    \
        TILE_CASE(body, 5, 1) TILE_CASE(body, 6, 1)                                                                    \
        TILE_CASE(body, 7, 1)                                                                                          \
    default:                                                                                                           \
        __builtin_trap();                                                                                              \
    }
// clang-format on
#define PEAK_SUMS 24
#define VECTOR_REGISTER "v"
