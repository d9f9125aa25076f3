// The packed form of weights: writing it from rows and reading rows back.
#include <string.h>

#include "half.h"
#include "table.h"

size_t kernels_packed_bytes(const kernels_matrix *w) {
    return packed_bytes(w) + (w->ordered ? round_up(w->inputs * sizeof(int32_t), 64) : 0);
}

/// Writes `lanes` neighbouring lanes of one block; with a null source zeros.
static void write_lanes(const kernels_matrix *w, char *block, size_t lane, size_t lanes, const float *rows) {
    size_t inputs = w->inputs, padded = padded_inputs(inputs);
    for (size_t k = 0; k < padded; k++) {
        bool real = rows && k < inputs;
        size_t at = w->dtype == KERNELS_BF16 ? (k / 2 * BLOCK + lane) * 2 + k % 2 : k * BLOCK + lane;
        for (size_t j = 0; j < lanes; j++) {
            float x = real ? rows[j * inputs + k] : 0;
            switch (w->dtype) {
            case KERNELS_F32:
                ((float *)block)[at + j] = x;
                break;
            case KERNELS_F16:
                ((uint16_t *)block)[at + j] = f16_from_float(x);
                break;
            default:
                ((uint16_t *)block)[at + 2 * j] = bf16_from_float(x);
                break;
            }
        }
    }
}

/// Zeroes the lanes of the last block that have no row.
static void zero_padding_rows(const kernels_matrix *w, char *packed) {
    char *last = packed + (block_count(w) - 1) * block_bytes(w);
    if (w->packing == KERNELS_PLAIN) {
        size_t used = w->outputs % BLOCK;
        if (used) write_lanes(w, last, used, BLOCK - used, NULL);
        return;
    }
    size_t used = w->outputs / 2 % 16;
    if (!used) return;
    write_lanes(w, last, used, 16 - used, NULL);
    write_lanes(w, last, 16 + used, 16 - used, NULL);
}

void kernels_pack(const kernels_matrix *w, const float *rows, size_t first, size_t count, void *packed) {
    if (count == 0) return;
    if (w->format != KERNELS_PLAIN_NUMBERS) return pack_quantized(w, rows, first, count, packed);
    size_t run = w->packing == KERNELS_PLAIN ? BLOCK : 16;
    for (size_t row = first; row < first + count;) {
        row_place place = place_of(w, row);
        size_t lanes = min_size(run - place.lane % run, first + count - row);
        // A run never crosses from the gate rows to the up rows.
        if (w->packing == KERNELS_GATE_UP && row < w->outputs / 2) lanes = min_size(lanes, w->outputs / 2 - row);
        char *block = (char *)packed + place.block * block_bytes(w);
        write_lanes(w, block, place.lane, lanes, rows + (row - first) * w->inputs);
        row += lanes;
    }
    if (first + count == w->outputs) zero_padding_rows(w, packed);
}

void kernels_unpack_row(const kernels_matrix *w, size_t row, float *out) {
    row_place place = place_of(w, row);
    if (w->format != KERNELS_PLAIN_NUMBERS) return unpack_quantized_row(w, place.block, place.lane, out);
    const char *block = (const char *)w->data + place.block * block_bytes(w);
    if (w->dtype == KERNELS_F32) {
        const float *column = (const float *)block + place.lane;
        for (size_t k = 0; k < w->inputs; k++) out[k] = column[k * BLOCK];
    } else if (w->dtype == KERNELS_F16) {
        const uint16_t *column = (const uint16_t *)block + place.lane;
        for (size_t k = 0; k < w->inputs; k++) out[k] = f16_to_float(column[k * BLOCK]);
    } else {
        const uint16_t *pairs = (const uint16_t *)block + 2 * place.lane;
        size_t k = 0;
        for (; k + 2 <= w->inputs; k += 2, pairs += 2 * BLOCK) {
            out[k] = bf16_to_float(pairs[0]);
            out[k + 1] = bf16_to_float(pairs[1]);
        }
        if (k < w->inputs) out[k] = bf16_to_float(pairs[0]);
    }
}
