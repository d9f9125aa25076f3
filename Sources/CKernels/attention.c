// Attention: how sequences, heads, query rows and positions are cut for caches and threads.
//
// Positions are reduced in blocks of KV_BLOCK that start at multiples of KV_BLOCK. A block's result (max, sum, weighted
// values) is computed from zero and then merged in position order, so a row's bits do not depend on which rows share
// its tile or which thread computed which block. Merging is the online softmax of Milakov and Gimelshein, "Online
// normalizer calculation for softmax" (2018), one step per block instead of one per position.
#include <math.h>
#include <string.h>

#include "table.h"

typedef struct {
    kernels_compute *c;
    const float *query;
    kernels_heads heads;
    kernels_cache cache;
    const kernels_sequence *sequences;
    size_t sequence_count;
    const int32_t *slots;
    float scale;
    char *out;
    size_t group;      // query heads per key-value head
    size_t tile_rows;  // query rows of a tile
    bool split;        // blocks are items of their own, merged afterwards
    size_t items;
} attention_job;

/// A tile of query rows of one sequence: what one key-value head's work is cut into.
typedef struct {
    size_t sequence;
    size_t first, count;    // rows within the sequence
    size_t blocks;          // blocks of positions its last row sees
    size_t item, items;     // items of this tile, over all key-value heads
    size_t partial;         // where its partial results start, in floats
    size_t partial_floats;  // of one block and head
} tile;

/// Results of one tile for one key-value head; row i * group + g is query row i, head g of the group.
typedef struct {
    float max[ATTENTION_ROWS], sum[ATTENTION_ROWS];
    float values[ATTENTION_ROWS * ATTENTION_STRIDE];
} tile_sums;

typedef struct {
    float query[ATTENTION_ROWS * ATTENTION_STRIDE];
    float scores[ATTENTION_ROWS * ATTENTION_STRIDE];
    float panel[4 * BLOCK * MAX_HEAD_DIM];
    tile_sums block, total;
} attention_scratch;

_Static_assert(sizeof(attention_scratch) <= THREAD_BYTES, "attention works in a thread's scratch");

static void measure_tile(const attention_job *j, tile *t) {
    const kernels_sequence *s = &j->sequences[t->sequence];
    t->count = min_size(j->tile_rows, (size_t)s->row_count - t->first);
    size_t last = (size_t)(s->length - s->row_count) + t->first + t->count;
    t->blocks = (last + KV_BLOCK - 1) / KV_BLOCK;
    t->items = j->heads.kv_heads * (j->split ? t->blocks : 1);
    t->partial_floats = t->count * j->group * (j->heads.head_dim + 2);
}

/// Goes to the first tile at or after the one described; false at the end.
static bool settle(const attention_job *j, tile *t) {
    while (t->sequence < j->sequence_count && t->first >= (size_t)j->sequences[t->sequence].row_count) {
        t->sequence++;
        t->first = 0;
    }
    if (t->sequence == j->sequence_count) return false;
    measure_tile(j, t);
    return true;
}

static bool first_tile(const attention_job *j, tile *t) {
    *t = (tile){0};
    return settle(j, t);
}

static bool next_tile(const attention_job *j, tile *t) {
    t->item += t->items;
    t->partial += j->heads.kv_heads * t->blocks * t->partial_floats;
    t->first += t->count;
    return settle(j, t);
}

/// Copies the tile's query rows for one head group, scaled.
static void load_query(const attention_job *j, const tile *t, size_t head, attention_scratch *s) {
    size_t dim = j->heads.head_dim;
    size_t row = (size_t)j->sequences[t->sequence].row_start + t->first;
    for (size_t i = 0; i < t->count; i++) {
        const float *q = j->query + ((row + i) * j->heads.query_heads + head * j->group) * dim;
        for (size_t g = 0; g < j->group; g++)
            j->c->table.scale(q + g * dim, dim, j->scale, s->query + (i * j->group + g) * ATTENTION_STRIDE);
    }
}

/// c[rows][columns] = a[rows][steps] · panel, tile by tile; with `load` on top of what c holds.
static void multiply(const kernel_table *k, size_t rows, size_t columns, size_t steps, const float *a,
    const float *panel, bool load, float *c) {
    size_t tiles = (rows + k->row_tile_rows - 1) / k->row_tile_rows;
    for (size_t column = 0; column < columns; column += BLOCK) {
        for (size_t i = 0; i < tiles; i++) {
            size_t row = i * rows / tiles;
            gemm_tile t = {.rows = (i + 1) * rows / tiles - row,
                .blocks = 1,
                .steps = steps,
                .a = a + row * ATTENTION_STRIDE,
                .b = panel + column * steps,
                .c = c + row * ATTENTION_STRIDE + column,
                .ldc = ATTENTION_STRIDE,
                .load = load};
            k->row_tile(&t);
        }
    }
}

/// One block of positions for a tile whose queries are loaded.
static void attend_block(
    const attention_job *j, const tile *t, size_t head, size_t block, attention_scratch *s, tile_sums *out) {
    const kernel_table *k = &j->c->table;
    const kernels_sequence *q = &j->sequences[t->sequence];
    size_t dim = j->heads.head_dim, stride = j->heads.kv_heads * dim, rows = t->count * j->group;
    size_t first = block * KV_BLOCK, position = (size_t)(q->length - q->row_count) + t->first;
    size_t count = min_size(KV_BLOCK, position + t->count - first), padded = round_up(count, BLOCK);
    const int32_t *slots = j->slots + q->slot_start + first;
    size_t offset = head * dim * dtype_size(j->cache.dtype);

    // Panels of few rows are used once, so they should not leave the first-level cache.
    size_t piece = rows <= k->row_tile_rows ? BLOCK : 4 * BLOCK;
    for (size_t p = 0; p < count; p += piece) {
        size_t here = min_size(piece, count - p);
        k->load_keys[j->cache.dtype](
            (const char *)j->cache.keys + offset, stride, slots + p, here, count - p, dim, s->panel);
        multiply(k, rows, round_up(here, BLOCK), dim, s->query, s->panel, false, s->scores + p);
    }
    for (size_t r = 0; r < rows; r++) {
        size_t seen = position + r / j->group + 1;
        size_t valid = seen <= first ? 0 : min_size(count, seen - first);
        k->block_softmax(s->scores + r * ATTENTION_STRIDE, valid, padded, &out->max[r], &out->sum[r]);
    }
    for (size_t p = 0; p < count; p += piece) {
        size_t here = min_size(piece, count - p);
        k->load_values[j->cache.dtype](
            (const char *)j->cache.values + offset, stride, slots + p, here, count - p, dim, s->panel);
        multiply(k, rows, round_up(dim, BLOCK), here, s->scores + p, s->panel, p > 0, out->values);
    }
}

/// Adds one row of a later block to a row's running result.
static void merge_row(const kernel_table *k, size_t dim, float *max, float *sum, float *values, float block_max,
    float block_sum, const float *block_values) {
    if (block_sum == 0) return;  // the row sees none of the block
    float top = block_max > *max || isnan(block_max) ? block_max : *max;
    float a = expf(*max - top), b = expf(block_max - top);
    *sum = *sum * a + block_sum * b;
    *max = top;
    k->blend(values, a, block_values, b, dim);
}

static void clear(tile_sums *s, size_t rows, size_t dim) {
    for (size_t r = 0; r < rows; r++) {
        s->max[r] = -INFINITY;
        s->sum[r] = 0;
        memset(s->values + r * ATTENTION_STRIDE, 0, dim * sizeof(float));
    }
}

static void store_rows(const attention_job *j, const tile *t, size_t head, tile_sums *s) {
    size_t dim = j->heads.head_dim, size = dtype_size(j->cache.dtype);
    size_t row = (size_t)j->sequences[t->sequence].row_start + t->first;
    for (size_t r = 0; r < t->count * j->group; r++) {
        float *values = s->values + r * ATTENTION_STRIDE;
        j->c->table.scale(values, dim, 1 / s->sum[r], values);
        size_t at = ((row + r / j->group) * j->heads.query_heads + head * j->group + r % j->group) * dim;
        j->c->table.from_float[j->cache.dtype](values, dim, j->out + at * size);
    }
}

/// All blocks of a tile and head, one after the other.
static void attend_tile(const attention_job *j, const tile *t, size_t head, attention_scratch *s) {
    size_t rows = t->count * j->group, dim = j->heads.head_dim;
    load_query(j, t, head, s);
    clear(&s->total, rows, dim);
    for (size_t block = 0; block < t->blocks; block++) {
        attend_block(j, t, head, block, s, &s->block);
        for (size_t r = 0; r < rows; r++)
            merge_row(&j->c->table, dim, &s->total.max[r], &s->total.sum[r], s->total.values + r * ATTENTION_STRIDE,
                s->block.max[r], s->block.sum[r], s->block.values + r * ATTENTION_STRIDE);
    }
    store_rows(j, t, head, &s->total);
}

/// Partial results of a block and head: all max, all sums, then the rows' values.
static float *partial_of(const attention_job *j, const tile *t, size_t head, size_t block) {
    return (float *)j->c->shared + t->partial + (head * t->blocks + block) * t->partial_floats;
}

static void attend_partial(const attention_job *j, const tile *t, size_t head, size_t block, attention_scratch *s) {
    size_t rows = t->count * j->group, dim = j->heads.head_dim;
    load_query(j, t, head, s);
    attend_block(j, t, head, block, s, &s->block);
    float *out = partial_of(j, t, head, block);
    memcpy(out, s->block.max, rows * sizeof(float));
    memcpy(out + rows, s->block.sum, rows * sizeof(float));
    for (size_t r = 0; r < rows; r++)
        memcpy(out + 2 * rows + r * dim, s->block.values + r * ATTENTION_STRIDE, dim * sizeof(float));
}

static void merge_partials(const attention_job *j, const tile *t, size_t head, attention_scratch *s) {
    size_t rows = t->count * j->group, dim = j->heads.head_dim;
    clear(&s->total, rows, dim);
    for (size_t block = 0; block < t->blocks; block++) {
        const float *in = partial_of(j, t, head, block);
        for (size_t r = 0; r < rows; r++)
            merge_row(&j->c->table, dim, &s->total.max[r], &s->total.sum[r], s->total.values + r * ATTENTION_STRIDE,
                in[r], in[rows + r], in + 2 * rows + r * dim);
    }
    store_rows(j, t, head, &s->total);
}

static void attend_items(void *context, size_t thread, size_t begin, size_t end) {
    const attention_job *j = context;
    attention_scratch *s = (attention_scratch *)thread_scratch(j->c, thread);
    // Items run from the last to the first: later tiles see more positions, and long work should start early.
    size_t low = j->items - end, high = j->items - begin;
    tile t;
    for (bool more = first_tile(j, &t); more && t.item < high; more = next_tile(j, &t)) {
        for (size_t i = max_size(low, t.item); i < min_size(high, t.item + t.items); i++) {
            size_t own = i - t.item;
            if (j->split)
                attend_partial(j, &t, own / t.blocks, own % t.blocks, s);
            else
                attend_tile(j, &t, own, s);
        }
    }
}

static void merge_items(void *context, size_t thread, size_t begin, size_t end) {
    const attention_job *j = context;
    attention_scratch *s = (attention_scratch *)thread_scratch(j->c, thread);
    tile t;
    size_t item = 0;
    for (bool more = first_tile(j, &t); more; more = next_tile(j, &t))
        for (size_t head = 0; head < j->heads.kv_heads; head++, item++)
            if (item >= begin && item < end) merge_partials(j, &t, head, s);
}

void kernels_attention(kernels_compute *c, const float *query, const kernels_heads *heads, const kernels_cache *cache,
    const kernels_sequence *sequences, size_t sequence_count, const int32_t *slots, float scale, void *out) {
    size_t group = heads->query_heads / heads->kv_heads;
    attention_job j = {.c = c,
        .query = query,
        .heads = *heads,
        .cache = *cache,
        .sequences = sequences,
        .sequence_count = sequence_count,
        .slots = slots,
        .scale = scale,
        .out = out,
        .group = group,
        .tile_rows = max_size(1, ATTENTION_ROWS / group)};
    size_t tiles = 0, blocks = 0, partial_bytes = 0;
    tile t;
    for (bool more = first_tile(&j, &t); more; more = next_tile(&j, &t)) {
        tiles++;
        blocks += t.blocks;
        partial_bytes += heads->kv_heads * t.blocks * t.partial_floats * sizeof(float);
    }
    size_t whole = tiles * heads->kv_heads;
    j.split = whole < 4 * pool_threads(c->pool) && blocks > tiles && partial_bytes <= SHARED_BYTES;
    j.items = j.split ? blocks * heads->kv_heads : whole;
    pool_lock(c->pool);
    pool_run(c->pool, attend_items, &j, j.items, 1);
    if (j.split) pool_run(c->pool, merge_items, &j, whole, 4);
    pool_unlock(c->pool);
}
