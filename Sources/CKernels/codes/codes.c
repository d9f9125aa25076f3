// Products with quantized weights: activations become int8 rows, and rows, outputs and K are cut for caches and threads
// the way gemm.c does it.
//
// Int32 sums are exact in any order. Groups turn to float one by one, ascending, wherever K is cut, and it is only
// cut between groups; so every row gets the same bits in every shape of call.
#include "codes_rows.h"

/// Columns in one K block at most, a multiple of every group: the panel of a row tile stays in the first-level cache
/// while the weights of a chunk pass.
#define COLUMN_BLOCK 2048
/// Bytes of weights a thread works on at a time: they stay in the second-level cache while all rows pass.
#define CHUNK_BYTES ((size_t)256 << 10)
/// Rows of one pass over the weights.
#define PASS_ROWS 512

/// Rows that are settled at a time before something else becomes of them.
enum { SLICE = 16 };

/// Adds finished sums of one block to the rows that they are meant for; `s` has all but the rows.
static void add_chosen(const code_job *j, code_sums s, size_t block, size_t row, size_t rows) {
    float sums[SLICE * BLOCK];
    const int32_t *c = s.c;
    const float *row_scales = s.row_scales;
    s.out = sums;
    s.ldout = BLOCK;
    for (size_t r = 0; r < rows; r += SLICE) {
        s.rows = min_size(SLICE, rows - r);
        s.c = c + r * s.ldc;
        s.row_scales = row_scales + r;
        (j->group ? j->g->settle_floats : j->g->settle_int8)(&s);
        for (size_t i = 0; i < s.rows; i++)
            add_chosen_row(
                &j->chosen, row + r + i, j->w->outputs, block * BLOCK, s.columns, sums + i * BLOCK, j->end.out);
    }
}

/// Takes finished sums of one block for `rows` rows from `row` on; they are `ldc` numbers apart.
static void finish(const code_job *j, size_t block, size_t row, size_t rows, const int32_t *c, size_t ldc) {
    const kernels_matrix *w = j->w;
    void (*settle)(const code_sums *) = j->group ? j->g->settle_floats : j->g->settle_int8;
    const char *weights = (const char *)w->data + block * j->stride;
    code_sums s = {.c = c, .ldc = ldc, .rows = rows, .row_scales = j->scales + row};
    s.scales = (const float *)(weights + j->columns * BLOCK);
    bool gated = w->packing == KERNELS_GATE_UP;
    if (!gated) {
        s.columns = min_size(BLOCK, w->outputs - block * BLOCK);
        s.bias = j->end.bias ? j->end.bias + block * BLOCK : NULL;
    }
    if (j->end.packed_bias) s.bias = j->end.packed_bias + block * 2 * BLOCK;
    if (!j->end.rounded_out) {
        if (j->chosen.targets) return add_chosen(j, s, block, row, rows);
        s.accumulate = j->end.accumulate;
        s.out = j->end.out + row * j->end.stride + block * BLOCK;
        s.ldout = j->end.stride;
        return settle(&s);
    }
    float sums[SLICE * BLOCK], products[SLICE * 16];
    size_t width = gated ? w->outputs / 2 : w->outputs, each = gated ? 16 : BLOCK, size = dtype_size(w->dtype);
    size_t count = min_size(each, width - each * block);
    char *out = j->end.rounded_out + (row * width + each * block) * size;
    s.ldout = BLOCK;
    if (gated) s.columns = BLOCK;
    s.out = sums;
    for (size_t r = 0; r < rows; r += SLICE) {
        s.rows = min_size(SLICE, rows - r);
        s.c = c + r * ldc;
        s.row_scales = j->scales + row + r;
        settle(&s);
        const float *results = gated ? products : sums;
        if (gated)
            j->c->table.gate[j->end.activation](sums, s.rows, products);
        else
            for (size_t i = 0; i < s.rows; i++) j->c->table.activate[j->end.activation](sums + i * BLOCK, NULL, count, sums + i * BLOCK);
        for (size_t i = 0; i < s.rows; i++)
            j->c->table.from_float[w->dtype](results + each * i, count, out + (r + i) * width * size);
    }
}

/// Bytes of the first `columns` columns of a block.
static size_t column_bytes(const code_job *j, size_t columns) {
    if (columns == 0) return 0;
    if (j->w->format == KERNELS_INT8) return columns * BLOCK;
    if (j->w->format == KERNELS_INT4) return int4_bytes(columns, j->group);
    const block_shape shape = shape_of(j->w->blocks);
    return columns / shape.columns * super_bytes(shape);
}

/// Spreads the codes of some columns of a block to bytes.
static void spread_columns(const code_job *j, const char *weights, size_t columns, char *out) {
    if (j->w->format == KERNELS_INT4)
        j->g->spread(weights, columns, j->group, out);
    else
        j->g->spread_blocks(j->w->blocks, weights, columns, out);
}

/// The product with codes that are spread.
static void (*spread_tile(const code_job *j))(const code_tile *) {
    return j->bytes ? j->g->spread_bytes_tile : j->g->spread_tile;
}

/// The tile of the pass's row tile `tile`, over the columns from `k` on of the blocks from `block` on.
static code_tile make_tile(const code_job *j, size_t tile, size_t block, size_t blocks, size_t k, size_t columns) {
    size_t row = tile_start(j, tile), rows = tile_start(j, tile + 1) - row, stride = j->stride;
    code_tile t = {.rows = rows,
        .blocks = blocks,
        .columns = columns,
        .a = j->panels + row * j->columns + rows * k,
        .b = (const char *)j->w->data + block * stride + column_bytes(j, k),
        .b_stride = stride,
        .load = k > 0,
        .starts = j->starts + row};
    if (j->group) {
        t.group = j->group;
        size_t at = row * j->groups + k / t.group * rows;
        t.group_scales = j->group_scales + at;
        t.group_sums = j->group_sums + at;
    }
    return t;
}

/// How far ahead of their use weights are fetched: those of a GGUF file when they come from memory, others when they come from
/// the second-level cache.
#define BLOCKS_AHEAD 8192
#define CACHE_BYTES_AHEAD 1024
/// Columns that the tiles of few rows share through the first-level cache: 12 kB of weights.
#define FEW_COLUMN_BLOCK 384

/// Few rows: the weights pass by once at the speed of memory. One tile reads block by block, which the processor fetches by itself
/// better than it is told to; several work on WIDE blocks side by side, and fetch what follows.
static void few_rows(void *context, size_t thread, size_t begin, size_t end) {
    const code_job *j = context;
    int32_t *sums = (int32_t *)thread_scratch(j->c, thread);
    bool int4 = j->w->format == KERNELS_INT4;
    size_t stride = j->stride;
    // Several tiles share weights through the first-level cache; one alone keeps its sums in registers throughout.
    size_t k_block = j->tiles > 1 ? FEW_COLUMN_BLOCK / (int4 ? 1 : WIDE) : j->columns;
    for (size_t block = begin; block < end;) {
        size_t blocks = j->tiles > 1 && end - block >= WIDE ? WIDE : 1, ldc = blocks * BLOCK;
        for (size_t k = 0; k < j->columns; k += k_block) {
            size_t columns = min_size(k_block, j->columns - k);
            size_t bytes = column_bytes(j, k + columns) - column_bytes(j, k);
            for (size_t tile = 0; tile < j->tiles; tile++) {
                code_tile t = make_tile(j, tile, block, blocks, k, columns);
                t.c = sums + tile_start(j, tile) * ldc;
                t.ldc = ldc;
                if (j->tiles > 1) {
                    // Each tile fetches a part of what follows, so that memory never rests.
                    t.prefetch = t.b + bytes + bytes / j->tiles * tile;
                    if (k + columns == j->columns) t.prefetch += (blocks - 1) * stride;
                    t.prefetch_step = BLOCK * 4 / j->tiles;
                }
                (int4 ? j->g->int4_tile : j->g->int8_tile)(&t);
            }
        }
        for (size_t i = 0; i < blocks; i++) finish(j, block + i, 0, j->rows, sums + i * BLOCK, ldc);
        block += blocks;
    }
}

/// Columns of a GGUF file's blocks that the tiles of few rows share through the first-level cache: whole super-blocks.
#define FEW_BLOCK_COLUMNS 256

/// Few rows times the blocks of a GGUF file: the weights pass by once, and each tile of rows unpacks them in registers.
///
/// For one row or two nothing is fetched ahead by instruction: weights are read in one direction, which the processor follows by
/// itself, and instructions that ask for every line take its places for outstanding misses (20 GB/s instead of 28 on a Zen 4).
static void few_rows_of_blocks(void *context, size_t thread, size_t begin, size_t end) {
    const code_job *j = context;
    const block_shape shape = shape_of(j->w->blocks);
    float *sums = (float *)thread_scratch(j->c, thread);
    size_t k_block = j->tiles > 1 ? FEW_BLOCK_COLUMNS : j->columns;
    size_t units = shape.columns / unit_columns(shape) * j->tiles;
    size_t lines = (super_bytes(shape) / units + LINE_BYTES - 1) / LINE_BYTES;
    for (size_t block = begin; block < end; block++) {
        for (size_t k = 0; k < j->columns; k += k_block) {
            size_t columns = min_size(k_block, j->columns - k), bytes = column_bytes(j, columns);
            for (size_t tile = 0; tile < j->tiles; tile++) {
                code_tile t = make_tile(j, tile, block, 1, k, columns);
                t.c = sums + tile_start(j, tile) * BLOCK;
                t.ldc = BLOCK;
                // Each of several tiles fetches a part of what follows, so that memory never rests.
                t.prefetch = t.b + (j->tiles > 1 ? bytes + bytes / j->tiles * tile : BLOCKS_AHEAD);
                t.prefetch_step = lines;
                j->g->blocks_tile(j->w->blocks, &t);
            }
        }
        finish(j, block, 0, j->rows, (const int32_t *)sums, BLOCK);
    }
}

/// Neighbouring blocks over some columns, and where their bytes and sums are kept.
typedef struct {
    size_t block, blocks, k, columns;
    /// Codes spread to bytes; null for int8.
    char *spread;
    /// Of all rows and blocks of the chunk when K is cut, else of one tile.
    int32_t *sums;
    /// The weights that come after these.
    const char *next;
} code_chunk;

/// Spreads the codes of a chunk, once for all rows.
static void spread_chunk(const code_job *j, const code_chunk *p) {
    size_t stride = j->stride, bytes = spread_bytes(p->columns, j->group);
    const char *weights = (const char *)j->w->data + p->block * stride + column_bytes(j, p->k);
    for (size_t b = 0; b < p->blocks; b++)
        spread_columns(j, weights + b * stride, p->columns, p->spread + b * bytes);
}

/// Adds a chunk to the sums of one row tile; finishes them when it holds the last columns.
static void add_chunk(const code_job *j, const code_chunk *p, size_t tile) {
    bool cut = p->columns < j->columns, last = p->k + p->columns == j->columns;
    size_t row = tile_start(j, tile), bytes = p->spread ? spread_bytes(p->columns, j->group) : 0;
    for (size_t b = 0; b < p->blocks; b++) {
        code_tile t = make_tile(j, tile, p->block + b, 1, p->k, p->columns);
        int32_t *sums = p->sums + (cut ? (b * j->rows + row) * BLOCK : 0);
        t.c = sums;
        t.ldc = BLOCK;
        if (p->spread) t.b = p->spread + b * bytes;
        t.prefetch = t.b + CACHE_BYTES_AHEAD;
        t.prefetch_step = BLOCK * 4;
        (p->spread ? spread_tile(j) : j->g->int8_tile)(&t);
        if (last) finish(j, p->block + b, row, t.rows, sums, BLOCK);
    }
}

/// Asks for a part of the next chunk, so that it is in the second-level cache when its turn comes.
static void fetch_part(const code_job *j, const code_chunk *p, size_t tile) {
    size_t stride = j->stride, bytes = column_bytes(j, p->k + p->columns) - column_bytes(j, p->k);
    size_t part = round_up(bytes / j->tiles + 1, 64);
    for (size_t b = 0; b < p->blocks; b++) {
        const char *at = p->next + b * stride + tile * part;
        for (size_t i = 0; i < part; i += 64) __builtin_prefetch(at + i, 0, 2);
    }
}

/// Many rows: a chunk of weights stays in the second-level cache while all row tiles pass, whose panels stay in the
/// first.
static void many_rows(void *context, size_t thread, size_t begin, size_t end) {
    const code_job *j = context;
    size_t parts = (j->columns + COLUMN_BLOCK - 1) / COLUMN_BLOCK, stride = j->stride;
    size_t k_block = round_up((j->columns + parts - 1) / parts, j->cut),
           most = max_size(1, CHUNK_BYTES / (k_block * BLOCK));
    code_chunk p;
    char *scratch = thread_scratch(j->c, thread);
    p.spread = j->group ? scratch : NULL;
    p.sums = (int32_t *)(scratch + (p.spread ? round_up(most * spread_bytes(k_block, j->group), 4096) : 0));
    for (p.block = begin; p.block < end; p.block += p.blocks) {
        p.blocks = min_size(most, end - p.block);
        const char *weights = (const char *)j->w->data + p.block * stride;
        for (p.k = 0; p.k < j->columns; p.k += k_block) {
            p.columns = min_size(k_block, j->columns - p.k);
            size_t after = p.k + p.columns;
            p.next = weights + (after < j->columns ? column_bytes(j, after) : p.blocks * stride);
            if (p.spread) spread_chunk(j, &p);
            for (size_t tile = 0; tile < j->tiles; tile++) {
                fetch_part(j, &p, tile);
                add_chunk(j, &p, tile);
            }
        }
    }
}

/// Panels of fewer elements than this are packed by the caller alone.
#define PACK_GRAIN 16384

/// Chooses tiles for the rows of a pass.
static void plan_pass(code_job *j) {
    bool few = j->rows <= j->g->few_rows;
    size_t few_rows = j->w->format == KERNELS_BLOCKS ? j->g->direct_rows : j->g->wide_rows;
    size_t most = few ? few_rows : j->group ? j->g->group_rows : j->g->max_rows;
    j->tiles = (j->rows + most - 1) / most;
}

static void multiply_blocks(void *context, size_t thread, size_t begin, size_t end) {
    const code_job *j = context;
    void (*few)(void *, size_t, size_t, size_t) = j->w->format == KERNELS_BLOCKS ? few_rows_of_blocks : few_rows;
    (j->rows <= j->g->few_rows ? few : many_rows)(context, thread, begin, end);
}

static void run_pass(code_job *j) {
    plan_pass(j);
    size_t tile_elements = max_size(1, j->rows / j->tiles * j->columns);
    pool_run(j->c->pool, quantize_tiles, j, j->tiles, max_size(1, PACK_GRAIN / tile_elements));
    pool_run(j->c->pool, multiply_blocks, j, block_count(j->w), WIDE);
}

/// Divides memory for passes of `rows` rows.
static void place_rows(code_job *j, size_t rows, char *next) {
    j->scales = (float *)next;
    next += round_up(rows * sizeof *j->scales, 64);
    j->starts = (int32_t *)next;
    next += round_up(rows * sizeof *j->starts, 64);
    j->group_scales = (float *)next;
    next += round_up(rows * j->groups * sizeof *j->group_scales, 64);
    j->group_sums = (float *)next;
    next += round_up(rows * j->groups * sizeof *j->group_sums, 64);
    j->panels = (int8_t *)next;
}

/// A product before its rows are known.
static code_job new_job(kernels_compute *c, const kernels_matrix *w) {
    code_job j = {.c = c, .g = &c->table.codes, .w = w, .columns = padded_codes(w->inputs), .cut = 128, .groups = 1};
    if (w->format == KERNELS_INT4) j.group = w->group;
    if (w->format == KERNELS_BLOCKS) {
        const block_shape shape = shape_of(w->blocks);
        j.group = shape.group;
        j.cut = 256;
        j.bytes = shape.bytes;
    }
    if (j.group) j.groups = (w->inputs + j.group - 1) / j.group;
    j.stride = block_bytes(w);
    return j;
}

/// Bytes that a row becomes.
static size_t shared_row_bytes(const code_job *j) { return j->columns + (2 * j->groups + 2) * 4; }

void run_quantized_product(
    kernels_compute *c, const void *x, size_t rows, const kernels_matrix *w, product_end end) {
    code_job j = new_job(c, w);
    // One pointer less to follow for threads of other cores.
    j.matrix = *w;
    j.w = &j.matrix;
    j.x = x;
    j.end = end;
    if (rows == 0 || w->outputs == 0) return;
    size_t fit = max_size(1, min_size(PASS_ROWS, (SHARED_BYTES - 512) / shared_row_bytes(&j)));
    size_t passes = (rows + fit - 1) / fit;
    size_t width = w->packing == KERNELS_GATE_UP ? w->outputs / 2 : w->outputs;
    pool_lock(c->pool);
    place_rows(&j, min_size(rows, fit), c->shared);
    for (size_t pass = 0; pass < passes; pass++) {
        j.rows = rows / passes + (pass < rows % passes);
        run_pass(&j);
        j.x += j.rows * w->inputs * dtype_size(w->dtype);
        if (end.rounded_out)
            j.end.rounded_out += j.rows * width * dtype_size(w->dtype);
        else
            j.end.out += j.rows * end.stride;
    }
    pool_unlock(c->pool);
}

// Products over chosen rows, see products.h.

static size_t chosen_bytes(const kernels_compute *c, const kernels_matrix *w, size_t rows) {
    code_job j = new_job((kernels_compute *)c, w);
    return round_up(rows * shared_row_bytes(&j) + 256, 64);
}

static size_t begin_chosen(void *job, kernels_compute *c, const chosen_product *p, char *memory) {
    code_job *j = job;
    *j = new_job(c, p->w);
    j->x = p->x;
    j->rows = p->rows;
    j->end = (product_end){.out = p->out, .rounded_out = p->gated, .activation = p->activation, .packed_bias = p->packed_bias};
    j->chosen = p->chosen;
    place_rows(j, p->rows, memory);
    plan_pass(j);
    return j->tiles;
}

const product_kind quantized_products = {.job_bytes = sizeof(code_job),
    .most_rows = PASS_ROWS,
    .bytes = chosen_bytes,
    .begin = begin_chosen,
    .pack = quantize_tiles,
    .multiply = multiply_blocks};
