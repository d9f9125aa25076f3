#include <immintrin.h>

#include "table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "vector_avx2.h"

static inline vf vf_lower_half(vf pairs) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(pairs), 16));
}
static inline vf vf_upper_half(vf pairs) {
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(pairs), _mm256_set1_epi32((int)0xffff0000)));
}

// Tile shapes for 16 registers: up to 12 sums.
#define WIDE_ROWS 1
#define TILE_ROWS 3
#define TILE_BLOCKS 1

#define TILE_SHAPES(body)                                                                                              \
    switch (t->rows * 8 + t->blocks) {                                                                                 \
        TILE_CASE(body, 1, 1)                                                                                          \
        TILE_CASE(body, 2, 1) TILE_CASE(body, 3, 1) TILE_CASE(body, 1, WIDE) default : __builtin_trap();               \
    }

#include "gemm_vector.h"

void fill_gemm_avx2(kernel_table *t) { fill_gemm(t); }

#pragma clang attribute pop
