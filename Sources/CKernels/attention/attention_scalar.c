#include <math.h>

#include "half.h"
#include "table.h"

/// Element i of a row as a float; the type is always a constant.
static inline __attribute__((always_inline)) float element_at(const kernels_cache_dtype type, const void *p, size_t i) {
    switch (type) {
    case KERNELS_CACHE_F16:
        return f16_to_float(((const uint16_t *)p)[i]);
    case KERNELS_CACHE_BF16:
        return bf16_to_float(((const uint16_t *)p)[i]);
    case KERNELS_CACHE_I8:
        return ((const int8_t *)p)[i];
    default:
        return ((const float *)p)[i];
    }
}

static inline __attribute__((always_inline)) void load_keys(const void *keys, const int32_t *slots, size_t count,
    size_t ahead, size_t dim, float *panel, const kernels_cache_dtype type) {
    for (size_t i = 0; i < round_up(count, BLOCK); i++) {
        float *column = panel + i / BLOCK * dim * BLOCK + i % BLOCK;
        for (size_t d = 0; d < dim; d++)
            column[d * BLOCK] = i < count ? element_at(type, keys, (size_t)slots[i] * dim + d) : 0;
    }
}

static inline __attribute__((always_inline)) void load_values(const void *values, const int32_t *slots, size_t count,
    size_t ahead, size_t dim, float *panel, const kernels_cache_dtype type) {
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < round_up(dim, BLOCK); d++)
            panel[(d / BLOCK * count + i) * BLOCK + d % BLOCK] =
                d < dim ? element_at(type, values, (size_t)slots[i] * dim + d) : 0;
}

static void block_softmax(
    float *scores, const score_scales *scales, size_t valid, size_t padded, float *max, float *sum) {
    float m = -INFINITY, s = 0;
    for (size_t i = 0; i < valid; i++) {
        if (scales->keys) scores[i] *= scales->keys[i];
        m = scores[i] > m || isnan(scores[i]) ? scores[i] : m;
    }
    for (size_t i = 0; i < valid; i++) {
        scores[i] = exp2f(scores[i] - m);
        s += scores[i];
        if (scales->values) scores[i] *= scales->values[i];
    }
    for (size_t i = valid; i < padded; i++) scores[i] = 0;
    *max = m;
    *sum = s;
}

static float quantize(const float *x, size_t n, int8_t *codes) {
    float largest = 0;
    for (size_t i = 0; i < n; i++) largest = fabsf(x[i]) > largest || isnan(x[i]) ? fabsf(x[i]) : largest;
    float factor = quantization_factor(largest);
    for (size_t i = 0; i < n; i++) codes[i] = (int8_t)(factor == 0 ? 0 : rintf(x[i] * factor));
    return factor == 0 ? largest * 0 : largest / 127;
}

static void blend(float *acc, float a, const float *o, float b, size_t n) {
    for (size_t i = 0; i < n; i++) acc[i] = acc[i] * a + o[i] * b;
}

#include "attention_fill.h"

void fill_attention_scalar(kernel_table *t) { fill_attention(t); }
