// The packed forms of quantized weights: choosing scales, writing codes and reading rows back.
#include <string.h>

#include "blocks.h"
#include "float8.h"
#include "half.h"
#include "table.h"

/// Columns that are quantized and written at a time: the largest group, and as many of an int8 row.
#define PIECE 128

static size_t group_count(const kernels_matrix *w) {
    return w->group ? (w->inputs + w->group - 1) / w->group : 1;
}

static size_t piece_columns(const kernels_matrix *w) { return w->format == KERNELS_INT4 ? w->group : PIECE; }

/// Writes one lane's codes of the columns from `first` on: a group, or PIECE columns of int8; zeros follow the last
/// code.
static void write_piece(
    const kernels_matrix *w, char *block, size_t lane, size_t first, size_t count, const uint8_t *codes) {
    uint8_t piece[PIECE] = {0};
    if (codes) memcpy(piece, codes, count);
    size_t columns = padded_codes(count);
    if (w->format == KERNELS_FLOAT8) {
        uint8_t *places = (uint8_t *)block + group_count(w) * SCALE_BYTES;
        for (size_t i = 0; i < round_up(count, 2); i++) places[float8_place(w, first + i, lane)] = piece[i];
        return;
    }
    if (w->format == KERNELS_INT8) {
        for (size_t i = 0; i < columns; i++) {
            size_t k = first + i;
            ((uint8_t *)block)[(k / 4 * BLOCK + lane) * 4 + k % 4] = (uint8_t)(piece[i] + CODE_OFFSET);
        }
        return;
    }
    uint8_t *steps = (uint8_t *)block + int4_bytes(first, w->group) + SCALE_BYTES;
    for (size_t i = 0; i < columns; i += 8)
        for (size_t n = 0; n < 4; n++)
            steps[(i / 8 * BLOCK + lane) * 4 + n] = (uint8_t)(piece[i + n] | piece[i + n + 4] << 4);
}

/// Writes the scale of one lane of an int8 block, or scale and minimum of an int4 group.
static void write_scale(const kernels_matrix *w, char *block, size_t lane, size_t group, float scale, float minimum) {
    if (w->format == KERNELS_INT8) {
        ((float *)(block + padded_codes(w->inputs) * BLOCK))[lane] = scale;
        return;
    }
    if (w->format == KERNELS_FLOAT8) {
        ((float *)block)[group * BLOCK + lane] = scale;
        return;
    }
    uint16_t *halves = (uint16_t *)(block + int4_bytes(group * w->group, w->group));
    halves[lane] = f16_from_float(scale);
    halves[BLOCK + lane] = f16_from_float(minimum);
}

/// Writes row `index` of `rows` where it lives; null rows zero the lane.
static void write_row(const kernels_matrix *w, row_place place, const kernels_codes *rows, size_t index, char *packed) {
    char *block = packed + place.block * block_bytes(w);
    size_t groups = group_count(w), each = piece_columns(w);
    for (size_t k = 0; k < w->inputs; k += each)
        write_piece(
            w, block, place.lane, k, min_size(each, w->inputs - k), rows ? rows->codes + index * w->inputs + k : NULL);
    for (size_t g = 0; g < groups; g++) {
        float scale = rows ? rows->scales[index * groups + g] : 0;
        float minimum = rows && w->format == KERNELS_INT4 ? rows->minimums[index * groups + g] : 0;
        write_scale(w, block, place.lane, g, scale, minimum);
    }
}

/// Zeroes the lanes of the last block that have no row, once the last row is written.
static void finish_packing(const kernels_matrix *w, size_t written, char *packed) {
    if (written < w->outputs) return;
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

void kernels_pack_codes(const kernels_matrix *w, const kernels_codes *rows, size_t first, size_t count, void *packed) {
    if (count == 0) return;
    for (size_t i = 0; i < count; i++) write_row(w, place_of(w, first + i), rows, i, packed);
    finish_packing(w, first + count, packed);
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

/// Rounds one row of numbers and writes it.
static void pack_row(const kernels_matrix *w, row_place place, const float *x, char *packed) {
    char *block = packed + place.block * block_bytes(w);
    float factor = 0, minimum = 0, scale = w->format == KERNELS_INT8 ? quantize_scale(x, w->inputs, &factor) : 0;
    size_t each = piece_columns(w);
    for (size_t k = 0; k < w->inputs; k += each) {
        size_t count = min_size(each, w->inputs - k);
        uint8_t codes[PIECE];
        if (w->format == KERNELS_INT8) {
            quantize_codes(x + k, count, factor, (int8_t *)codes);
        } else {
            quantize_group(x + k, count, codes, &scale, &minimum);
            write_scale(w, block, place.lane, k / w->group, scale, minimum);
        }
        write_piece(w, block, place.lane, k, count, codes);
    }
    if (w->format == KERNELS_INT8) write_scale(w, block, place.lane, 0, scale, 0);
}

void pack_quantized(const kernels_matrix *w, const float *rows, size_t first, size_t count, void *packed) {
    for (size_t r = 0; r < count; r++) pack_row(w, place_of(w, first + r), rows + r * w->inputs, packed);
    finish_packing(w, first + count, packed);
}

size_t code_block_bytes(const kernels_matrix *w) {
    if (w->format == KERNELS_INT4) return int4_bytes(w->inputs, w->group);
    if (w->format == KERNELS_INT8) return padded_codes(w->inputs) * 32 + SCALE_BYTES;
    if (w->format == KERNELS_FLOAT8) return float8_groups(w) * SCALE_BYTES + padded_inputs(w->inputs) * BLOCK;
    const block_shape shape = shape_of(w->blocks);
    return w->inputs / shape.columns * super_bytes(shape);
}

void unpack_quantized_row(const kernels_matrix *w, size_t number, size_t lane, float *out) {
    if (w->format == KERNELS_BLOCKS) return unpack_blocks_row(w, number, lane, out);
    const char *block = (const char *)w->data + number * block_bytes(w);
    if (w->format == KERNELS_FLOAT8) {
        const float *scales = (const float *)block + lane;
        const uint8_t *codes = (const uint8_t *)block + group_count(w) * SCALE_BYTES;
        for (size_t k = 0; k < w->inputs; k++)
            out[k] = float8_value(codes[float8_place(w, k, lane)]) * scales[w->group ? k / w->group * BLOCK : 0];
        return;
    }
    if (w->format == KERNELS_INT8) {
        float scale = ((const float *)(block + padded_codes(w->inputs) * BLOCK))[lane];
        for (size_t k = 0; k < w->inputs; k++)
            out[k] = scale * (float)(((const uint8_t *)block)[(k / 4 * BLOCK + lane) * 4 + k % 4] - CODE_OFFSET);
        return;
    }
    for (size_t k = 0; k < w->inputs; k++) {
        const char *group = block + int4_bytes(k / w->group * w->group, w->group);
        const uint16_t *halves = (const uint16_t *)group;
        size_t n = k % w->group;
        uint8_t pair = ((const uint8_t *)group)[SCALE_BYTES + (n / 8 * BLOCK + lane) * 4 + n % 4];
        float code = n % 8 < 4 ? pair & 15 : pair >> 4;
        out[k] = f16_to_float(halves[lane]) * code + f16_to_float(halves[BLOCK + lane]);
    }
}
