#include <immintrin.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

#include "codes_avx512.h"

/// Weights give their sign to the activations: magnitudes reach 128, activations 127, so two products fit in 16 bits.
static inline vi dot_bytes(vi acc, vi w, vi x) {
    vi weights = _mm512_xor_si512(w, _mm512_set1_epi8((char)CODE_OFFSET));
    vi turned = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(weights), _mm512_setzero_si512(), x);
    return add_pairs(acc, _mm512_abs_epi8(weights), turned);
}
static inline vi dot_codes(vi acc, vi w, vi x) { return add_pairs(acc, w, x); }
#define START_FACTOR 0
#define UPPER_NIBBLES 0

#include "codes_vector.h"

void fill_codes_avx512(code_kernels *t) { fill_codes(t); }

#pragma clang attribute pop
