// The job of a product with quantized weights, and what rows of activations become for it: part of codes.c.
#ifndef SRT_CODES_ROWS_H
#define SRT_CODES_ROWS_H

#include "blocks.h"
#include "products.h"
#include "table.h"

typedef struct {
    kernels_compute *c;
    const code_kernels *g;
    const kernels_matrix *w;
    kernels_matrix matrix;  // what w points to, unless it outlives the job
    const char *x;
    size_t rows;   // of this pass
    size_t tiles;  // row tiles of this pass
    size_t columns;
    size_t stride;  // bytes from one block of weights to the next
    size_t group;   // columns that share a scale; 0 for int8
    size_t groups;
    size_t cut;  // K is cut at multiples of this
    bool bytes;  // codes of blocks are spread plus CODE_OFFSET
    product_end end;
    chosen_rows chosen;
    // What rows become, in shared memory.
    int8_t *panels;
    float *scales;                     // int8
    int32_t *starts;                   // what int8 sums begin with
    float *group_scales, *group_sums;  // of groups: of each tile `[groups][rows]`
} code_job;

/// First row of a tile; rows are dealt out evenly.
static size_t tile_start(const code_job *j, size_t tile) {
    size_t each = j->rows / j->tiles, more = j->rows % j->tiles;
    return tile * each + min_size(tile, more);
}

/// Rounds one row to int8 with one scale.
static void quantize_whole(const code_job *j, const float *x, size_t row, int8_t *codes) {
    j->scales[row] = j->g->quantize(x, j->w->inputs, codes);
    j->starts[row] = -j->g->start_factor * j->g->sum(codes, j->w->inputs);
}

/// Groups that are rounded at a time.
enum { GROUPS_AT_A_TIME = 64 };

/// Rounds one row to int8 with a scale for each group; `at` is the row's place in the tile's `[groups][rows]`.
static void quantize_row(const code_job *j, const float *x, size_t at, size_t rows, int8_t *codes) {
    float scales[GROUPS_AT_A_TIME];
    int32_t sums[GROUPS_AT_A_TIME];
    size_t inputs = j->w->inputs, each = GROUPS_AT_A_TIME * j->group;
    for (size_t k = 0; k < inputs; k += each) {
        size_t whole = min_size(each, inputs - k) / j->group, rest = min_size(each, inputs - k) % j->group;
        j->g->quantize_groups(x + k, whole, j->group, codes + k, scales, sums);
        if (rest > 0) {
            // The last group of int4 may be shorter.
            size_t first = k + whole * j->group;
            scales[whole] = j->g->quantize(x + first, rest, codes + first);
            sums[whole] = j->g->sum(codes + first, rest);
        }
        for (size_t g = 0; g < whole + (rest > 0); g++, at += rows) {
            j->group_scales[at] = scales[g];
            if (j->bytes)
                ((int32_t *)j->group_sums)[at] = -j->g->start_factor * sums[g];
            else
                j->group_sums[at] = (float)sums[g] * scales[g];
        }
    }
}

/// Rounds the rows of a tile to int8 and interleaves them into its panel.
static void quantize_tile(const code_job *j, size_t tile, char *scratch) {
    size_t inputs = j->w->inputs, first = tile_start(j, tile), rows = tile_start(j, tile + 1) - first;
    kernels_dtype dtype = j->w->dtype;
    const int32_t *order = input_order(j->w);
    float *numbers = (float *)scratch, *sorted = (float *)(scratch + round_up(inputs * 4, 64));
    int8_t *codes = (int8_t *)sorted + (order ? round_up(inputs * 4, 64) : 0);
    for (size_t r = 0; r < rows; r++) {
        const char *row = j->x + source_row(&j->chosen, first + r) * inputs * dtype_size(dtype);
        const float *x = dtype == KERNELS_F32 ? (const float *)row : numbers;
        int8_t *out = codes + r * j->columns;
        if (dtype != KERNELS_F32) j->c->table.to_float[dtype](row, inputs, numbers);
        if (order) {
            for (size_t k = 0; k < inputs; k++) sorted[k] = x[order[k]];
            x = sorted;
        }
        if (j->group)
            quantize_row(j, x, first * j->groups + r, rows, out);
        else
            quantize_whole(j, x, first + r, out);
        for (size_t k = inputs; k < j->columns; k++) out[k] = 0;
    }
    j->g->interleave(codes, rows, j->columns, j->panels + first * j->columns);
}

static void quantize_tiles(void *context, size_t thread, size_t begin, size_t end) {
    const code_job *j = context;
    for (size_t tile = begin; tile < end; tile++) quantize_tile(j, tile, thread_scratch(j->c, thread));
}

#endif
