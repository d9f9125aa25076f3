// Matrix products: how rows, outputs and K are cut for caches and threads. The sums themselves are the tiles' work.
//
// Whatever the cut, a tile adds to one f32 accumulator per output over ascending k (spilled to memory between K
// blocks), so every row gets the same bits in every shape of call.
#include "products.h"
#include "table.h"

/// Weight blocks whose sums a thread holds at a time when there are many rows.
#define CHUNK_BLOCKS 8
/// Bytes of one block's weights in one K block, as the tile reads them: with WIDE blocks they stay in the first-level
/// cache while all rows pass.
#define K_BLOCK_BYTES 12288
/// The same for few rows, with room for the next K block beside it.
#define FEW_K_BLOCK_BYTES 8192
/// Rows whose sums a thread holds at a time: with their activations of one K block they stay in the second-level cache.
#define PASS_ROWS 192
/// How far ahead of their use weights are fetched when they come from memory: far enough for its latency, and across
/// the page boundaries where the processor's own prefetching stops. 2048 and 4096 did best of 512 to 8192.
#define BYTES_AHEAD 4096
/// Up to so many row tiles memory limits a product: a thread passes through weights in the order they are stored, and
/// it does not pay to expand them.
#define FEW_TILES 3

typedef struct {
    kernels_compute *c;
    const gemm_kernels *g;
    const kernels_matrix *w;
    const char *x;
    char *panels;        // what the rows of this pass become, in shared memory
    size_t rows;         // of this pass
    size_t tiles;        // row tiles of this pass
    size_t tile_blocks;  // blocks of a tile
    size_t chunk;        // blocks whose sums are held at a time
    size_t k_block;      // columns of a K block
    bool expands;
    size_t columns;
    const float *bias;
    bool accumulate;
    float *out;
    size_t stride;  // floats from one row of `out` to the next
    // Where results go in the weights' dtype, after the function.
    char *rounded_out;
    kernels_activation activation;
    const float *packed_bias;
    chosen_rows chosen;
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
    float *out = j->out + row * j->stride + column;
    j->c->table.add_bias(c, j->bias ? j->bias + column : NULL, count, j->accumulate, out);
}

static void finish_gated_row(const gemm_job *j, size_t row, size_t block, size_t blocks, const float *c) {
    const kernel_table *k = &j->c->table;
    size_t width = j->w->outputs / 2, column = block * 16, count = min_size(blocks * 16, width - column);
    float product[CHUNK_BLOCKS * 16];
    k->gate[j->activation](c, blocks, product);
    k->from_float[j->w->dtype](product, count, j->rounded_out + (row * width + column) * dtype_size(j->w->dtype));
}

static void finish_activated_row(const gemm_job *j, size_t row, size_t column, size_t count, const float *c) {
    const kernel_table *k = &j->c->table;
    float sums[CHUNK_BLOCKS * BLOCK];
    k->activate[j->activation](c, j->bias ? j->bias + column : NULL, count, sums);
    char *out = j->rounded_out + (row * j->w->outputs + column) * dtype_size(j->w->dtype);
    k->from_float[j->w->dtype](sums, count, out);
}

/// Adds the bias of experts to finished sums.
static void add_packed_bias(const gemm_job *j, size_t block, size_t blocks, float *c, size_t ldc) {
    for (size_t r = 0; r < j->rows; r++)
        for (size_t b = 0; b < blocks; b++)
            for (size_t i = 0; i < BLOCK; i++)
                c[r * ldc + b * BLOCK + i] += j->packed_bias[(block + b) * 2 * BLOCK + i];
}

/// Takes finished sums of `blocks` blocks from `block` on, all rows of the pass.
static void finish(const gemm_job *j, size_t block, size_t blocks, float *c, size_t ldc) {
    if (j->packed_bias) add_packed_bias(j, block, blocks, c, ldc);
    size_t column = block * BLOCK, count = min_size(blocks * BLOCK, j->w->outputs - column);
    if (j->chosen.targets)
        for (size_t r = 0; r < j->rows; r++)
            add_chosen_row(&j->chosen, r, j->w->outputs, column, count, c + r * ldc, j->out);
    else if (!j->rounded_out)
        for (size_t r = 0; r < j->rows; r++) finish_plain_row(j, r, column, count, c + r * ldc);
    else if (j->w->packing == KERNELS_GATE_UP)
        for (size_t r = 0; r < j->rows; r++) finish_gated_row(j, r, block, blocks, c + r * ldc);
    else
        for (size_t r = 0; r < j->rows; r++) finish_activated_row(j, r, column, count, c + r * ldc);
}

/// A thread's scratch in a product: weights that are expanded, and sums of all rows of a chunk.
typedef struct {
    float expanded[WIDE * K_BLOCK_BYTES / sizeof(float)];
    float sums[PASS_ROWS * CHUNK_BLOCKS * BLOCK];
} gemm_scratch;

_Static_assert(sizeof(gemm_scratch) <= THREAD_BYTES, "products work in a thread's scratch");

/// Adds columns `k ..< k + columns` of the `blocks` blocks at `weights` to the sums of all rows. `next` is where the
/// weights continue after these; each tile fetches a part of them, so that memory never rests.
static void add_blocks(const gemm_job *j, gemm_scratch *s, const char *weights, size_t blocks, size_t k, size_t columns,
    const char *next, float *sums) {
    size_t stride = block_bytes(j->w), column_bytes = BLOCK * dtype_size(j->w->dtype), bytes = columns * column_bytes;
    gemm_tile t = {.blocks = blocks,
        .steps = columns / j->g->tile_step,
        .b = weights,
        .b_stride = stride,
        .ldc = blocks * BLOCK,
        .load = k > 0,
        .prefetch_step = column_bytes * j->g->tile_step / j->tiles,
        .prefetch_stride = stride,
        .expanded = s->expanded,
        .expanded_stride = columns * BLOCK};
    void (*tile)(const gemm_tile *) = j->expands ? j->g->expanding_tile : j->g->tile;
    for (size_t i = 0; i < j->tiles; i++) {
        size_t row = tile_start(j, i);
        t.rows = tile_start(j, i + 1) - row;
        t.a = j->panels + panel_bytes(j->g, row, j->columns) + panel_bytes(j->g, t.rows, k);
        t.c = sums + row * t.ldc;
        t.prefetch = j->tiles == 1 ? weights + BYTES_AHEAD : next + bytes / j->tiles * i;
        tile(&t);
        if (i > 0 || !j->expands) continue;
        // The first tile left the weights as floats for the others.
        tile = j->g->expanded_tile;
        t.steps = columns;
        t.b = s->expanded;
        t.b_stride = t.expanded_stride * sizeof(float);
        t.prefetch_step = column_bytes / j->tiles;
    }
}

/// All rows times the blocks from `first` on, K block by K block.
static void add_chunk(const gemm_job *j, gemm_scratch *s, size_t first, size_t blocks) {
    size_t stride = block_bytes(j->w), column_bytes = BLOCK * dtype_size(j->w->dtype);
    const char *weights = (const char *)j->w->data + first * stride;
    for (size_t k = 0; k < j->columns; k += j->k_block) {
        size_t columns = min_size(j->k_block, j->columns - k), after = k + columns;
        // After the chunk's last block come the next columns of its first one, or the next chunk.
        const char *around = weights + (after < j->columns ? after * column_bytes : blocks * stride);
        for (size_t b = 0; b < blocks; b += j->tile_blocks) {
            size_t width = min_size(j->tile_blocks, blocks - b);
            const char *here = weights + b * stride + k * column_bytes;
            const char *next = b + width < blocks ? here + width * stride : around;
            float *sums = s->sums + b * j->rows * BLOCK;
            add_blocks(j, s, here, width, k, columns, next, sums);
            if (after == j->columns) finish(j, first + b, width, sums, width * BLOCK);
        }
    }
}

static void multiply_blocks(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *j = context;
    gemm_scratch *s = (gemm_scratch *)thread_scratch(j->c, thread);
    for (size_t first = begin; first < end; first += j->chunk) add_chunk(j, s, first, min_size(j->chunk, end - first));
}

static void pack_tiles(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *j = context;
    size_t row_bytes = j->w->inputs * dtype_size(j->w->dtype);
    for (size_t tile = begin; tile < end; tile++) {
        size_t row = tile_start(j, tile), rows = tile_start(j, tile + 1) - row;
        const char *x = j->chosen.sources
                            ? gather_rows(&j->chosen, j->x, row, rows, row_bytes, thread_scratch(j->c, thread))
                            : j->x + row * row_bytes;
        j->g->pack_panel(x, j->w->inputs, rows, j->w->inputs, j->panels + panel_bytes(j->g, row, j->columns));
    }
}

/// Panels of fewer elements than this are packed by the caller alone.
#define PACK_GRAIN 16384

/// Chooses tiles and cuts for the rows of a pass.
static void plan_pass(gemm_job *j) {
    const gemm_kernels *g = j->g;
    if (j->rows <= g->wide_rows) {
        // One tile keeps its sums in registers throughout.
        j->tiles = 1;
        j->tile_blocks = j->chunk = WIDE;
        j->k_block = j->columns;
        j->expands = false;
        return;
    }
    j->tiles = (j->rows + g->tile_rows - 1) / g->tile_rows;
    j->tile_blocks = g->tile_blocks;
    bool few = j->tiles <= FEW_TILES;
    j->chunk = few ? g->tile_blocks : CHUNK_BLOCKS;
    j->expands = !few && g->expanding_tile;
    size_t column_bytes = BLOCK * (j->expands ? sizeof(float) : dtype_size(j->w->dtype));
    size_t most_columns = (few ? FEW_K_BLOCK_BYTES : K_BLOCK_BYTES) / column_bytes;
    // K blocks of one size, as each fetches what the next one needs.
    size_t k_blocks = max_size(1, (j->columns + most_columns - 1) / most_columns);
    j->k_block = round_up((j->columns + k_blocks - 1) / k_blocks, 2);
}

static void run_pass(gemm_job *j) {
    plan_pass(j);
    size_t tile_elements = max_size(1, j->rows / j->tiles * j->columns);
    pool_run(j->c->pool, pack_tiles, j, j->tiles, max_size(1, PACK_GRAIN / tile_elements));
    pool_run(j->c->pool, multiply_blocks, j, block_count(j->w), WIDE);
}

static void run_product(gemm_job j, size_t rows) {
    j.g = &j.c->table.gemm[j.w->dtype];
    j.columns = padded_inputs(j.w->inputs);
    j.panels = j.c->shared;
    if (rows == 0 || j.w->outputs == 0) return;
    size_t row_bytes = max_size(1, panel_bytes(j.g, 1, j.columns));
    size_t fit = max_size(1, min_size(PASS_ROWS, SHARED_BYTES / row_bytes));
    size_t passes = (rows + fit - 1) / fit;
    size_t width = j.w->packing == KERNELS_GATE_UP ? j.w->outputs / 2 : j.w->outputs;
    pool_lock(j.c->pool);
    for (size_t pass = 0; pass < passes; pass++) {
        j.rows = rows / passes + (pass < rows % passes);
        run_pass(&j);
        j.x += j.rows * j.w->inputs * dtype_size(j.w->dtype);
        if (j.rounded_out)
            j.rounded_out += j.rows * width * dtype_size(j.w->dtype);
        else
            j.out += j.rows * j.stride;
    }
    pool_unlock(j.c->pool);
}

void kernels_matmul(kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, const float *bias,
    bool accumulate, float *out, size_t stride) {
    product_end end = {.bias = bias, .accumulate = accumulate, .out = out, .stride = stride};
    if (w->format != KERNELS_PLAIN_NUMBERS) return run_quantized_product(c, x, rows, w, end);
    gemm_job j = {.c = c, .w = w, .x = x, .bias = bias, .accumulate = accumulate, .out = out, .stride = stride};
    run_product(j, rows);
}

void kernels_gate_up(
    kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, kernels_activation f, void *out) {
    kernels_activated_matmul(c, x, rows, w, NULL, f, out);
}

void kernels_activated_matmul(kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w,
    const float *bias, kernels_activation f, void *out) {
    product_end end = {.bias = bias, .rounded_out = out, .activation = f};
    if (w->format != KERNELS_PLAIN_NUMBERS) return run_quantized_product(c, x, rows, w, end);
    run_product((gemm_job){.c = c, .w = w, .x = x, .bias = bias, .rounded_out = out, .activation = f}, rows);
}

// Products over chosen rows, see products.h.

static size_t chosen_bytes(const kernels_compute *c, const kernels_matrix *w, size_t rows) {
    return round_up(panel_bytes(&c->table.gemm[w->dtype], rows, padded_inputs(w->inputs)), 64);
}

static size_t begin_chosen(void *job, kernels_compute *c, const chosen_product *p, char *memory) {
    gemm_job *j = job;
    *j = (gemm_job){.c = c,
        .g = &c->table.gemm[p->w->dtype],
        .w = p->w,
        .x = p->x,
        .panels = memory,
        .rows = p->rows,
        .columns = padded_inputs(p->w->inputs),
        .out = p->out,
        .rounded_out = p->gated,
        .activation = p->activation,
        .packed_bias = p->packed_bias,
        .chosen = p->chosen};
    plan_pass(j);
    return j->tiles;
}

const product_kind plain_products = {.job_bytes = sizeof(gemm_job),
    .most_rows = PASS_ROWS,
    .bytes = chosen_bytes,
    .begin = begin_chosen,
    .pack = pack_tiles,
    .multiply = multiply_blocks};
