// Conversions of rows, for any vector level.

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

static void fill_convert(kernel_table *t) {
    t->to_float[KERNELS_F16] = f16_to_float;
    t->to_float[KERNELS_BF16] = bf16_to_float;
    t->from_float[KERNELS_F16] = f16_from_float;
    t->from_float[KERNELS_BF16] = bf16_from_float;
}
