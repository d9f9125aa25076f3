#include <immintrin.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

static inline vf vf_lower_half(vf pairs) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(pairs), 16));
}
static inline vf vf_upper_half(vf pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(pairs), _mm512_set1_epi32((int)0xffff0000)));
}

#include "gemm_shapes_avx512.h"
#include "gemm_vector.h"

void fill_gemm_avx512(kernel_table *t) { fill_gemm(t); }

#pragma clang attribute pop
