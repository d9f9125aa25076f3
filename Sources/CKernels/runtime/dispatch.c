// The ladder of instruction sets: each rung overrides what it does better than the one below.
#include <string.h>

#include "table.h"

kernels_isa kernels_select(kernels_isa ceiling, kernel_table *t) {
    kernels_isa isa = kernels_detect(ceiling);
    memset(t, 0, sizeof *t);
    fill_gemm_scalar(t);
    fill_codes_scalar(&t->codes);
    fill_attention_scalar(t);
    fill_rows_scalar(t);
    fill_convert_scalar(t);
    fill_sample_scalar(t);
    fill_measure_scalar(t);
    if (isa < KERNELS_AVX2) return isa;
    fill_gemm_avx2(t);
    fill_codes_avx2(&t->codes);
    fill_attention_avx2(t);
    fill_rows_avx2(t);
    fill_convert_avx2(t);
    fill_sample_avx2(t);
    fill_measure_avx2(t);
    if (isa < KERNELS_AVX512) return isa;
    fill_gemm_avx512(t);
    fill_codes_avx512(&t->codes);
    // A capability beside the levels: processors have it with and without the bf16 dot.
    if (has_avx512vnni()) fill_codes_vnni(&t->codes);
    fill_attention_avx512(t);
    fill_rows_avx512(t);
    fill_convert_avx512(t);
    fill_sample_avx512(t);
    fill_measure_avx512(t);
    if (isa < KERNELS_AVX512BF16) return isa;
    fill_gemm_avx512bf16(t);
    fill_convert_avx512bf16(t);
    fill_measure_avx512bf16(t);
    return isa;
}

void kernels_leave_vnni(kernels_compute *c) {
    if (c->isa >= KERNELS_AVX512) fill_codes_avx512(&c->table.codes);
}
