#include "float8.h"
#include "half.h"
#include "table.h"

static void f32_to_float(const void *x, size_t n, float *out) { memcpy(out, x, n * 4); }
static void f32_from_float(const float *x, size_t n, void *out) { memcpy(out, x, n * 4); }

static void f16_row_to_float(const void *x, size_t n, float *out) {
    const uint16_t *h = x;
    for (size_t i = 0; i < n; i++) out[i] = f16_to_float(h[i]);
}

static void f16_row_from_float(const float *x, size_t n, void *out) {
    uint16_t *h = out;
    for (size_t i = 0; i < n; i++) h[i] = f16_from_float(x[i]);
}

static void bf16_row_to_float(const void *x, size_t n, float *out) {
    const uint16_t *h = x;
    for (size_t i = 0; i < n; i++) out[i] = bf16_to_float(h[i]);
}

static void bf16_row_from_float(const float *x, size_t n, void *out) {
    uint16_t *h = out;
    for (size_t i = 0; i < n; i++) h[i] = bf16_from_float(x[i]);
}

static void f32_from_scaled(const float *x, size_t n, float factor, void *out) {
    float *to = out;
    for (size_t i = 0; i < n; i++) to[i] = (x[i] + 0) * factor;
}

static void f16_from_scaled(const float *x, size_t n, float factor, void *out) {
    uint16_t *to = out;
    for (size_t i = 0; i < n; i++) to[i] = f16_from_float((x[i] + 0) * factor);
}

static void bf16_from_scaled(const float *x, size_t n, float factor, void *out) {
    uint16_t *to = out;
    for (size_t i = 0; i < n; i++) to[i] = bf16_from_float((x[i] + 0) * factor);
}

static void float8_row(const uint8_t *codes, size_t n, const float *scales, float *out) {
    float8_numbers(codes, n, scales, out);
}

void fill_convert_scalar(kernel_table *t) {
    t->float8_numbers = float8_row;
    t->to_float[KERNELS_F32] = f32_to_float;
    t->to_float[KERNELS_F16] = f16_row_to_float;
    t->to_float[KERNELS_BF16] = bf16_row_to_float;
    t->from_float[KERNELS_F32] = f32_from_float;
    t->from_float[KERNELS_F16] = f16_row_from_float;
    t->from_float[KERNELS_BF16] = bf16_row_from_float;
    t->from_scaled[KERNELS_F32] = f32_from_scaled;
    t->from_scaled[KERNELS_F16] = f16_from_scaled;
    t->from_scaled[KERNELS_BF16] = bf16_from_scaled;
}
