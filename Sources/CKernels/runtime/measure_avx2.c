#include <immintrin.h>

#include "table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "vector_avx2.h"

#define SUMS 12
#define VECTOR_REGISTER "x"
#include "measure_vector.h"

void fill_measure_avx2(kernel_table *t) {
    t->read_memory = read_memory;
    for (size_t d = 0; d < KERNELS_DTYPES; d++) t->dot_peak[d] = fma_peak;
}

#pragma clang attribute pop
