#include <string.h>

#include "table.h"

static uint64_t read_memory(const void *p, size_t bytes) {
    const char *at = p;
    uint64_t sum[4] = {0, 0, 0, 0}, word;
    for (size_t i = 0; i + 32 <= bytes; i += 32)
        for (size_t j = 0; j < 4; j++) {
            memcpy(&word, at + i + 8 * j, 8);
            sum[j] ^= word;
        }
    return sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
}

static double dot_peak(size_t iterations) {
    float sum[32], a = 1, b[32];
    for (size_t j = 0; j < 32; j++) sum[j] = b[j] = (float)j;
    for (size_t i = 0; i < iterations; i++) {
        __asm__ volatile("" : "+x"(a));
        for (size_t j = 0; j < 32; j++) sum[j] += a * b[j];
    }
    for (size_t j = 0; j < 32; j++) __asm__ volatile("" : : "x"(sum[j]));
    return (double)iterations * 64;
}

void fill_measure_scalar(kernel_table *t) {
    t->read_memory = read_memory;
    for (size_t d = 0; d < KERNELS_DTYPES; d++) t->dot_peak[d] = dot_peak;
}
