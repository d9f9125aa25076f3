// Quantized products in portable C: the reference of every other level. One row at a time, columns ascending.
#include <math.h>
#include <string.h>

#include "blocks.h"
#include "half.h"
#include "table.h"

/// Byte of column k of output j in a step of four columns.
static uint8_t byte_at(const char *steps, size_t k, size_t j) {
    return ((const uint8_t *)steps)[(k / 4 * BLOCK + j) * 4 + k % 4];
}

/// Code of column k of output j in a step of eight columns.
static uint8_t nibble_at(const char *steps, size_t k, size_t j) {
    uint8_t pair = ((const uint8_t *)steps)[(k / 8 * BLOCK + j) * 4 + k % 4];
    return k % 8 < 4 ? pair & 15 : pair >> 4;
}

static void int8_tile(const code_tile *t) {
    for (size_t i = 0; i < t->blocks; i++)
        for (size_t j = 0; j < BLOCK; j++) {
            int32_t *c = (int32_t *)t->c + i * BLOCK + j, sum = t->load ? *c : t->starts[0];
            for (size_t k = 0; k < t->columns; k++)
                sum += t->a[k] * ((int32_t)byte_at(t->b + i * t->b_stride, k, j) - CODE_OFFSET);
            *c = sum;
        }
}

/// Adds a finished group to one sum; each step is rounded once, as the fused multiply-adds of the vector levels are.
static void add_group(const code_tile *t, size_t k, size_t j, int32_t sum, float scale, float minimum) {
    float *c = (float *)t->c + j, row_scale = t->group_scales[k / t->group], row_sum = t->group_sums[k / t->group];
    *c = fmaf(row_sum, minimum, fmaf((float)sum, scale * row_scale, t->load || k > 0 ? *c : 0));
}

static void int4_tile(const code_tile *t) {
    for (size_t i = 0; i < t->blocks; i++)
        for (size_t k = 0; k < t->columns; k += t->group) {
            const char *scales = t->b + i * t->b_stride + k / t->group * int4_bytes(t->group, t->group);
            size_t columns = min_size(t->group, t->columns - k);
            for (size_t j = 0; j < BLOCK; j++) {
                int32_t sum = 0;
                for (size_t n = 0; n < columns; n++) sum += t->a[k + n] * nibble_at(scales + SCALE_BYTES, n, j);
                const uint16_t *halves = (const uint16_t *)scales;
                add_group(t, k, i * BLOCK + j, sum, f16_to_float(halves[j]), f16_to_float(halves[BLOCK + j]));
            }
        }
}

static void spread_tile(const code_tile *t) {
    for (size_t k = 0; k < t->columns; k += t->group) {
        const char *scales = t->b + k / t->group * spread_bytes(t->group, t->group);
        size_t columns = min_size(t->group, t->columns - k);
        for (size_t j = 0; j < BLOCK; j++) {
            int32_t sum = 0;
            for (size_t n = 0; n < columns; n++) sum += t->a[k + n] * byte_at(scales + SPREAD_SCALE_BYTES, n, j);
            const float *floats = (const float *)scales;
            add_group(t, k, j, sum, floats[j], floats[BLOCK + j]);
        }
    }
}

static void spread(const char *groups, size_t columns, size_t group, char *out) {
    for (size_t k = 0; k < columns; k += group) {
        for (size_t j = 0; j < 2 * BLOCK; j++) ((float *)out)[j] = f16_to_float(((const uint16_t *)groups)[j]);
        groups += SCALE_BYTES;
        out += SPREAD_SCALE_BYTES;
        size_t count = min_size(group, columns - k);
        for (size_t n = 0; n < count; n++)
            for (size_t j = 0; j < BLOCK; j++) out[(n / 4 * BLOCK + j) * 4 + n % 4] = (char)nibble_at(groups, n, j);
        groups += count * 16;
        out += count * 32;
    }
}

static void spread_bytes_tile(const code_tile *t) {
    for (size_t k = 0; k < t->columns; k += t->group) {
        const char *scales = t->b + k / t->group * spread_bytes(t->group, t->group);
        for (size_t j = 0; j < BLOCK; j++) {
            int32_t sum = 0;
            for (size_t n = 0; n < t->group; n++)
                sum += t->a[k + n] * ((int32_t)byte_at(scales + SPREAD_SCALE_BYTES, n, j) - CODE_OFFSET);
            float *c = (float *)t->c + j, scale = ((const float *)scales)[j] * t->group_scales[k / t->group];
            *c = fmaf((float)sum, scale, t->load || k > 0 ? *c : 0);
        }
    }
}

static void spread_blocks(kernels_blocks kind, const char *blocks, size_t columns, char *out) {
    const block_shape shape = shape_of(kind);
    for (size_t k = 0; k < columns; k += shape.group) {
        const char *super = blocks + k / shape.columns * super_bytes(shape);
        size_t group = k % shape.columns / shape.group;
        for (size_t j = 0; j < BLOCK; j++) {
            block_group(&shape, super, group, j, (float *)out + j, (float *)out + BLOCK + j);
            for (size_t n = 0; n < shape.group; n++)
                out[SPREAD_SCALE_BYTES + (n / 4 * BLOCK + j) * 4 + n % 4] =
                    (char)block_code(&shape, super, group * shape.group + n, j);
        }
        out += spread_bytes(shape.group, shape.group);
    }
}

static void blocks_tile(kernels_blocks kind, const code_tile *t) {
    const block_shape shape = shape_of(kind);
    char spread[SPREAD_SCALE_BYTES + 256 / 16 * SPREAD_SCALE_BYTES + 256 * BLOCK];
    code_tile part = *t;
    part.b = spread;
    part.columns = shape.columns;
    for (size_t k = 0; k < t->columns; k += shape.columns) {
        spread_blocks(kind, t->b + k / shape.columns * super_bytes(shape), shape.columns, spread);
        part.a = t->a + k;
        part.group_scales = t->group_scales + k / shape.group;
        part.group_sums = t->group_sums + k / shape.group;
        part.load = t->load || k > 0;
        (shape.bytes ? spread_bytes_tile : spread_tile)(&part);
    }
}

float quantize_scale(const float *x, size_t n, float *factor) {
    uint32_t magnitude = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t u = float_bits(x[i]) & 0x7fffffff;
        magnitude = u > magnitude ? u : magnitude;
    }
    return row_scale(magnitude, factor);
}

void quantize_codes(const float *x, size_t n, float factor, int8_t *codes) {
    // With a factor of zero the row may hold numbers that have no product.
    if (factor == 0) memset(codes, 0, n);
    // Adding and subtracting 1.5 * 2^23 rounds to nearest even without a call.
    for (size_t i = 0; factor != 0 && i < n; i++) codes[i] = (int8_t)((x[i] * factor + 0x1.8p23f) - 0x1.8p23f);
}

static float quantize(const float *x, size_t n, int8_t *codes) {
    float factor, scale = quantize_scale(x, n, &factor);
    quantize_codes(x, n, factor, codes);
    return scale;
}

static int32_t sum_codes(const int8_t *codes, size_t n) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += codes[i];
    return sum;
}

static void quantize_groups(
    const float *x, size_t groups, size_t group, int8_t *codes, float *scales, int32_t *sums) {
    for (size_t g = 0; g < groups; g++, x += group, codes += group) {
        scales[g] = quantize(x, group, codes);
        sums[g] = sum_codes(codes, group);
    }
}

static void interleave(const int8_t *codes, size_t rows, size_t n, int8_t *panel) {
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k += 4) memcpy(panel + (k / 4 * rows + r) * 4, codes + r * n + k, 4);
}

/// Stores one finished output.
static void settle(const code_sums *s, size_t r, size_t j, float value) {
    float *out = s->out + r * s->ldout + j;
    if (s->bias) value += s->bias[j];
    *out = s->accumulate ? *out + value : value;
}

static void settle_int8(const code_sums *s) {
    for (size_t r = 0; r < s->rows; r++)
        for (size_t j = 0; j < s->columns; j++) {
            float sum = (float)((const int32_t *)s->c)[r * s->ldc + j];
            settle(s, r, j, sum * s->scales[j] * s->row_scales[r]);
        }
}

static void settle_floats(const code_sums *s) {
    for (size_t r = 0; r < s->rows; r++)
        for (size_t j = 0; j < s->columns; j++) settle(s, r, j, ((const float *)s->c)[r * s->ldc + j]);
}

static double byte_dot_peak(size_t iterations) {
    int32_t sum[32];
    int8_t a[32], b[32];
    for (size_t j = 0; j < 32; j++) sum[j] = a[j] = b[j] = (int8_t)j;
    for (size_t i = 0; i < iterations; i++) {
        __asm__ volatile("" : : "r"(a), "r"(b) : "memory");
        for (size_t j = 0; j < 32; j++) sum[j] += a[j] * b[j];
    }
    for (size_t j = 0; j < 32; j++) __asm__ volatile("" : : "r"(sum[j]));
    return (double)iterations * 64;
}

#define TILE_ROWS 1
#define GROUP_ROWS 1
#define FEW_ROWS 1
#define DIRECT_ROWS 1
#define WIDE_ROWS 1
#define START_FACTOR 0
#include "codes_fill.h"

void fill_codes_scalar(code_kernels *t) { fill_codes(t); }
