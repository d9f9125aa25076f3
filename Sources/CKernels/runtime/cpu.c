// What the processor can do and the operating system saves on a context switch.
#include <cpuid.h>

#include "table.h"

typedef struct {
    unsigned a, b, c, d;
} cpuid_words;

static cpuid_words cpuid(unsigned leaf, unsigned subleaf) {
    cpuid_words w = {0, 0, 0, 0};
    __get_cpuid_count(leaf, subleaf, &w.a, &w.b, &w.c, &w.d);
    return w;
}

static uint64_t saved_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool all(unsigned word, unsigned bits) { return (word & bits) == bits; }

static bool has_avx2(uint64_t saved) {
    const uint64_t vector_state = 0x6;  // XMM and YMM
    return (saved & vector_state) == vector_state && all(cpuid(1, 0).c, bit_FMA | bit_F16C | bit_AVX) &&
           all(cpuid(7, 0).b, bit_AVX2);
}

static bool has_avx512(uint64_t saved) {
    const uint64_t vector_state = 0xe6;  // also mask registers and the two parts of ZMM
    return (saved & vector_state) == vector_state &&
           all(cpuid(7, 0).b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
}

static bool has_avx512bf16(void) {
    const unsigned avx512bf16 = 1u << 5;
    return cpuid(7, 0).a >= 1 && all(cpuid(7, 1).a, avx512bf16);
}

bool has_avx512vnni(void) {
    const unsigned avx512vnni = 1u << 11;
    return all(cpuid(7, 0).c, avx512vnni);
}

kernels_isa kernels_detect(kernels_isa ceiling) {
    const unsigned osxsave = 1u << 27;
    if (ceiling < KERNELS_AVX2 || !all(cpuid(1, 0).c, osxsave)) return KERNELS_SCALAR;
    uint64_t saved = saved_state();
    if (!has_avx2(saved)) return KERNELS_SCALAR;
    if (ceiling < KERNELS_AVX512 || !has_avx512(saved)) return KERNELS_AVX2;
    if (ceiling < KERNELS_AVX512BF16 || !has_avx512bf16()) return KERNELS_AVX512;
    return KERNELS_AVX512BF16;
}
