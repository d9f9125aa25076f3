// Conversions of rows, for any vector level.
#include "float8.h"

#define CONVERT_ROWS(type)                                                                                             \
    static void type##_to_float(const void *x, size_t n, float *out) {                                                 \
        const uint16_t *h = x;                                                                                         \
        size_t i = 0;                                                                                                  \
        for (; i + VW <= n; i += VW) vf_store(out + i, load_##type(h + i));                                            \
        if (i < n) vf_store_n(out + i, load_##type##_n(h + i, n - i), n - i);                                          \
    }                                                                                                                  \
    static void type##_from_float(const float *x, size_t n, void *out) {                                               \
        uint16_t *h = out;                                                                                             \
        size_t i = 0;                                                                                                  \
        for (; i + VW <= n; i += VW) store_##type(h + i, vf_load(x + i));                                              \
        if (i < n) store_##type##_n(h + i, vf_load_n(x + i, n - i), n - i);                                            \
    }
CONVERT_ROWS(bf16)
CONVERT_ROWS(f16)

static inline void store_f32(void *p, vf x) { vf_store(p, x); }
static inline void store_f32_n(void *p, vf x, size_t n) { vf_store_n(p, x, n); }

#define SCALE_ROWS(type, element)                                                                                      \
    static void type##_from_scaled(const float *x, size_t n, float factor, void *out) {                                \
        element *to = out;                                                                                             \
        vf f = vf_set1(factor);                                                                                        \
        size_t i = 0;                                                                                                  \
        for (; i + VW <= n; i += VW) store_##type(to + i, vf_mul(vf_add(vf_load(x + i), vf_zero()), f));               \
        if (i < n)                                                                                                     \
            store_##type##_n(to + i, vf_mul(vf_add(vf_load_n(x + i, n - i), vf_zero()), f), n - i);                    \
    }
SCALE_ROWS(f32, float)
SCALE_ROWS(f16, uint16_t)
SCALE_ROWS(bf16, uint16_t)

static void float8_row(const uint8_t *codes, size_t n, const float *scales, float *out) {
    float8_numbers(codes, n, scales, out);
}

static void fill_convert(kernel_table *t) {
    t->float8_numbers = float8_row;
    t->to_float[KERNELS_F16] = f16_to_float;
    t->to_float[KERNELS_BF16] = bf16_to_float;
    t->from_float[KERNELS_F16] = f16_from_float;
    t->from_float[KERNELS_BF16] = bf16_from_float;
    t->from_scaled[KERNELS_F32] = f32_from_scaled;
    t->from_scaled[KERNELS_F16] = f16_from_scaled;
    t->from_scaled[KERNELS_BF16] = bf16_from_scaled;
}
