// Operations on parts of rows: norms of rows that ranks share, and caps on logits.
#include <math.h>

#include "table.h"

/// Elements below which a call is not worth another thread.
#define PART_GRAIN 16384
/// Sums that run side by side, so that vector units help without deciding the order.
#define LANES 16

typedef struct {
    kernels_compute *c;
    float *x;
    const float *weight;
    float *squares;
    size_t size, stride, total;
    float epsilon, scale, cap;
} part_job;

static size_t grain_of(size_t elements) { return max_size(1, PART_GRAIN / max_size(1, elements)); }

static void sum_rows(void *context, size_t thread, size_t begin, size_t end) {
    const part_job *j = context;
    for (size_t t = begin; t < end; t++) {
        const float *x = j->x + t * j->stride;
        float lanes[LANES] = {0}, sum = 0;
        for (size_t i = 0; i < j->size; i++) lanes[i % LANES] += x[i] * x[i];
        for (size_t i = 0; i < LANES; i++) sum += lanes[i];
        j->squares[t] = sum;
    }
}

void kernels_sum_squares(kernels_compute *c, const float *x, size_t rows, size_t size, size_t stride, float *out) {
    part_job j = {.c = c, .x = (float *)x, .squares = out, .size = size, .stride = stride};
    pool_lock(c->pool);
    pool_run_named(c->pool, "rows", sum_rows, &j, rows, grain_of(size));
    pool_unlock(c->pool);
}

static void scale_rows(void *context, size_t thread, size_t begin, size_t end) {
    const part_job *j = context;
    for (size_t t = begin; t < end; t++) {
        float *x = j->x + t * j->stride, factor = 1 / sqrtf(j->squares[t] / (float)j->total + j->epsilon);
        for (size_t i = 0; i < j->size; i++) x[i] = x[i] * factor * (j->weight ? j->weight[i] : 1);
    }
}

void kernels_scale_to_norm(kernels_compute *c, float *x, size_t rows, size_t size, size_t stride, const float *squares,
    size_t total, float epsilon, const float *weight) {
    part_job j = {.c = c,
        .x = x,
        .weight = weight,
        .squares = (float *)squares,
        .size = size,
        .stride = stride,
        .total = total,
        .epsilon = epsilon};
    pool_lock(c->pool);
    pool_run_named(c->pool, "rows", scale_rows, &j, rows, grain_of(size));
    pool_unlock(c->pool);
}

/// Elements of one piece.
#define CAP_PIECE 4096

static void cap_pieces(void *context, size_t thread, size_t begin, size_t end) {
    const part_job *j = context;
    size_t first = begin * CAP_PIECE, n = min_size(end * CAP_PIECE, j->size) - first;
    float *x = j->x + first;
    if (j->scale != 1) j->c->table.scale(x, n, j->scale, x);
    if (j->cap > 0) j->c->table.soft_cap(x, n, j->cap);
}

void kernels_cap(kernels_compute *c, float *x, size_t size, float scale, float cap) {
    if (size == 0 || (scale == 1 && cap == 0)) return;
    part_job j = {.c = c, .x = x, .size = size, .scale = scale, .cap = cap};
    pool_lock(c->pool);
    pool_run_named(c->pool, "rows", cap_pieces, &j, (size + CAP_PIECE - 1) / CAP_PIECE, 4);
    pool_unlock(c->pool);
}

static void sigmoid_pieces(void *context, size_t thread, size_t begin, size_t end) {
    const part_job *j = context;
    size_t first = begin * CAP_PIECE, last = min_size(end * CAP_PIECE, j->size);
    for (size_t i = first; i < last; i++) j->x[i] = 1 / (1 + expf(-j->x[i]));
}

void kernels_sigmoid(kernels_compute *c, float *x, size_t size) {
    part_job j = {.c = c, .x = x, .size = size};
    pool_lock(c->pool);
    pool_run_named(c->pool, "rows", sigmoid_pieces, &j, (size + CAP_PIECE - 1) / CAP_PIECE, 1);
    pool_unlock(c->pool);
}
