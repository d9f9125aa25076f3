// Weights of 8 bits in floating point (E4M3 without infinities), as they are in memory and as products use them.
//
// A packed block holds 32 outputs:
//
//   scales  32 floats for each group of columns
//   codes   one a byte, in the order of plain numbers of the matrix's dtype: [columns / 2][32][2] for bf16, else [columns][32]
//
// A number is code times scale in f32, rounded to the dtype. Products expand some columns at a time and go on as with plain
// numbers, so they have the bits that the expanded matrix would give, at half the memory of two bytes.
#ifndef SRT_FLOAT8_H
#define SRT_FLOAT8_H

#include "table.h"

/// Codes that share their scales' order: two columns.
#define FLOAT8_STEP 64

/// Groups of a row.
static inline size_t float8_groups(const kernels_matrix *w) {
    return w->group ? (w->inputs + w->group - 1) / w->group : 1;
}

/// Where the code of a column and an output lies behind the scales.
static inline size_t float8_place(const kernels_matrix *w, size_t column, size_t lane) {
    return w->dtype == KERNELS_BF16 ? (column / 2 * BLOCK + lane) * 2 + column % 2 : column * BLOCK + lane;
}

/// What a code stands for.
static inline float float8_value(uint8_t code) {
    uint32_t magnitude = code & 0x7fu, bits = (magnitude << 20) + (120u << 23);
    float value, below;
    __builtin_memcpy(&value, &bits, 4);
    // Without an exponent the first bit is not there.
    below = (value - 0x1p-7f) * 2;
    value = magnitude < 8 ? below : value;
    value = magnitude == 0x7f ? __builtin_nanf("") : value;
    __builtin_memcpy(&bits, &value, 4);
    bits |= (uint32_t)(code & 0x80u) << 24;
    __builtin_memcpy(&value, &bits, 4);
    return value;
}

/// out[i] = value of codes[i] * scales[i % FLOAT8_STEP], for whole steps; each level compiles its own.
static inline void float8_numbers(const uint8_t *codes, size_t n, const float *scales, float *out) {
    for (size_t i = 0; i < n; i += FLOAT8_STEP)
        for (size_t j = 0; j < FLOAT8_STEP; j++) out[i + j] = float8_value(codes[i + j]) * scales[j];
}

/// Columns `k ..< k + columns` of a block as plain numbers; both are even.
void expand_float8(
    const kernel_table *t, const kernels_matrix *w, size_t block, size_t k, size_t columns, char *out);

#endif
