#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "vector_avx2.h"
#include "convert_vector.h"

void fill_convert_avx2(kernel_table *t) { fill_convert(t); }

#pragma clang attribute pop
