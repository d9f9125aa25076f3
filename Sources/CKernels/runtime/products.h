// Several products over chosen rows that threads share as one: what the experts of a layer compute.
//
// The families of formats (gemm, codes) each fill a `product_kind`; moe/experts.c knows which rows meet which weights.
#ifndef SRT_PRODUCTS_H
#define SRT_PRODUCTS_H

#include <string.h>

#include "kernels.h"

/// Which rows of the activations a product takes, and what becomes of their results; null pointers choose nothing.
typedef struct {
    /// Row of the activations of each row.
    const int32_t *sources;
    /// Row of the output to which each row's sums are added, times its weight.
    const int32_t *targets;
    const float *weights;
} chosen_rows;

/// One product of several.
typedef struct {
    const kernels_matrix *w;
    const void *x;
    size_t rows;
    chosen_rows chosen;
    /// What a gate-up matrix gives, row by row, and the function of its gates.
    void *gated;
    kernels_activation activation;
    /// Added to the sums, packed as the outputs are: BLOCK numbers at the start of each 2 * BLOCK; null is none.
    const float *packed_bias;
    /// What the sums of a plain matrix are added to.
    float *out;
} chosen_product;

/// How products of one family run.
typedef struct {
    size_t job_bytes;
    /// Most rows of one product.
    size_t most_rows;
    /// Bytes of shared memory that so many rows become.
    size_t (*bytes)(const kernels_compute *c, const kernels_matrix *w, size_t rows);
    /// Writes the job of a product whose rows are packed at `memory`; gives the number of its row tiles.
    size_t (*begin)(void *job, kernels_compute *c, const chosen_product *p, char *memory);
    /// Packs row tiles `begin ..< end`.
    void (*pack)(void *job, size_t thread, size_t begin, size_t end);
    /// Multiplies all rows by the blocks `begin ..< end` and finishes their outputs.
    void (*multiply)(void *job, size_t thread, size_t begin, size_t end);
} product_kind;

extern const product_kind plain_products, quantized_products;

/// Row of the activations that a row of the product is.
static inline size_t source_row(const chosen_rows *c, size_t row) { return c->sources ? (size_t)c->sources[row] : row; }

/// Rows of the activations side by side: where they lie if it is one, else copied to `scratch`.
static inline const char *gather_rows(
    const chosen_rows *c, const char *x, size_t row, size_t rows, size_t row_bytes, char *scratch) {
    if (rows == 1) return x + (size_t)c->sources[row] * row_bytes;
    for (size_t i = 0; i < rows; i++)
        memcpy(scratch + i * row_bytes, x + (size_t)c->sources[row + i] * row_bytes, row_bytes);
    return scratch;
}

/// Adds `count` finished sums of a row, times its weight, to the columns from `column` on of its target.
static inline void add_chosen_row(
    const chosen_rows *c, size_t row, size_t width, size_t column, size_t count, const float *sums, float *out) {
    float *target = out + (size_t)c->targets[row] * width + column, weight = c->weights[row];
    for (size_t i = 0; i < count; i++) target[i] += weight * sums[i];
}

#endif
