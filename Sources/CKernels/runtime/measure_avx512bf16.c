#include <immintrin.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"))), apply_to = function)

static double pair_dot_peak(size_t iterations) {
    enum { SUMS = 24 };
    __m512 sum[SUMS];
    __m512bh a = (__m512bh)_mm512_set1_epi32(0x3f803f80), b = (__m512bh)_mm512_set1_epi32(0x3f003f00);
#pragma clang loop unroll(full)
    for (size_t j = 0; j < SUMS; j++) sum[j] = _mm512_set1_ps((float)j);
    for (size_t i = 0; i < iterations; i++) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < SUMS; j++) {
            sum[j] = _mm512_dpbf16_ps(sum[j], a, b);
            __asm__ volatile("" : "+v"(sum[j]));
        }
    }
    return (double)iterations * SUMS * 64;
}

void fill_measure_avx512bf16(kernel_table *t) { t->dot_peak[KERNELS_BF16] = pair_dot_peak; }

#pragma clang attribute pop
