// Matrix products: how rows, outputs and K are cut for caches and threads. The sums themselves are the tiles' work.
//
// Whatever the cut, a tile adds to one f32 accumulator per output over ascending k (spilled to memory between K
// blocks), so every row gets the same bits in every shape of call.
#include "table.h"

/// Weight blocks whose sums a thread holds at a time.
#define CHUNK_BLOCKS 8
/// Steps of a tile in one K block: 12 kB of weights stay in the first-level cache while all rows pass, with room for
/// the activations that stream by. 48 to 192 differed by less than the noise of a busy Ice Lake machine.
#define STEP_BLOCK 96
/// Rows whose sums a thread holds at a time: with their activations of one K block they stay in the second-level cache.
#define PASS_ROWS 192

typedef struct {
    kernels_compute *c;
    const gemm_kernels *g;
    const kernels_matrix *w;
    const char *x;
    size_t rows;   // of this pass
    size_t tiles;  // row tiles of this pass
    size_t columns;
    const float *bias;
    bool accumulate;
    float *out;
    char *gate_up_out;
} gemm_job;

/// First row of a tile; rows are dealt out evenly.
static size_t tile_start(const gemm_job *j, size_t tile) {
    size_t each = j->rows / j->tiles, more = j->rows % j->tiles;
    return tile * each + min_size(tile, more);
}

static size_t panel_bytes(const gemm_kernels *g, size_t rows, size_t columns) {
    return rows * columns / g->panel_columns * g->panel_bytes;
}

static void finish_plain_row(const gemm_job *j, size_t row, size_t column, size_t count, const float *c) {
    float *out = j->out + row * j->w->outputs + column;
    const float *bias = j->bias ? j->bias + column : NULL;
    if (j->accumulate && bias)
        for (size_t i = 0; i < count; i++) out[i] += c[i] + bias[i];
    else if (j->accumulate)
        for (size_t i = 0; i < count; i++) out[i] += c[i];
    else if (bias)
        for (size_t i = 0; i < count; i++) out[i] = c[i] + bias[i];
    else
        for (size_t i = 0; i < count; i++) out[i] = c[i];
}

/// Takes finished sums of `blocks` blocks from `block` on, all rows of the pass.
static void finish(const gemm_job *j, size_t block, size_t blocks, const float *c, size_t ldc) {
    if (!j->gate_up_out) {
        size_t column = block * BLOCK, count = min_size(blocks * BLOCK, j->w->outputs - column);
        for (size_t r = 0; r < j->rows; r++) finish_plain_row(j, r, column, count, c + r * ldc);
        return;
    }
    size_t size = dtype_size(j->w->dtype), width = j->w->outputs / 2;
    size_t column = block * 16, count = min_size(blocks * 16, width - column);
    for (size_t r = 0; r < j->rows; r++) {
        float product[CHUNK_BLOCKS * 16];
        j->c->table.silu_mul(c + r * ldc, blocks, product);
        j->c->table.from_float[j->w->dtype](product, count, j->gate_up_out + (r * width + column) * size);
    }
}

/// The tile of the pass's row tile `tile`, over the columns from `k` on of the blocks from `block` on.
static gemm_tile make_tile(const gemm_job *j, size_t tile, size_t block, size_t blocks, size_t k, size_t columns) {
    size_t row = tile_start(j, tile), rows = tile_start(j, tile + 1) - row;
    size_t column_bytes = BLOCK * dtype_size(j->w->dtype), stride = block_bytes(j->w);
    return (gemm_tile){.rows = rows,
        .blocks = blocks,
        .steps = columns / j->g->tile_step,
        .a = j->c->shared + panel_bytes(j->g, row, j->columns) + panel_bytes(j->g, rows, k),
        .b = (const char *)j->w->data + block * stride + k * column_bytes,
        .b_stride = stride,
        .load = k > 0,
        .prefetch_step = column_bytes * j->g->tile_step};
}

/// How far ahead of their use weights are fetched when they come from memory: far enough for its latency, and across
/// the page boundaries where the processor's own prefetching stops. 2048 and 4096 did best of 512 to 8192.
#define BYTES_AHEAD 4096

/// Few rows: the weights pass by once at the speed of memory, WIDE blocks side by side.
static void few_rows(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *j = context;
    float *sums = (float *)thread_scratch(j->c, thread);
    size_t step_bytes = BLOCK * dtype_size(j->w->dtype) * j->g->tile_step, stride = block_bytes(j->w);
    // Several tiles share weights through the first-level cache; one alone keeps its sums in registers throughout.
    size_t k_block = j->tiles > 1 ? STEP_BLOCK / WIDE * j->g->tile_step : j->columns;
    for (size_t block = begin; block < end;) {
        size_t blocks = end - block >= WIDE ? WIDE : 1, ldc = blocks * BLOCK;
        for (size_t k = 0; k < j->columns; k += k_block) {
            size_t columns = min_size(k_block, j->columns - k), bytes = columns / j->g->tile_step * step_bytes;
            for (size_t tile = 0; tile < j->tiles; tile++) {
                gemm_tile t = make_tile(j, tile, block, blocks, k, columns);
                t.c = sums + tile_start(j, tile) * ldc;
                t.ldc = ldc;
                t.prefetch = (const char *)t.b + BYTES_AHEAD;
                if (j->tiles > 1) {
                    // Each tile fetches a part of what follows, so that memory never rests.
                    t.prefetch = (const char *)t.b + bytes + bytes / j->tiles * tile;
                    if (k + columns == j->columns) t.prefetch += (blocks - 1) * stride;
                    t.prefetch_step = step_bytes / j->tiles;
                }
                j->g->tile(&t);
            }
        }
        finish(j, block, blocks, sums, ldc);
        block += blocks;
    }
}

static void fetch(const char *p, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i, 0, 3);
}

/// Adds `columns` columns from `k` on of one block to the sums of all rows. `next` is where the weights continue after
/// these; each tile fetches a part of them, and the sums of the tile after it.
static void add_block(const gemm_job *j, size_t block, size_t k, size_t columns, const char *next, float *sums) {
    size_t part = columns * BLOCK * dtype_size(j->w->dtype) / j->tiles + 63;
    for (size_t tile = 0; tile < j->tiles; tile++) {
        gemm_tile t = make_tile(j, tile, block, 1, k, columns);
        t.c = sums + tile_start(j, tile) * BLOCK;
        t.ldc = BLOCK;
        fetch(next + part * tile, part);
        fetch((const char *)(t.c + t.rows * BLOCK), t.rows * BLOCK * sizeof(float));
        j->g->tile(&t);
    }
}

static void many_rows(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *j = context;
    float *sums = (float *)thread_scratch(j->c, thread);
    size_t k_block = STEP_BLOCK * j->g->tile_step, column_bytes = BLOCK * dtype_size(j->w->dtype);
    size_t stride = block_bytes(j->w);
    for (size_t first = begin; first < end; first += CHUNK_BLOCKS) {
        size_t blocks = min_size(CHUNK_BLOCKS, end - first);
        const char *weights = (const char *)j->w->data + first * stride;
        for (size_t k = 0; k < j->columns; k += k_block) {
            size_t columns = min_size(k_block, j->columns - k), after = k + columns;
            // After the chunk's last block come the next columns of its first one, or the next chunk.
            const char *around = weights + (after < j->columns ? after * column_bytes : blocks * stride);
            for (size_t b = 0; b < blocks; b++) {
                const char *next = b + 1 < blocks ? weights + (b + 1) * stride + k * column_bytes : around;
                float *block_sums = sums + b * j->rows * BLOCK;
                add_block(j, first + b, k, columns, next, block_sums);
                if (after == j->columns) finish(j, first + b, 1, block_sums, BLOCK);
            }
        }
    }
}

static void pack_tiles(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *j = context;
    for (size_t tile = begin; tile < end; tile++) {
        size_t row = tile_start(j, tile), rows = tile_start(j, tile + 1) - row;
        j->g->pack_panel(j->x + row * j->w->inputs * dtype_size(j->w->dtype), j->w->inputs, rows, j->w->inputs,
            j->c->shared + panel_bytes(j->g, row, j->columns));
    }
}

/// Panels of fewer elements than this are packed by the caller alone.
#define PACK_GRAIN 16384

static void run_pass(gemm_job *j) {
    bool few = j->rows <= j->g->few_rows;
    size_t most = few ? j->g->wide_rows : j->g->max_rows;
    j->tiles = (j->rows + most - 1) / most;
    size_t tile_elements = max_size(1, j->rows / j->tiles * j->columns);
    pool_run(j->c->pool, pack_tiles, j, j->tiles, max_size(1, PACK_GRAIN / tile_elements));
    size_t blocks = block_count(j->w);
    pool_run(j->c->pool, few ? few_rows : many_rows, j, blocks, WIDE);
}

static void run_product(gemm_job j, size_t rows) {
    j.g = &j.c->table.gemm[j.w->dtype];
    j.columns = padded_inputs(j.w->inputs);
    if (rows == 0 || j.w->outputs == 0) return;
    size_t row_bytes = max_size(1, panel_bytes(j.g, 1, j.columns));
    size_t fit = max_size(1, min_size(PASS_ROWS, SHARED_BYTES / row_bytes));
    size_t passes = (rows + fit - 1) / fit;
    size_t width = j.gate_up_out ? j.w->outputs / 2 : j.w->outputs;
    pool_lock(j.c->pool);
    for (size_t pass = 0; pass < passes; pass++) {
        j.rows = rows / passes + (pass < rows % passes);
        run_pass(&j);
        j.x += j.rows * j.w->inputs * dtype_size(j.w->dtype);
        if (j.gate_up_out)
            j.gate_up_out += j.rows * width * dtype_size(j.w->dtype);
        else
            j.out += j.rows * width;
    }
    pool_unlock(j.c->pool);
}

void kernels_matmul(kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, const float *bias,
    bool accumulate, float *out) {
    if (w->format != KERNELS_PLAIN_NUMBERS) return run_quantized_product(c, x, rows, w, bias, accumulate, out, NULL);
    run_product((gemm_job){.c = c, .w = w, .x = x, .bias = bias, .accumulate = accumulate, .out = out}, rows);
}

void kernels_gate_up(kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, void *out) {
    if (w->format != KERNELS_PLAIN_NUMBERS) return run_quantized_product(c, x, rows, w, NULL, false, NULL, out);
    run_product((gemm_job){.c = c, .w = w, .x = x, .gate_up_out = out}, rows);
}
