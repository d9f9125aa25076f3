#include <math.h>

#include "half.h"
#include "table.h"

typedef float (*load_element)(const void *p, size_t i);

static float f32_at(const void *p, size_t i) { return ((const float *)p)[i]; }
static float f16_at(const void *p, size_t i) { return f16_to_float(((const uint16_t *)p)[i]); }
static float bf16_at(const void *p, size_t i) { return bf16_to_float(((const uint16_t *)p)[i]); }
static float i8_at(const void *p, size_t i) { return ((const int8_t *)p)[i]; }

static inline __attribute__((always_inline)) void keys_body(
    const void *keys, const int32_t *slots, size_t count, size_t dim, float *panel, load_element at) {
    for (size_t i = 0; i < round_up(count, BLOCK); i++) {
        float *column = panel + i / BLOCK * dim * BLOCK + i % BLOCK;
        for (size_t d = 0; d < dim; d++) column[d * BLOCK] = i < count ? at(keys, (size_t)slots[i] * dim + d) : 0;
    }
}

static inline __attribute__((always_inline)) void values_body(
    const void *values, const int32_t *slots, size_t count, size_t dim, float *panel, load_element at) {
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < round_up(dim, BLOCK); d++)
            panel[(d / BLOCK * count + i) * BLOCK + d % BLOCK] = d < dim ? at(values, (size_t)slots[i] * dim + d) : 0;
}

#define LOADERS(type)                                                                                                  \
    static void type##_keys(                                                                                           \
        const void *p, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {                   \
        keys_body(p, slots, count, dim, panel, type##_at);                                                             \
    }                                                                                                                  \
    static void type##_values(                                                                                         \
        const void *p, const int32_t *slots, size_t count, size_t ahead, size_t dim, float *panel) {                   \
        values_body(p, slots, count, dim, panel, type##_at);                                                           \
    }
LOADERS(f32)
LOADERS(f16)
LOADERS(bf16)
LOADERS(i8)

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
