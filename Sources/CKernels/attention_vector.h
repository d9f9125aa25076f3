// Loading of keys and values and the softmax of a block, for any vector level; include after vector_exp.h.
#include <math.h>

/// Rows of the cache fetched ahead: slots follow no order that the processor could guess.
#define ROWS_AHEAD 16

static inline void fetch_row(const void *row, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) _mm_prefetch((const char *)row + i, _MM_HINT_T0);
}

/// Transposes up to VW keys, from element `d` on, into VW columns of a panel.
#define KEY_LOADER(type, element)                                                                                      \
    static inline void type##_key_square(                                                                              \
        const element *keys, size_t stride, const int32_t *slots, size_t count, size_t d, size_t lanes, float *out) {  \
        vf r[VW];                                                                                                      \
        for (size_t i = 0; i < VW; i++) {                                                                              \
            if (i >= count)                                                                                            \
                r[i] = vf_zero();                                                                                      \
            else if (lanes == VW)                                                                                      \
                r[i] = load_##type(keys + (size_t)slots[i] * stride + d);                                              \
            else                                                                                                       \
                r[i] = load_##type##_n(keys + (size_t)slots[i] * stride + d, lanes);                                   \
        }                                                                                                              \
        vf_transpose(r);                                                                                               \
        for (size_t i = 0; i < lanes; i++) vf_store(out + i * BLOCK, r[i]);                                            \
    }                                                                                                                  \
    static void type##_keys(                                                                                           \
        const void *keys, size_t stride, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) { \
        for (size_t i = 0; i < round_up(count, BLOCK); i += VW) {                                                      \
            float *columns = panel + i / BLOCK * dim * BLOCK + i % BLOCK;                                              \
            size_t keys_here = count > i ? min_size(VW, count - i) : 0;                                                \
            for (size_t j = i + ROWS_AHEAD; j < min_size(ahead, i + ROWS_AHEAD + VW); j++)                             \
                fetch_row((const element *)keys + (size_t)slots[j] * stride, dim * sizeof(element));                   \
            for (size_t d = 0; d < dim; d += VW)                                                                       \
                type##_key_square(keys, stride, slots + i, keys_here, d, min_size(VW, dim - d), columns + d * BLOCK);  \
        }                                                                                                              \
    }

#define VALUE_LOADER(type, element)                                                                                    \
    static void type##_values(const void *values, size_t stride, const int32_t *slots, size_t count, size_t ahead,     \
        size_t dim, float *panel) {                                                                                    \
        size_t whole = dim / VW * VW;                                                                                  \
        for (size_t i = 0; i < count; i++) {                                                                           \
            const element *v = (const element *)values + (size_t)slots[i] * stride;                                    \
            if (i + ROWS_AHEAD < ahead)                                                                                \
                fetch_row((const element *)values + (size_t)slots[i + ROWS_AHEAD] * stride, dim * sizeof(element));    \
            for (size_t d = 0; d < round_up(dim, BLOCK); d += VW) {                                                    \
                float *out = panel + (d / BLOCK * count + i) * BLOCK + d % BLOCK;                                      \
                if (d < whole)                                                                                         \
                    vf_store(out, load_##type(v + d));                                                                 \
                else                                                                                                   \
                    vf_store(out, d < dim ? load_##type##_n(v + d, dim - d) : vf_zero());                              \
            }                                                                                                          \
        }                                                                                                              \
    }

KEY_LOADER(f32, float)
KEY_LOADER(f16, uint16_t)
KEY_LOADER(bf16, uint16_t)
VALUE_LOADER(f32, float)
VALUE_LOADER(f16, uint16_t)
VALUE_LOADER(bf16, uint16_t)

static void block_softmax(float *scores, size_t valid, size_t padded, float *max, float *sum) {
    vf top = vf_set1(-INFINITY);
    for (size_t i = 0; i < valid; i += VW) {
        size_t n = min_size(VW, valid - i);
        vf s = vf_select_n(vf_load(scores + i), vf_set1(-INFINITY), n);
        top = vf_max(top, s);
    }
    float m = vf_largest(top);
    vf highest = vf_set1(m), total = vf_zero();
    for (size_t i = 0; i < padded; i += VW) {
        vf e = vf_zero();
        size_t seen = i < valid ? min_size(VW, valid - i) : 0;
        if (seen > 0) e = vf_select_n(vf_exp(vf_sub(vf_load(scores + i), highest)), vf_zero(), seen);
        vf_store(scores + i, e);
        total = vf_add(total, e);
    }
    *max = m;
    *sum = vf_sum(total);
}

static void blend(float *acc, float a, const float *o, float b, size_t n) {
    vf left = vf_set1(a), right = vf_set1(b);
    size_t i = 0;
    for (; i + VW <= n; i += VW) vf_store(acc + i, vf_fma(vf_load(acc + i), left, vf_mul(vf_load(o + i), right)));
    for (; i < n; i++) acc[i] = acc[i] * a + o[i] * b;
}

static void fill_attention(kernel_table *t) {
    t->load_keys[KERNELS_F32] = f32_keys;
    t->load_keys[KERNELS_F16] = f16_keys;
    t->load_keys[KERNELS_BF16] = bf16_keys;
    t->load_values[KERNELS_F32] = f32_values;
    t->load_values[KERNELS_F16] = f16_values;
    t->load_values[KERNELS_BF16] = bf16_values;
    t->block_softmax = block_softmax;
    t->blend = blend;
}
