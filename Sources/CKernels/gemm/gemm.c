// Matrix products: how rows, outputs and K are cut for caches and threads. The sums themselves are the tiles' work.
//
// Whatever the cut, a tile adds to one f32 accumulator per output over ascending k (spilled to memory between K
// blocks), so every row gets the same bits in every shape of call.
#include "float8.h"
#include "products.h"
#include "table.h"

/// Weight blocks whose sums a thread holds at a time when there are many rows.
#define CHUNK_BLOCKS 8
/// Bytes of one block's weights in one K block, as the tile reads them: with WIDE blocks they stay in the first-level
/// cache while all rows pass.
#define K_BLOCK_BYTES 12288
/// The same for tiles that use weights as they are stored: they come from the second level, fast enough for six rows,
/// and a row's sums pass through memory half as often.
#define STORED_K_BLOCK_BYTES 24576
/// The same for few rows, with room for the next K block beside it.
#define FEW_K_BLOCK_BYTES 8192
/// Rows whose sums a thread holds at a time: with their activations of one K block they stay in the second-level cache.
#define PASS_ROWS 192
/// Rows of a pass of up to so many bytes are read where they lie; more would crowd into a few sets of the second-level
/// cache where their distance is a power of two, and are copied apart.
#define DIRECT_BYTES ((size_t)640 << 10)
/// Columns of float8 that are expanded at a time for few rows.
#define FLOAT8_COLUMNS 128
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
    const char *x;       // activations of this pass
    const char *panels;  // what the rows of this pass become, in shared memory, or where they lie
    size_t row_stride;   // bytes from one row of `panels` to the next, for tiles that read rows
    size_t rows;         // of this pass
    size_t passes;       // over all rows
    bool direct;         // rows are read where they lie
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

/// Bytes of a row of a panel. Rows that stay rows are an odd number of cache lines apart, so that no two of a tile
/// share a set of the cache.
static size_t packed_row_bytes(const gemm_kernels *g, size_t columns) {
    return g->pack_panel ? columns * sizeof(float) : round_up(columns * sizeof(uint16_t), 64) | 64;
}

/// Columns from `k` on of the pass's rows `row ..< row + rows`, as the tile takes them.
static const char *panel_at(const gemm_job *j, size_t row, size_t rows, size_t k) {
    if (!j->g->pack_panel) return j->panels + row * j->row_stride + k * sizeof(uint16_t);
    return j->panels + (row * j->columns + rows * k) * sizeof(float);
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

/// Adds the bias of experts to the finished sums of a row.
static void add_packed_bias(const gemm_job *j, size_t block, size_t blocks, float *c) {
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = 0; i < BLOCK; i++) c[b * BLOCK + i] += j->packed_bias[(block + b) * 2 * BLOCK + i];
}

/// Takes finished sums of `blocks` blocks from `block` on, of `rows` rows of the pass from `row` on.
static void finish(const gemm_job *j, size_t block, size_t blocks, size_t row, size_t rows, float *c) {
    size_t column = block * BLOCK, count = min_size(blocks * BLOCK, j->w->outputs - column), ldc = blocks * BLOCK;
    if (!j->chosen.targets && !j->rounded_out) {
        code_sums s = {.c = c,
            .ldc = ldc,
            .rows = rows,
            .columns = count,
            .bias = j->bias ? j->bias + column : NULL,
            .accumulate = j->accumulate,
            .out = j->out + row * j->stride + column,
            .ldout = j->stride};
        return j->c->table.codes.settle_floats(&s);
    }
    for (size_t r = 0; r < rows; r++, c += ldc) {
        if (j->packed_bias) add_packed_bias(j, block, blocks, c);
        if (j->chosen.targets)
            add_chosen_row(&j->chosen, row + r, j->w->outputs, column, count, c, j->out);
        else if (j->w->packing == KERNELS_GATE_UP)
            finish_gated_row(j, row + r, block, blocks, c);
        else
            finish_activated_row(j, row + r, column, count, c);
    }
}

/// A thread's scratch in a product: weights that are expanded, and sums of all rows of a chunk.
typedef struct {
    char plain[WIDE * STORED_K_BLOCK_BYTES];  // of float8
    float expanded[WIDE * K_BLOCK_BYTES / sizeof(float)];
    float sums[PASS_ROWS * CHUNK_BLOCKS * BLOCK];
} gemm_scratch;

_Static_assert(sizeof(gemm_scratch) <= THREAD_BYTES, "products work in a thread's scratch");

/// Columns `k ..< k + columns` of the `blocks` blocks from `block` on.
typedef struct {
    size_t block, blocks, k, columns;
    const char *weights;
    /// Bytes from one block of them to the next.
    size_t stride;
    /// Where the weights continue after these; each tile fetches a part of them, so that memory never rests.
    const char *next;
    /// Of all rows.
    float *sums;
} gemm_part;

/// Adds a part to the sums of all rows, and finishes them when it has the last columns.
static void add_part(const gemm_job *j, gemm_scratch *s, const gemm_part *p) {
    size_t column_bytes = BLOCK * dtype_size(j->w->dtype), bytes = p->columns * column_bytes;
    gemm_tile t = {.blocks = p->blocks,
        .steps = p->columns / j->g->tile_step,
        .a_stride = j->row_stride / sizeof(uint32_t),
        .b = p->weights,
        .b_stride = p->stride,
        .ldc = p->blocks * BLOCK,
        .load = p->k > 0,
        .prefetch_step = column_bytes * j->g->tile_step / j->tiles,
        .prefetch_stride = p->stride,
        .expanded = s->expanded,
        .expanded_stride = p->columns * BLOCK};
    void (*tile)(const gemm_tile *) = j->expands ? j->g->expanding_tile : j->g->tile;
    bool last = p->k + p->columns == j->columns;
    for (size_t i = 0; i < j->tiles; i++) {
        size_t row = tile_start(j, i);
        t.rows = tile_start(j, i + 1) - row;
        t.a = panel_at(j, row, t.rows, p->k);
        t.c = p->sums + row * t.ldc;
        t.prefetch = j->tiles == 1 ? p->weights + BYTES_AHEAD : p->next + bytes / j->tiles * i;
        tile(&t);
        if (last) finish(j, p->block, p->blocks, row, t.rows, t.c);
        if (i > 0 || !j->expands) continue;
        // The first tile left the weights as floats for the others.
        tile = j->g->expanded_tile;
        t.steps = p->columns;
        t.b = s->expanded;
        t.b_stride = t.expanded_stride * sizeof(float);
        t.prefetch_step = column_bytes / j->tiles;
    }
}

/// Puts the plain numbers of a part of float8 in the place of its codes.
static void expand_part(const gemm_job *j, gemm_scratch *s, gemm_part *p) {
    p->stride = p->columns * BLOCK * dtype_size(j->w->dtype);
    for (size_t b = 0; b < p->blocks; b++)
        expand_float8(&j->c->table, j->w, p->block + b, p->k, p->columns, s->plain + b * p->stride);
    // What comes next is fetched when it is expanded.
    p->weights = p->next = s->plain;
}

/// All rows times the blocks from `first` on, K block by K block.
static void add_chunk(const gemm_job *j, gemm_scratch *s, size_t first, size_t blocks) {
    size_t stride = block_bytes(j->w), column_bytes = BLOCK * dtype_size(j->w->dtype);
    const char *weights = (const char *)j->w->data + first * stride;
    gemm_part p;
    for (p.k = 0; p.k < j->columns; p.k += p.columns) {
        p.columns = min_size(j->k_block, j->columns - p.k);
        size_t after = p.k + p.columns;
        // After the chunk's last block come the next columns of its first one, or the next chunk.
        const char *around = weights + (after < j->columns ? after * column_bytes : blocks * stride);
        for (size_t b = 0; b < blocks; b += j->tile_blocks) {
            p.block = first + b;
            p.blocks = min_size(j->tile_blocks, blocks - b);
            p.weights = weights + b * stride + p.k * column_bytes;
            p.stride = stride;
            p.next = b + p.blocks < blocks ? p.weights + p.blocks * stride : around;
            if (j->w->format == KERNELS_FLOAT8) expand_part(j, s, &p);
            p.sums = s->sums + b * j->rows * BLOCK;
            add_part(j, s, &p);
        }
    }
}

static void multiply_blocks(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *j = context;
    gemm_scratch *s = (gemm_scratch *)thread_scratch(j->c, thread);
    for (size_t first = begin; first < end; first += j->chunk) add_chunk(j, s, first, min_size(j->chunk, end - first));
}

/// Copies rows `row ..< end` of the pass apart, with a zero behind an odd number of inputs.
static void copy_rows(const gemm_job *j, size_t row, size_t end) {
    size_t row_bytes = j->w->inputs * sizeof(uint16_t);
    for (; row < end; row++) {
        char *out = (char *)j->panels + row * j->row_stride;
        memcpy(out, j->x + source_row(&j->chosen, row) * row_bytes, row_bytes);
        if (j->columns > j->w->inputs) memset(out + row_bytes, 0, sizeof(uint16_t));
    }
}

static void pack_tiles(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *j = context;
    if (!j->g->pack_panel) return copy_rows(j, tile_start(j, begin), tile_start(j, end));
    size_t row_bytes = j->w->inputs * dtype_size(j->w->dtype);
    for (size_t tile = begin; tile < end; tile++) {
        size_t row = tile_start(j, tile), rows = tile_start(j, tile + 1) - row;
        const char *x = j->chosen.sources
                            ? gather_rows(&j->chosen, j->x, row, rows, row_bytes, thread_scratch(j->c, thread))
                            : j->x + row * row_bytes;
        j->g->pack_panel(x, j->w->inputs, rows, j->w->inputs, (char *)panel_at(j, row, rows, 0));
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
        j->k_block = j->w->format == KERNELS_FLOAT8 ? FLOAT8_COLUMNS : j->columns;
        j->expands = false;
        return;
    }
    j->tiles = (j->rows + g->tile_rows - 1) / g->tile_rows;
    j->tile_blocks = g->tile_blocks;
    bool few = j->tiles <= FEW_TILES;
    j->chunk = few ? g->tile_blocks : CHUNK_BLOCKS;
    j->expands = !few && g->expanding_tile;
    size_t column_bytes = BLOCK * (j->expands ? sizeof(float) : dtype_size(j->w->dtype));
    size_t many = g->pack_panel ? K_BLOCK_BYTES : STORED_K_BLOCK_BYTES;
    size_t most_columns = (few ? FEW_K_BLOCK_BYTES : many) / column_bytes;
    // K blocks of one size, as each fetches what the next one needs.
    size_t k_blocks = max_size(1, (j->columns + most_columns - 1) / most_columns);
    j->k_block = round_up((j->columns + k_blocks - 1) / k_blocks, 2);
}

/// One of the passes over all rows, as even as they can be.
static gemm_job pass_of(const gemm_job *whole, size_t pass) {
    gemm_job j = *whole;
    size_t each = whole->rows / whole->passes, more = whole->rows % whole->passes;
    size_t first = pass * each + min_size(pass, more), size = dtype_size(j.w->dtype);
    size_t width = j.w->packing == KERNELS_GATE_UP ? j.w->outputs / 2 : j.w->outputs;
    j.rows = each + (pass < more);
    j.x += first * j.w->inputs * size;
    if (j.rounded_out)
        j.rounded_out += first * width * size;
    else
        j.out += first * j.stride;
    if (j.direct) j.panels = j.x;
    plan_pass(&j);
    return j;
}

/// Passes one after the other, each of whose rows are packed first.
static void run_passes(const gemm_job *whole) {
    for (size_t pass = 0; pass < whole->passes; pass++) {
        gemm_job j = pass_of(whole, pass);
        size_t tile_elements = max_size(1, j.rows / j.tiles * j.columns);
        pool_run(j.c->pool, pack_tiles, &j, j.tiles, max_size(1, PACK_GRAIN / tile_elements));
        pool_run(j.c->pool, multiply_blocks, &j, block_count(j.w), WIDE);
    }
}

/// Units of WIDE blocks of a matrix.
static size_t unit_count(const gemm_job *j) { return (block_count(j->w) + WIDE - 1) / WIDE; }

/// Units of all passes, one after the other.
static void multiply_units(void *context, size_t thread, size_t begin, size_t end) {
    const gemm_job *whole = context;
    size_t units = unit_count(whole);
    while (begin < end) {
        size_t first = begin % units, last = min_size(units, first + end - begin);
        gemm_job j = pass_of(whole, begin / units);
        multiply_blocks(&j, thread, first * WIDE, min_size(last * WIDE, block_count(j.w)));
        begin += last - first;
    }
}

static void run_product(gemm_job j, size_t rows) {
    if (rows == 0 || j.w->outputs == 0) return;
    j.g = &j.c->table.gemm[j.w->dtype];
    j.columns = padded_inputs(j.w->inputs);
    j.rows = rows;
    size_t row_bytes = j.w->inputs * sizeof(uint16_t);
    j.direct = !j.g->pack_panel && j.columns == j.w->inputs && min_size(rows, PASS_ROWS) * row_bytes <= DIRECT_BYTES;
    j.row_stride = j.direct ? row_bytes : max_size(1, packed_row_bytes(j.g, j.columns));
    j.panels = j.c->shared;
    size_t fit = j.direct ? PASS_ROWS : max_size(1, min_size(PASS_ROWS, SHARED_BYTES / j.row_stride));
    j.passes = (rows + fit - 1) / fit;
    pool_lock(j.c->pool);
    if (j.direct)
        pool_run(j.c->pool, multiply_units, &j, j.passes * unit_count(&j), 1);
    else
        run_passes(&j);
    pool_unlock(j.c->pool);
}

void kernels_matmul(kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, const float *bias,
    bool accumulate, float *out, size_t stride) {
    product_end end = {.bias = bias, .accumulate = accumulate, .out = out, .stride = stride};
    if (has_byte_products(w)) return run_quantized_product(c, x, rows, w, end);
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
    if (has_byte_products(w)) return run_quantized_product(c, x, rows, w, end);
    run_product((gemm_job){.c = c, .w = w, .x = x, .bias = bias, .rounded_out = out, .activation = f}, rows);
}

// Products over chosen rows, see products.h.

static size_t chosen_bytes(const kernels_compute *c, const kernels_matrix *w, size_t rows) {
    return round_up(rows * packed_row_bytes(&c->table.gemm[w->dtype], padded_inputs(w->inputs)), 64);
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
    j->row_stride = packed_row_bytes(j->g, j->columns);
    plan_pass(j);
    return j->tiles;
}

const product_kind plain_products = {.job_bytes = sizeof(gemm_job),
    .most_rows = PASS_ROWS,
    .bytes = chosen_bytes,
    .begin = begin_chosen,
    .pack = pack_tiles,
    .multiply = multiply_blocks};
