#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

#define SUBNORMAL_CLASS 0x20

/// The rounding instruction takes subnormal numbers for zeros, which the other levels keep.
static inline __m256i rounded_bits(vf x) {
    if (__builtin_expect(_mm512_fpclass_ps_mask(x, SUBNORMAL_CLASS) != 0, 0)) return bf16_bits(x);
    return (__m256i)_mm512_cvtneps_pbh(x);
}

static void bf16_from_float(const float *x, size_t n, void *out) {
    uint16_t *h = out;
    size_t i = 0;
    for (; i + VW <= n; i += VW) _mm256_storeu_si256((void *)(h + i), rounded_bits(vf_load(x + i)));
    if (i < n) _mm256_mask_storeu_epi16(h + i, first_lanes(n - i), rounded_bits(vf_load_n(x + i, n - i)));
}

static void bf16_from_scaled(const float *x, size_t n, float factor, void *out) {
    uint16_t *h = out;
    vf f = vf_set1(factor);
    for (size_t i = 0; i < n; i += VW) {
        __mmask16 lanes = first_lanes(min_size(VW, n - i));
        vf scaled = vf_mul(vf_add(_mm512_maskz_loadu_ps(lanes, x + i), vf_zero()), f);
        _mm256_mask_storeu_epi16(h + i, lanes, rounded_bits(scaled));
    }
}

void fill_convert_avx512bf16(kernel_table *t) {
    t->from_float[KERNELS_BF16] = bf16_from_float;
    t->from_scaled[KERNELS_BF16] = bf16_from_scaled;
}

#pragma clang attribute pop
