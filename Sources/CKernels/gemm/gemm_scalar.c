// Matrix products in portable C: the reference of every other level. One row at a time, k ascending.
#include "half.h"
#include "table.h"

/// Reads element `k` of output `j` of a block.
typedef float (*block_element)(const void *block, size_t k, size_t j);

static float f32_element(const void *block, size_t k, size_t j) { return ((const float *)block)[k * BLOCK + j]; }
static float f16_element(const void *block, size_t k, size_t j) {
    return f16_to_float(((const uint16_t *)block)[k * BLOCK + j]);
}
static float bf16_element(const void *block, size_t k, size_t j) {
    return bf16_to_float(((const uint16_t *)block)[k / 2 * BLOCK * 2 + j * 2 + k % 2]);
}

static inline __attribute__((always_inline)) void tile_body(
    const gemm_tile *t, const float *a, size_t row_stride, size_t column_stride, block_element element) {
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t i = 0; i < t->blocks; i++) {
            const void *block = (const char *)t->b + i * t->b_stride;
            float *c = t->c + r * t->ldc + i * BLOCK;
            float sum[BLOCK];
            for (size_t j = 0; j < BLOCK; j++) sum[j] = t->load ? c[j] : 0;
            for (size_t k = 0; k < t->steps; k++) {
                float x = a[r * row_stride + k * column_stride];
                for (size_t j = 0; j < BLOCK; j++) sum[j] += x * element(block, k, j);
            }
            for (size_t j = 0; j < BLOCK; j++) c[j] = sum[j];
        }
    }
}

static void f32_tile(const gemm_tile *t) { tile_body(t, t->a, 1, t->rows, f32_element); }
static void f16_tile(const gemm_tile *t) { tile_body(t, t->a, 1, t->rows, f16_element); }
static void bf16_tile(const gemm_tile *t) { tile_body(t, t->a, 1, t->rows, bf16_element); }
static void f32_row_tile(const gemm_tile *t) { tile_body(t, t->a, ATTENTION_STRIDE, 1, f32_element); }

static void pack_f32(const void *x, size_t ldx, size_t rows, size_t inputs, void *panel) {
    const float *in = x;
    float *out = panel;
    for (size_t k = 0; k < padded_inputs(inputs); k++)
        for (size_t r = 0; r < rows; r++) out[k * rows + r] = k < inputs ? in[r * ldx + k] : 0;
}

static void pack_f16(const void *x, size_t ldx, size_t rows, size_t inputs, void *panel) {
    const uint16_t *in = x;
    float *out = panel;
    for (size_t k = 0; k < padded_inputs(inputs); k++)
        for (size_t r = 0; r < rows; r++) out[k * rows + r] = k < inputs ? f16_to_float(in[r * ldx + k]) : 0;
}

static void pack_bf16(const void *x, size_t ldx, size_t rows, size_t inputs, void *panel) {
    const uint16_t *in = x;
    float *out = panel;
    for (size_t k = 0; k < padded_inputs(inputs); k++)
        for (size_t r = 0; r < rows; r++) out[k * rows + r] = k < inputs ? bf16_to_float(in[r * ldx + k]) : 0;
}

void fill_gemm_scalar(kernel_table *t) {
    gemm_kernels common = {.wide_rows = 1, .tile_rows = 1, .tile_blocks = 1, .tile_step = 1};
    common.tile = f32_tile;
    common.pack_panel = pack_f32;
    t->gemm[KERNELS_F32] = common;
    common.tile = f16_tile;
    common.pack_panel = pack_f16;
    t->gemm[KERNELS_F16] = common;
    common.tile = bf16_tile;
    common.pack_panel = pack_bf16;
    t->gemm[KERNELS_BF16] = common;
    t->row_tile = f32_row_tile;
}
