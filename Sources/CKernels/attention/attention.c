// Attention: how sequences, heads, query rows and positions are cut for caches and threads.
//
// Positions are reduced in blocks of KV_BLOCK that start at multiples of KV_BLOCK. A block's result (max, sum, weighted
// values) is computed from zero and then merged in position order, so a row's bits do not depend on which rows share
// its tile or which thread computed which block. Merging is the online softmax of Milakov and Gimelshein, "Online
// normalizer calculation for softmax" (2018), one step per block instead of one per position.
#include <math.h>
#include <string.h>

#include "attention_tiles.h"
#include "table.h"

/// Positions whose keys or values are unpacked at a time: few for few rows, which use them once, so that they do not
/// leave the first-level cache; for many rows as many as the second level holds well.
#define DECODE_PIECE (WIDE * BLOCK)
#define PREFILL_PIECE (4 * BLOCK)

#define LOG2_E 1.44269504f

/// Parts of the widest head.
#define HEAD_PARTS (MAX_HEAD_DIM / HEAD_PART)

/// Results of one tile for one key-value head; row i * group + g is query row i, head g of the group.
typedef struct {
    float max[ATTENTION_ROWS], sum[ATTENTION_ROWS];
    float values[HEAD_PARTS * HEAD_PART_FLOATS];
} tile_sums;

typedef struct {
    float query[HEAD_PARTS * HEAD_PART_FLOATS];
    float scores[ATTENTION_ROWS * ATTENTION_STRIDE];
    float panel[PREFILL_PIECE * MAX_HEAD_DIM];
    float key_scales[KV_BLOCK], value_scales[KV_BLOCK];
    tile_sums block, total;
} attention_scratch;

_Static_assert(sizeof(attention_scratch) <= THREAD_BYTES, "attention works in a thread's scratch");

/// Where a row's elements from `d` on, a multiple of HEAD_PART, lie in scratch.
static inline size_t part_at(size_t row, size_t d) { return d / HEAD_PART * HEAD_PART_FLOATS + row * ATTENTION_STRIDE; }

/// Copies the tile's query rows for one head group, scaled so that weights are powers of two.
static void load_query(const attention_job *j, const tile *t, size_t head, attention_scratch *s) {
    size_t dim = j->heads.head_dim;
    size_t row = (size_t)j->sequences[t->sequence].row_start + t->first;
    for (size_t i = 0; i < t->count; i++) {
        const float *q = j->query + ((row + i) * j->heads.query_heads + head * j->group) * dim;
        for (size_t g = 0; g < j->group; g++)
            for (size_t d = 0; d < dim; d += HEAD_PART)
                j->c->table.scale(q + g * dim + d, min_size(HEAD_PART, dim - d), j->scale * LOG2_E,
                    s->query + part_at(i * j->group + g, d));
    }
}

/// One block of positions as one tile and head see it.
typedef struct {
    const attention_job *job;
    const kernel_table *kernels;
    const kernels_sequence *sequence;
    size_t head;           // of keys and values
    size_t rows;           // query rows times group
    size_t first, count;   // positions of the block up to the last one that the tile's last row sees
    size_t position;       // of the tile's first query row
    const int32_t *slots;  // of the block
    const void *keys, *values;
    const float *key_scales, *value_scales;
} block_view;

static block_view view_block(const attention_job *j, const tile *t, size_t head, size_t block) {
    const kernels_sequence *q = &j->sequences[t->sequence];
    size_t plane = head * j->cache.slots, bytes = plane * j->heads.head_dim * cache_element_size(j->cache.dtype);
    bool scaled = j->cache.dtype == KERNELS_CACHE_I8;
    size_t first = (t->begin + block) * KV_BLOCK, position = (size_t)(q->length - q->row_count) + t->first;
    return (block_view){.job = j,
        .kernels = &j->c->table,
        .sequence = q,
        .head = head,
        .rows = t->count * j->group,
        .first = first,
        .count = min_size(KV_BLOCK, seen_from(j, q, position + t->count - 1).end - first),
        .position = position,
        .slots = j->slots + q->slot_start + first,
        .keys = (const char *)j->cache.keys + bytes,
        .values = (const char *)j->cache.values + bytes,
        .key_scales = scaled ? j->cache.key_scales + plane : NULL,
        .value_scales = scaled ? j->cache.value_scales + plane : NULL};
}

static size_t within_block(const block_view *v, size_t position) {
    return position <= v->first ? 0 : min_size(v->count, position - v->first);
}

/// Which of the block's positions the rows `row ..< end` see between them; none where first >= end.
static position_range seen_by(const block_view *v, size_t row, size_t end) {
    size_t group = v->job->group;
    position_range low = seen_from(v->job, v->sequence, v->position + row / group);
    position_range high = seen_from(v->job, v->sequence, v->position + (end - 1) / group);
    return (position_range){within_block(v, low.first), within_block(v, high.end)};
}

/// Row tiles of a view: how many, and where each starts. Rows are dealt out evenly.
static size_t row_tiles(const block_view *v) {
    size_t most = v->kernels->gemm[KERNELS_F32].tile_rows;
    return (v->rows + most - 1) / most;
}

/// Runs a tile of as many blocks at once as its rows allow; `b` is the first block's panel, `columns` a multiple of 32.
static void run_tile(const kernel_table *k, gemm_tile t, size_t columns) {
    size_t most = t.rows <= k->gemm[KERNELS_F32].wide_rows ? WIDE : 1;
    for (size_t left = columns / BLOCK; left > 0; left -= t.blocks) {
        t.blocks = min_size(most, left);
        k->row_tile(&t);
        t.b = (const char *)t.b + t.blocks * t.b_stride;
        t.c += t.blocks * BLOCK;
    }
}

/// Scores of `here` positions from the block's `p`th on, whose keys are in the panel.
static void score_piece(const block_view *v, size_t p, size_t here, attention_scratch *s) {
    size_t tiles = row_tiles(v), dim = v->job->heads.head_dim;
    for (size_t i = 0; i < tiles; i++) {
        size_t row = i * v->rows / tiles, end = (i + 1) * v->rows / tiles;
        position_range seen = seen_by(v, row, end);
        if (seen.end <= p || seen.first >= p + here) continue;
        for (size_t d = 0; d < dim; d += HEAD_PART) {
            gemm_tile t = {.rows = end - row,
                .steps = min_size(HEAD_PART, dim - d),
                .a = s->query + part_at(row, d),
                .b = s->panel + d * BLOCK,
                .b_stride = dim * BLOCK * sizeof(float),
                .c = s->scores + row * ATTENTION_STRIDE + p,
                .ldc = ATTENTION_STRIDE,
                .load = d > 0};
            run_tile(v->kernels, t, round_up(min_size(here, seen.end - p), BLOCK));
        }
    }
}

/// Adds to each row the values in the panel of `here` positions from the block's `p`th on, by their weights.
static void add_piece(const block_view *v, size_t p, size_t here, attention_scratch *s, tile_sums *out) {
    size_t tiles = row_tiles(v), dim = v->job->heads.head_dim;
    for (size_t i = 0; i < tiles; i++) {
        size_t row = i * v->rows / tiles, end = (i + 1) * v->rows / tiles;
        position_range seen = seen_by(v, row, end);
        if (seen.end <= p || seen.first >= p + here) continue;
        for (size_t d = 0; d < dim; d += HEAD_PART) {
            gemm_tile t = {.rows = end - row,
                .steps = here,
                .a = s->scores + row * ATTENTION_STRIDE + p,
                .b = s->panel + d * here,
                .b_stride = here * BLOCK * sizeof(float),
                .c = out->values + part_at(row, d),
                .ldc = ATTENTION_STRIDE,
                .load = seen.first < p};
            run_tile(v->kernels, t, round_up(min_size(HEAD_PART, dim - d), BLOCK));
        }
    }
}

/// Scales of the block's positions, if the cache has any, side by side.
static score_scales gather_scales(const block_view *v, attention_scratch *s) {
    if (!v->key_scales) return (score_scales){0};
    size_t padded = round_up(v->count, BLOCK);
    for (size_t i = 0; i < padded; i++) {
        s->key_scales[i] = i < v->count ? v->key_scales[v->slots[i]] : 0;
        s->value_scales[i] = i < v->count ? v->value_scales[v->slots[i]] : 0;
    }
    return (score_scales){.keys = s->key_scales, .values = s->value_scales};
}

/// Adds to a row's scores what the distance of positions is worth.
static void add_bias(const block_view *v, size_t row, position_range seen, float *scores) {
    const kernels_sight *sight = &v->job->sight;
    ptrdiff_t reach = (ptrdiff_t)sight->reach, group = (ptrdiff_t)v->job->group;
    size_t head = v->head * v->job->group + row % v->job->group;
    const float *bias = sight->bias + head * (2 * sight->reach + 1) + reach;
    ptrdiff_t distance = (ptrdiff_t)(v->first + seen.first) - (ptrdiff_t)(v->position + row / (size_t)group);
    for (size_t i = seen.first; i < seen.end; i++, distance++)
        scores[i] += bias[distance < -reach ? -reach : distance > reach ? reach : distance] * LOG2_E;
}

/// Turns the scores of a row into weights, 0 where it sees nothing.
static void weigh_row(const block_view *v, size_t row, size_t padded, const score_scales *scales, float *scores,
    float *max, float *sum) {
    position_range seen = seen_by(v, row, row + 1);
    score_scales own = *scales;
    bool biased = v->job->sight.bias != NULL, capped = v->job->sight.soft_cap > 0;
    if (seen.first >= seen.end) seen = (position_range){0};
    if (own.keys && (biased || capped || seen.first > 0)) {
        // Scales come before what is added, and before what hides the others.
        for (size_t i = seen.first; i < seen.end; i++) scores[i] *= own.keys[i];
        own.keys = NULL;
    }
    if (capped)
        v->kernels->soft_cap(scores + seen.first, seen.end - seen.first, v->job->sight.soft_cap * LOG2_E);
    if (biased) add_bias(v, row, seen, scores);
    for (size_t i = 0; i < seen.first; i++) scores[i] = -INFINITY;
    v->kernels->block_softmax(scores, &own, seen.end, padded, max, sum);
    for (size_t i = 0; i < seen.first; i++) scores[i] = 0;
}

/// One block of positions for a tile whose queries are loaded.
static void attend_block(
    const attention_job *j, const tile *t, size_t head, size_t block, attention_scratch *s, tile_sums *out) {
    block_view v = view_block(j, t, head, block);
    const kernel_table *k = v.kernels;
    size_t dim = j->heads.head_dim, padded = round_up(v.count, BLOCK);
    size_t piece = v.rows <= k->gemm[KERNELS_F32].tile_rows ? DECODE_PIECE : PREFILL_PIECE;
    score_scales scales = gather_scales(&v, s);
    for (size_t p = 0; p < v.count; p += piece) {
        size_t here = min_size(piece, v.count - p);
        k->load_keys[j->cache.dtype](v.keys, v.slots + p, here, v.count - p, dim, s->panel);
        score_piece(&v, p, here, s);
    }
    for (size_t r = 0; r < v.rows; r++)
        weigh_row(&v, r, padded, &scales, s->scores + r * ATTENTION_STRIDE, &out->max[r], &out->sum[r]);
    for (size_t p = 0; p < v.count; p += piece) {
        size_t here = min_size(piece, v.count - p);
        k->load_values[j->cache.dtype](v.values, v.slots + p, here, v.count - p, dim, s->panel);
        add_piece(&v, p, here, s, out);
    }
}

/// One row's result of a block: its parts lie `stride` floats apart.
typedef struct {
    float max, sum;
    const float *values;
    size_t stride;
} row_sums;

static row_sums row_of(const tile_sums *s, size_t r) {
    return (row_sums){s->max[r], s->sum[r], s->values + part_at(r, 0), HEAD_PART_FLOATS};
}

/// Adds one row of a later block to a row's running result.
static void merge_row(const kernel_table *k, size_t dim, tile_sums *s, size_t r, row_sums block) {
    if (block.sum == 0) return;  // the row sees none of the block
    float *max = &s->max[r], *sum = &s->sum[r];
    float top = block.max > *max || isnan(block.max) ? block.max : *max;
    float a = *max == top ? 1 : exp2f(*max - top), b = block.max == top ? 1 : exp2f(block.max - top);
    *sum = *sum * a + block.sum * b;
    *max = top;
    for (size_t d = 0; d < dim; d += HEAD_PART)
        k->blend(s->values + part_at(r, d), a, block.values + d / HEAD_PART * block.stride, b,
            min_size(HEAD_PART, dim - d));
}

static void clear(tile_sums *s, size_t rows, size_t dim) {
    for (size_t r = 0; r < rows; r++) {
        s->max[r] = -INFINITY;
        s->sum[r] = 0;
        for (size_t d = 0; d < dim; d += HEAD_PART)
            memset(s->values + part_at(r, d), 0, min_size(HEAD_PART, dim - d) * sizeof(float));
    }
}

static void store_rows(const attention_job *j, const tile *t, size_t head, tile_sums *s) {
    size_t dim = j->heads.head_dim, size = dtype_size(j->out_dtype);
    size_t row = (size_t)j->sequences[t->sequence].row_start + t->first;
    for (size_t r = 0; r < t->count * j->group; r++) {
        size_t own = head * j->group + r % j->group;
        size_t at = ((row + r / j->group) * j->heads.query_heads + own) * dim;
        float sum = s->sum[r];
        if (j->sight.sinks) sum += exp2f(j->sight.sinks[own] * LOG2_E - s->max[r]);
        for (size_t d = 0; d < dim; d += HEAD_PART)
            j->c->table.from_scaled[j->out_dtype](
                s->values + part_at(r, d), min_size(HEAD_PART, dim - d), 1 / sum, j->out + (at + d) * size);
    }
}

/// Rows see whole sequences, and nothing is added to scores.
static bool sees_everything(const attention_job *j) {
    return j->sight.before == SIZE_MAX && j->sight.after == SIZE_MAX && !j->sight.bias;
}

/// All blocks of a tile and head, one after the other.
static void attend_tile(const attention_job *j, const tile *t, size_t head, attention_scratch *s) {
    size_t rows = t->count * j->group, dim = j->heads.head_dim;
    load_query(j, t, head, s);
    // The only block is the result, as merging it with nothing would give it, where every row sees some of it.
    if (t->blocks == 1 && sees_everything(j)) {
        attend_block(j, t, head, 0, s, &s->total);
        return store_rows(j, t, head, &s->total);
    }
    clear(&s->total, rows, dim);
    for (size_t block = 0; block < t->blocks; block++) {
        attend_block(j, t, head, block, s, &s->block);
        for (size_t r = 0; r < rows; r++) merge_row(&j->c->table, dim, &s->total, r, row_of(&s->block, r));
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
        for (size_t d = 0; d < dim; d += HEAD_PART)
            memcpy(out + 2 * rows + r * dim + d, s->block.values + part_at(r, d),
                min_size(HEAD_PART, dim - d) * sizeof(float));
}

static void merge_partials(const attention_job *j, const tile *t, size_t head, attention_scratch *s) {
    size_t rows = t->count * j->group, dim = j->heads.head_dim;
    clear(&s->total, rows, dim);
    for (size_t block = 0; block < t->blocks; block++) {
        const float *in = partial_of(j, t, head, block);
        for (size_t r = 0; r < rows; r++)
            merge_row(&j->c->table, dim, &s->total, r,
                (row_sums){in[r], in[rows + r], in + 2 * rows + r * dim, HEAD_PART});
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
    const kernels_sequence *sequences, size_t sequence_count, const int32_t *slots, float scale,
    const kernels_sight *sight, kernels_dtype out_dtype, void *out) {
    size_t group = heads->query_heads / heads->kv_heads;
    attention_job j = {.c = c,
        .query = query,
        .heads = *heads,
        .cache = *cache,
        .sequences = sequences,
        .sequence_count = sequence_count,
        .slots = slots,
        .scale = scale,
        .sight = *sight,
        .out_dtype = out_dtype,
        .out = out,
        .group = group,
        .tile_rows = max_size(1, ATTENTION_ROWS / group)};
    size_t tiles = 0, blocks = 0, longest = 0, partial_bytes = 0;
    tile t;
    for (bool more = first_tile(&j, &t); more; more = next_tile(&j, &t)) {
        tiles++;
        blocks += t.blocks;
        longest = max_size(longest, t.blocks);
        partial_bytes += heads->kv_heads * t.blocks * t.partial_floats * sizeof(float);
    }
    size_t whole = tiles * heads->kv_heads;
    // Whole tiles are too coarse for the threads when they are few, or when one is much longer than the others.
    size_t threads = pool_threads(c->pool);
    bool coarse = whole < 4 * threads || longest * 4 * threads > blocks * heads->kv_heads;
    j.split = threads > 1 && coarse && blocks > tiles && partial_bytes <= SHARED_BYTES;
    j.items = j.split ? blocks * heads->kv_heads : whole;
    pool_lock(c->pool);
    pool_run(c->pool, attend_items, &j, j.items, 1);
    if (j.split) pool_run(c->pool, merge_items, &j, whole, 4);
    pool_unlock(c->pool);
}
