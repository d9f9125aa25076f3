// The packed forms of quantized weights: choosing scales, writing codes and reading rows back.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "half.h"
#include "table.h"

static size_t group_count(const kernels_matrix *w) {
    return w->format == KERNELS_INT4 ? (w->inputs + w->group - 1) / w->group : 1;
}

/// Where the groups of a lane begin, and where the scales of an int8 block are.
static char *group_at(const kernels_matrix *w, char *block, size_t group) {
    return block + int4_bytes(group * w->group, w->group);
}

/// Writes one lane of an int8 block; null codes are a row of zeros.
static void write_int8_lane(const kernels_matrix *w, char *block, size_t lane, const uint8_t *codes, float scale) {
    size_t columns = padded_codes(w->inputs);
    for (size_t k = 0; k < columns; k++) {
        uint8_t code = codes && k < w->inputs ? codes[k] : 0;
        ((uint8_t *)block)[(k / 4 * BLOCK + lane) * 4 + k % 4] = (uint8_t)(code + CODE_OFFSET);
    }
    ((float *)(block + columns * BLOCK))[lane] = scale;
}

/// Writes one lane of an int4 block; null codes are a row of zeros.
static void write_int4_lane(const kernels_matrix *w, char *block, size_t lane, const uint8_t *codes,
    const float *scales, const float *minimums) {
    for (size_t g = 0; g < group_count(w); g++) {
        char *group = group_at(w, block, g);
        ((uint16_t *)group)[lane] = codes ? f16_from_float(scales[g]) : 0;
        ((uint16_t *)group)[BLOCK + lane] = codes ? f16_from_float(minimums[g]) : 0;
        uint8_t *steps = (uint8_t *)group + SCALE_BYTES;
        size_t first = g * w->group, end = min_size(first + w->group, padded_codes(w->inputs));
        for (size_t k = first; k < end; k += 8)
            for (size_t i = 0; i < 4; i++) {
                uint8_t low = codes && k + i < w->inputs ? codes[k + i] : 0;
                uint8_t high = codes && k + i + 4 < w->inputs ? codes[k + i + 4] : 0;
                steps[((k - first) / 8 * BLOCK + lane) * 4 + i] = (uint8_t)(low | high << 4);
            }
    }
}

/// Writes one row's codes where the row lives; null codes zero the lane.
static void write_row(const kernels_matrix *w, row_place place, const kernels_codes *rows, size_t index, char *packed) {
    char *block = packed + place.block * block_bytes(w);
    size_t groups = group_count(w);
    const uint8_t *codes = rows ? rows->codes + index * w->inputs : NULL;
    if (w->format == KERNELS_INT8)
        write_int8_lane(w, block, place.lane, codes, rows ? rows->scales[index] : 0);
    else
        write_int4_lane(w, block, place.lane, codes, rows ? rows->scales + index * groups : NULL,
            rows ? rows->minimums + index * groups : NULL);
}

void kernels_pack_codes(const kernels_matrix *w, const kernels_codes *rows, size_t first, size_t count, void *packed) {
    if (count == 0) return;
    for (size_t i = 0; i < count; i++) write_row(w, place_of(w, first + i), rows, i, packed);
    if (first + count < w->outputs) return;
    size_t last = block_count(w) - 1;
    if (w->packing == KERNELS_PLAIN) {
        for (size_t lane = (w->outputs - 1) % BLOCK + 1; lane < BLOCK; lane++)
            write_row(w, (row_place){last, lane}, NULL, 0, packed);
        return;
    }
    for (size_t lane = (w->outputs / 2 - 1) % 16 + 1; lane < 16; lane++) {
        write_row(w, (row_place){last, lane}, NULL, 0, packed);
        write_row(w, (row_place){last, 16 + lane}, NULL, 0, packed);
    }
}

/// Rounds one group to codes 0 ... 15 between its smallest and its largest number, with scale and minimum as f16 has
/// them.
static void quantize_group(const float *x, size_t n, uint8_t *codes, float *scale, float *minimum) {
    float low = x[0], high = x[0];
    for (size_t i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    float m = f16_to_float(f16_from_float(low)), s = f16_to_float(f16_from_float((high - m) / 15));
    float factor = s > 0 ? 1 / s : 0;
    for (size_t i = 0; i < n; i++) {
        float code = (x[i] - m) * factor + 0.5f;
        codes[i] = code >= 15 ? 15 : code > 0 ? (uint8_t)code : 0;
    }
    *scale = s;
    *minimum = m;
}

void pack_quantized(const kernels_matrix *w, const float *rows, size_t first, size_t count, void *packed) {
    size_t groups = group_count(w);
    uint8_t *codes = malloc(count * w->inputs + 2 * count * groups * sizeof(float) + 64);
    if (!codes) abort();
    float *scales = (float *)(codes + round_up(count * w->inputs, 16)), *minimums = scales + count * groups;
    for (size_t r = 0; r < count; r++) {
        const float *x = rows + r * w->inputs;
        uint8_t *row = codes + r * w->inputs;
        if (w->format == KERNELS_INT8) {
            scales[r] = quantize_scalar(x, w->inputs, (int8_t *)row);
            continue;
        }
        for (size_t g = 0; g < groups; g++) {
            size_t k = g * w->group;
            quantize_group(
                x + k, min_size(w->group, w->inputs - k), row + k, scales + r * groups + g, minimums + r * groups + g);
        }
    }
    kernels_pack_codes(
        w, &(kernels_codes){.codes = codes, .scales = scales, .minimums = minimums}, first, count, packed);
    free(codes);
}

void unpack_quantized_row(const kernels_matrix *w, size_t number, size_t lane, float *out) {
    const char *block = (const char *)w->data + number * block_bytes(w);
    if (w->format == KERNELS_INT8) {
        float scale = ((const float *)(block + padded_codes(w->inputs) * BLOCK))[lane];
        for (size_t k = 0; k < w->inputs; k++)
            out[k] = scale * (float)(((const uint8_t *)block)[(k / 4 * BLOCK + lane) * 4 + k % 4] - CODE_OFFSET);
        return;
    }
    for (size_t k = 0; k < w->inputs; k++) {
        const char *group = block + int4_bytes(k / w->group * w->group, w->group);
        size_t n = k % w->group;
        uint8_t pair = ((const uint8_t *)group)[SCALE_BYTES + (n / 8 * BLOCK + lane) * 4 + n % 4];
        float code = n % 8 < 4 ? pair & 15 : pair >> 4;
        out[k] = f16_to_float(((const uint16_t *)group)[lane]) * code +
                 f16_to_float(((const uint16_t *)group)[BLOCK + lane]);
    }
}
