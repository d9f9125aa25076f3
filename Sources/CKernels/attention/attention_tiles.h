// How the query rows of a step are cut into tiles, and which positions they see; for attention.c alone.
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
    kernels_sight sight;
    kernels_dtype out_dtype;
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
    size_t begin, blocks;   // blocks of positions that its rows see
    size_t item, items;     // items of this tile, over all key-value heads
    size_t partial;         // where its partial results start, in floats
    size_t partial_floats;  // of one block and head
} tile;

/// Positions from `first` up to `end`.
typedef struct {
    size_t first, end;
} position_range;

/// What the row at a position of a sequence sees.
static position_range seen_from(const attention_job *j, const kernels_sequence *s, size_t position) {
    size_t length = (size_t)s->length, before = j->sight.before, after = j->sight.after;
    return (position_range){.first = position > before ? position - before : 0,
        .end = after < length - position ? position + after + 1 : length};
}

static void measure_tile(const attention_job *j, tile *t) {
    const kernels_sequence *s = &j->sequences[t->sequence];
    t->count = min_size(j->tile_rows, (size_t)s->row_count - t->first);
    size_t position = (size_t)(s->length - s->row_count) + t->first;
    t->begin = seen_from(j, s, position).first / KV_BLOCK;
    t->blocks = (seen_from(j, s, position + t->count - 1).end + KV_BLOCK - 1) / KV_BLOCK - t->begin;
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
