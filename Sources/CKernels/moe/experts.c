// Mixtures of experts: which experts a row takes, and the products of all experts that have rows.
//
// Rows are sorted by expert, and the products of all busy experts share one loop of the pool, so that a single row with
// its few experts keeps every thread busy. A row's sums are added to its output in ascending order of its experts,
// whatever other rows there are: the cut into passes and groups never changes that order.
#include <math.h>
#include <string.h>

#include "products.h"
#include "table.h"

// Choosing

typedef struct {
    float *scores;
    size_t experts, each;
    const float *bias;
    bool normalizes;
    float factor;
    int32_t *chosen;
    float *weights;
} choice_job;

/// The largest scores of a row, the lower index first on ties. A row without numbers gets the first experts and weights
/// without numbers.
static void choose_row(const choice_job *j, float *scores, int32_t *chosen, float *weights) {
    float sum = 0;
    for (size_t n = 0; n < j->each; n++) {
        size_t best = 0;
        // What is chosen already is below every score.
        if (j->bias) {
            for (size_t i = 1; i < j->experts; i++)
                if (scores[i] + j->bias[i] > scores[best] + j->bias[best]) best = i;
        } else {
            for (size_t i = 1; i < j->experts; i++)
                if (scores[i] > scores[best]) best = i;
        }
        float score = scores[best];
        bool is_number = score == score;
        chosen[n] = (int32_t)(is_number ? best : n);
        weights[n] = score;
        sum += score;
        if (is_number) scores[best] = -INFINITY;
    }
    if (j->normalizes)
        for (size_t n = 0; n < j->each; n++) weights[n] /= sum;
    if (j->factor != 1)
        for (size_t n = 0; n < j->each; n++) weights[n] *= j->factor;
}

static void choose_rows(void *context, size_t thread, size_t begin, size_t end) {
    const choice_job *j = context;
    for (size_t t = begin; t < end; t++)
        choose_row(j, j->scores + t * j->experts, j->chosen + t * j->each, j->weights + t * j->each);
}

/// Scores that are looked at before a call is worth another thread.
#define CHOICE_GRAIN 16384

void kernels_choose_experts(kernels_compute *c, float *scores, size_t rows, size_t experts, size_t each,
    const float *bias, bool normalizes, float factor, int32_t *chosen, float *weights) {
    choice_job j = {.scores = scores,
        .experts = experts,
        .each = each,
        .bias = bias,
        .normalizes = normalizes,
        .factor = factor,
        .chosen = chosen,
        .weights = weights};
    pool_lock(c->pool);
    pool_run(c->pool, choose_rows, &j, rows, max_size(1, CHOICE_GRAIN / max_size(1, experts * each)));
    pool_unlock(c->pool);
}

// Products

/// Products of one group at most.
#define GROUP_PRODUCTS 512
/// Pairs of a row and an expert that are sorted at a time.
#define SORTED_PAIRS ((size_t)64 << 10)
/// Elements below which packing a group is the caller's alone.
#define PACK_GRAIN 16384

/// Products that run as one: packed in one loop and multiplied in another.
typedef struct {
    kernels_compute *c;
    const product_kind *kind;
    char *jobs;
    size_t count;
    /// Row tiles of all products up to and including each one.
    size_t *tiles;
    /// Blocks of every product's matrix.
    size_t blocks;
    /// Where the rows of the next product are packed, and where the memory ends.
    char *next, *end;
    size_t rows, inputs;
} product_group;

static void *job_at(const product_group *g, size_t i) { return g->jobs + i * g->kind->job_bytes; }

static void pack_products(void *context, size_t thread, size_t begin, size_t end) {
    const product_group *g = context;
    size_t i = 0;
    while (g->tiles[i] <= begin) i++;
    for (; begin < end; i++) {
        size_t first = i > 0 ? g->tiles[i - 1] : 0, last = min_size(end, g->tiles[i]);
        g->kind->pack(job_at(g, i), thread, begin - first, last - first);
        begin = last;
    }
}

/// Gate and up: blocks of all products in a row.
static void multiply_in_turn(void *context, size_t thread, size_t begin, size_t end) {
    const product_group *g = context;
    while (begin < end) {
        size_t i = begin / g->blocks, last = min_size(end, (i + 1) * g->blocks);
        g->kind->multiply(job_at(g, i), thread, begin - i * g->blocks, last - i * g->blocks);
        begin = last;
    }
}

/// Down: the same blocks of all products, so that one thread alone adds to a number, in the order of the experts.
static void multiply_side_by_side(void *context, size_t thread, size_t begin, size_t end) {
    const product_group *g = context;
    for (size_t i = 0; i < g->count; i++) g->kind->multiply(job_at(g, i), thread, begin, end);
}

static void run_group(product_group *g, bool in_turn) {
    if (g->count == 0) return;
    size_t tiles = g->tiles[g->count - 1], elements = max_size(1, g->rows * g->inputs / tiles);
    pool_run(g->c->pool, pack_products, g, tiles, max_size(1, PACK_GRAIN / elements));
    if (in_turn)
        pool_run(g->c->pool, multiply_in_turn, g, g->count * g->blocks, WIDE);
    else
        pool_run(g->c->pool, multiply_side_by_side, g, g->blocks, WIDE);
    g->count = g->rows = 0;
}

/// Rows of a product that still fit into the group, at most `rows`.
static size_t fitting_rows(const product_group *g, const kernels_matrix *w, size_t rows) {
    if (g->count == GROUP_PRODUCTS) return 0;
    size_t most = min_size(rows, g->kind->most_rows), room = (size_t)(g->end - g->next);
    if (g->kind->bytes(g->c, w, most) <= room) return most;
    // The bytes of rows are a sum of a fixed part and equal parts, up to rounding.
    size_t none = g->kind->bytes(g->c, w, 0), each = g->kind->bytes(g->c, w, 64) / 64 + 1;
    return room > none ? min_size(most, (room - none) / (each + 1)) : 0;
}

typedef struct {
    kernels_compute *c;
    const kernels_experts *e;
    const char *x;
    char *gated;
    float *out;
    size_t each;
    // The pairs of this pass, sorted by expert.
    int32_t *starts, *sources;
    float *weights;
    char *memory;
} mixture;

/// Sorts the pairs of `rows` rows by expert; rows keep their order.
static void sort_pairs(const mixture *m, const int32_t *chosen, const float *weights, size_t rows) {
    size_t experts = m->e->count, pairs = rows * m->each;
    memset(m->starts, 0, (experts + 1) * sizeof *m->starts);
    for (size_t i = 0; i < pairs; i++) m->starts[chosen[i] + 1]++;
    for (size_t i = 0; i < experts; i++) m->starts[i + 1] += m->starts[i];
    for (size_t i = 0; i < pairs; i++) {
        int32_t at = m->starts[chosen[i]]++;
        m->sources[at] = (int32_t)(i / m->each);
        m->weights[at] = weights[i];
    }
    // Each start has moved to the next one's place.
    memmove(m->starts + 1, m->starts, experts * sizeof *m->starts);
    m->starts[0] = 0;
}

/// The bias of an expert's product.
static const float *bias_of(const mixture *m, bool is_down, size_t expert) {
    const kernels_matrix *bias = is_down ? &m->e->down_bias : &m->e->gate_up_bias;
    if (!bias->data) return NULL;
    return (const float *)((const char *)bias->data + expert * kernels_packed_bytes(bias));
}

/// The product of some pairs of an expert.
static chosen_product product_of(
    const mixture *m, const kernels_matrix *w, bool is_down, size_t expert, size_t pair, size_t rows) {
    size_t gated_bytes = m->e->down.inputs * dtype_size(m->e->down.dtype);
    if (is_down)
        return (chosen_product){.w = w,
            .x = m->gated + pair * gated_bytes,
            .rows = rows,
            .chosen = {.targets = m->sources + pair, .weights = m->weights + pair},
            .packed_bias = bias_of(m, true, expert),
            .out = m->out};
    return (chosen_product){.w = w,
        .x = m->x,
        .rows = rows,
        .chosen = {.sources = m->sources + pair},
        .gated = m->gated + pair * gated_bytes,
        .packed_bias = bias_of(m, false, expert),
        .activation = m->e->activation};
}

/// All experts' products of one kind over the sorted pairs.
static void run_products(const mixture *m, bool is_down) {
    const kernels_matrix *first = is_down ? &m->e->down : &m->e->gate_up;
    size_t bytes = kernels_packed_bytes(first), experts = m->e->count;
    product_group g = {.c = m->c, .blocks = block_count(first), .inputs = first->inputs};
    g.kind = has_byte_products(first) ? &quantized_products : &plain_products;
    kernels_matrix *matrices = (kernels_matrix *)m->memory;
    g.tiles = (size_t *)(matrices + GROUP_PRODUCTS);
    g.jobs = (char *)(g.tiles + GROUP_PRODUCTS);
    char *panels = g.jobs + round_up(GROUP_PRODUCTS * g.kind->job_bytes, 64);
    g.next = panels;
    g.end = m->c->shared + SHARED_BYTES;
    for (size_t e = 0; e < experts; e++) {
        size_t pair = (size_t)m->starts[e], last = (size_t)m->starts[e + 1];
        while (pair < last) {
            size_t rows = fitting_rows(&g, first, last - pair);
            if (rows == 0) {
                run_group(&g, !is_down);
                g.next = panels;
                rows = max_size(1, fitting_rows(&g, first, last - pair));
            }
            kernels_matrix *w = matrices + g.count;
            *w = *first;
            w->data = (const char *)first->data + e * bytes;
            chosen_product p = product_of(m, w, is_down, e, pair, rows);
            size_t tiles = g.kind->begin(job_at(&g, g.count), m->c, &p, g.next);
            g.tiles[g.count] = tiles + (g.count > 0 ? g.tiles[g.count - 1] : 0);
            g.next += g.kind->bytes(m->c, w, rows);
            g.rows += rows;
            g.count++;
            pair += rows;
        }
    }
    run_group(&g, !is_down);
}

void kernels_mix_experts(kernels_compute *c, const void *x, size_t rows, const kernels_experts *e,
    const int32_t *chosen, const float *weights, size_t each, void *gated, float *out) {
    if (rows == 0 || each == 0 || e->down.inputs == 0) return;
    size_t most = max_size(1, SORTED_PAIRS / each), pairs = min_size(rows, most) * each;
    mixture m = {.c = c, .e = e, .x = x, .gated = gated, .out = out, .each = each};
    pool_lock(c->pool);
    m.starts = (int32_t *)c->shared;
    m.sources = m.starts + round_up(e->count + 1, 16);
    m.weights = (float *)(m.sources + round_up(pairs, 16));
    m.memory = (char *)(m.weights + round_up(pairs, 16));
    for (size_t done = 0; done < rows; done += most) {
        size_t count = min_size(most, rows - done);
        sort_pairs(&m, chosen + done * each, weights + done * each, count);
        run_products(&m, false);
        run_products(&m, true);
        m.x += count * e->gate_up.inputs * dtype_size(e->gate_up.dtype);
        m.out += count * e->down.outputs;
    }
    pool_unlock(c->pool);
}
