#include <immintrin.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

#include "gemm_shapes_avx512.h"

static inline vf pair_dot(vf acc, __m512i a, __m512i b) { return _mm512_dpbf16_ps(acc, (__m512bh)a, (__m512bh)b); }
#define PAIR_DOT pair_dot
#include "gemm_pair_dot.h"

void fill_gemm_avx512bf16(kernel_table *t) { fill_pair_dot(t); }

#pragma clang attribute pop
