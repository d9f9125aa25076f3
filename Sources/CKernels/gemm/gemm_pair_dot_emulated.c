// The pair-dot products with the dot instruction spelled out, so that everything around it can be tested on machines
// without it. The instruction also takes the odd element first, but flushes subnormals, which this does not.
#include <immintrin.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

#include "gemm_shapes_avx512.h"

static inline vf pair_dot(vf acc, __m512i a, __m512i b) {
    __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    vf odd_a = _mm512_castsi512_ps(_mm512_and_si512(a, upper)), odd_b = _mm512_castsi512_ps(_mm512_and_si512(b, upper));
    vf even_a = _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)), even_b = _mm512_castsi512_ps(_mm512_slli_epi32(b, 16));
    return vf_fma(even_a, even_b, vf_fma(odd_a, odd_b, acc));
}
#define PAIR_DOT pair_dot
#include "gemm_pair_dot.h"

bool kernels_emulate_pair_dot(kernels_compute *c) {
    if (c->isa < KERNELS_AVX512) return false;
    fill_pair_dot(&c->table);
    return true;
}

#pragma clang attribute pop
