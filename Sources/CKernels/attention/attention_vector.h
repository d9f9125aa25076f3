// Loading of keys and values, the softmax of a block and the quantization of cache rows, for any vector level; include
// after a vector_*.h and after defining <type>_part(words, s): element s of each 32-bit word, as a float, load_i8 and
// load_i8_n, store_codes, vf_andnot, and vf_power2(x): 2^n of the n in the last bits of x.
#include <math.h>

/// Rows of the cache fetched ahead: slots follow no order that the processor could guess.
#define ROWS_AHEAD 16

/// The slots to fetch while those from `i` on are used; at the end these themselves, whose rows are near anyway.
static inline const int32_t *slots_ahead(const int32_t *slots, size_t i, size_t count, size_t ahead) {
    return i + ROWS_AHEAD + count <= ahead ? slots + i + ROWS_AHEAD : slots + i;
}

// How elements of a cache type become floats. The type is always a constant, so loaders are compiled for each.

/// Element s of each 32-bit word.
static inline __attribute__((always_inline)) vf vf_part(const kernels_cache_dtype type, vf words, unsigned s) {
    switch (type) {
    case KERNELS_CACHE_F16:
        return f16_part(words, s);
    case KERNELS_CACHE_BF16:
        return bf16_part(words, s);
    case KERNELS_CACHE_I8:
        return i8_part(words, s);
    default:
        return words;
    }
}

/// VW elements.
static inline __attribute__((always_inline)) vf vf_load_elements(const kernels_cache_dtype type, const void *p) {
    switch (type) {
    case KERNELS_CACHE_F16:
        return load_f16(p);
    case KERNELS_CACHE_BF16:
        return load_bf16(p);
    case KERNELS_CACHE_I8:
        return load_i8(p);
    default:
        return load_f32(p);
    }
}

/// The first n of VW elements, the others zero.
static inline __attribute__((always_inline)) vf vf_load_elements_n(
    const kernels_cache_dtype type, const void *p, size_t n) {
    switch (type) {
    case KERNELS_CACHE_F16:
        return load_f16_n(p, n);
    case KERNELS_CACHE_BF16:
        return load_bf16_n(p, n);
    case KERNELS_CACHE_I8:
        return load_i8_n(p, n);
    default:
        return load_f32_n(p, n);
    }
}

/// Transposes `words` words of `count` keys, VW of each at most, and unpacks them into columns of the panel.
static inline __attribute__((always_inline)) void load_key_square(const float *keys, size_t stride,
    const int32_t *slots, const int32_t *next, size_t count, size_t words, float *out, const kernels_cache_dtype type) {
    const size_t parts = sizeof(float) / cache_element_size(type);
    vf r[VW];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VW; i++) {
        r[i] = i < count ? vf_load_n(keys + (size_t)slots[i] * stride, words) : vf_zero();
        if (i < count) _mm_prefetch((const char *)(keys + (size_t)next[i] * stride), _MM_HINT_T0);
    }
    vf_transpose(r);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VW; i++)
#pragma clang loop unroll(full)
        for (size_t s = 0; s < parts; s++)
            if (i < words) vf_store(out + (i * parts + s) * BLOCK, vf_part(type, r[i], (unsigned)s));
}

/// Keys are transposed as 32-bit words of one, two or four elements, VW keys by VW words at a time, and unpacked after:
/// so a key of small elements takes fewer shuffles than one of floats.
static inline __attribute__((always_inline)) void load_keys(const void *keys, const int32_t *slots, size_t count,
    size_t ahead, size_t dim, float *panel, const kernels_cache_dtype type) {
    const size_t parts = sizeof(float) / cache_element_size(type);
    size_t words = dim / parts;
    for (size_t i = 0; i < round_up(count, BLOCK); i += VW) {
        float *columns = panel + i / BLOCK * dim * BLOCK + i % BLOCK;
        size_t here = count > i ? min_size(VW, count - i) : 0;
        const int32_t *next = slots_ahead(slots, i, here, ahead);
        for (size_t w = 0; w < words; w += VW) {
            const float *from = (const float *)keys + w;
            float *to = columns + w * parts * BLOCK;
            if (here == VW && words - w >= VW)
                load_key_square(from, words, slots + i, next, VW, VW, to, type);
            else
                load_key_square(from, words, slots + i, next, here, min_size(VW, words - w), to, type);
        }
    }
}

static inline __attribute__((always_inline)) void load_values(const void *values, const int32_t *slots, size_t count,
    size_t ahead, size_t dim, float *panel, const kernels_cache_dtype type) {
    const size_t size = cache_element_size(type);
    size_t whole = dim / BLOCK * BLOCK;
    for (size_t i = 0; i < count; i++) {
        const char *v = (const char *)values + (size_t)slots[i] * dim * size;
        const char *next = (const char *)values + (size_t)*slots_ahead(slots, i, 1, ahead) * dim * size;
        float *out = panel + i * BLOCK;
        for (size_t d = 0; d < whole; d += BLOCK, out += count * BLOCK) {
#pragma clang loop unroll(full)
            for (size_t b = 0; b < BLOCK * size; b += 64) _mm_prefetch(next + d * size + b, _MM_HINT_T0);
#pragma clang loop unroll(full)
            for (size_t j = 0; j < BLOCK; j += VW) vf_store(out + j, vf_load_elements(type, v + (d + j) * size));
        }
        if (whole == dim) continue;
        for (size_t d = whole; d < whole + BLOCK; d += VW, out += VW)
            vf_store(out, d < dim ? vf_load_elements_n(type, v + d * size, min_size(VW, dim - d)) : vf_zero());
    }
}

/// 2^x for x of at most 0, within about two units in the last place; below -126 it is 2^-126, and NaN stays NaN.
///
/// x = n + f with |f| <= 1/2, and the Taylor polynomial of degree 6, whose remainder there is below 2^-22 of 2^f.
static inline vf vf_exp2(vf x) {
    // Adding 1.5 * 2^23 leaves n in the last bits, rounded by the addition itself.
    vf limited = vf_max(vf_set1(-126.0f), x), shifted = vf_add(limited, vf_set1(0x1.8p23f));
    vf f = vf_sub(limited, vf_sub(shifted, vf_set1(0x1.8p23f)));
    vf p = vf_set1(0x1.430912p-13f);
    p = vf_fma(p, f, vf_set1(0x1.5d87fep-10f));
    p = vf_fma(p, f, vf_set1(0x1.3b2ab6p-7f));
    p = vf_fma(p, f, vf_set1(0x1.c6b08ep-5f));
    p = vf_fma(p, f, vf_set1(0x1.ebfbep-3f));
    p = vf_fma(p, f, vf_set1(0x1.62e43p-1f));
    p = vf_fma(p, f, vf_set1(1.0f));
    return vf_mul(p, vf_power2(shifted));
}

static void block_softmax(
    float *scores, const score_scales *scales, size_t valid, size_t padded, float *max, float *sum) {
    // The first lanes of a last vector that is not full count; what its other lanes hold is anything.
    size_t whole = valid / VW * VW, rest = valid - whole;
    if (scales->keys)
        for (size_t i = 0; i < valid; i += VW)
            vf_store(scores + i, vf_mul(vf_load(scores + i), vf_load(scales->keys + i)));
    vf top = vf_set1(-INFINITY);
    for (size_t i = 0; i < whole; i += VW) top = vf_max(top, vf_load(scores + i));
    if (rest > 0) top = vf_max(top, vf_select_n(vf_load(scores + whole), vf_set1(-INFINITY), rest));
    float m = vf_largest(top);
    vf highest = vf_set1(m), total = vf_zero();
    for (size_t i = 0; i < whole; i += VW) {
        vf e = vf_exp2(vf_sub(vf_load(scores + i), highest));
        total = vf_add(total, e);
        vf_store(scores + i, e);
    }
    if (rest > 0) {
        vf e = vf_select_n(vf_exp2(vf_sub(vf_load(scores + whole), highest)), vf_zero(), rest);
        total = vf_add(total, e);
        vf_store(scores + whole, e);
    }
    for (size_t i = round_up(valid, VW); i < padded; i += VW) vf_store(scores + i, vf_zero());
    if (scales->values)
        for (size_t i = 0; i < valid; i += VW)
            vf_store(scores + i, vf_mul(vf_load(scores + i), vf_load(scales->values + i)));
    *max = m;
    *sum = vf_sum(total);
}

static float quantize(const float *x, size_t n, int8_t *codes) {
    vf largest = vf_zero(), sign = vf_set1(-0.0f);
    unsigned nan = 0;
    for (size_t i = 0; i < n; i += VW) {
        vf v = vf_load_n(x + i, min_size(VW, n - i));
        nan |= vf_nan_mask(v);
        largest = vf_max(largest, vf_andnot(sign, v));
    }
    float top = nan ? NAN : vf_largest(largest), factor = quantization_factor(top);
    for (size_t i = 0; i < n; i += VW) {
        size_t here = min_size(VW, n - i);
        store_codes(codes + i, factor == 0 ? vf_zero() : vf_mul(vf_load_n(x + i, here), vf_set1(factor)), here);
    }
    return factor == 0 ? top * 0 : top / 127;
}

static void blend(float *acc, float a, const float *o, float b, size_t n) {
    vf left = vf_set1(a), right = vf_set1(b);
    size_t i = 0;
    for (; i + VW <= n; i += VW) vf_store(acc + i, vf_fma(vf_load(acc + i), left, vf_mul(vf_load(o + i), right)));
    for (; i < n; i++) acc[i] = acc[i] * a + o[i] * b;
}

#include "attention_fill.h"
