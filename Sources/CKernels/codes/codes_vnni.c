#include <immintrin.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

#include "codes_avx512.h"

static inline vi dot_bytes(vi acc, vi w, vi x) { return _mm512_dpbusd_epi32(acc, w, x); }
static inline vi dot_codes(vi acc, vi w, vi x) { return _mm512_dpbusd_epi32(acc, w, x); }
#define START_FACTOR CODE_OFFSET
#define UPPER_NIBBLES 1

#include "codes_vector.h"

void fill_codes_vnni(code_kernels *t) { fill_codes(t); }

#pragma clang attribute pop
