#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)

#include "vector_avx512.h"
#include "vector_exp.h"
#include "sample_vector.h"

void fill_sample_avx512(kernel_table *t) { fill_sample(t); }

#pragma clang attribute pop
