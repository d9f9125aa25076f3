#include <immintrin.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"

#define SUMS 24
#define VECTOR_REGISTER "v"
#include "measure_vector.h"

void fill_measure_avx512(kernel_table *t) {
    t->read_memory = read_memory;
    for (size_t d = 0; d < KERNELS_DTYPES; d++) t->dot_peak[d] = fma_peak;
}

#pragma clang attribute pop
