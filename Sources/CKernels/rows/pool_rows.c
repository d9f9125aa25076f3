// Pooling of the rows of a text.
#include <math.h>

#include "table.h"

typedef struct {
    const float *x;
    size_t size;
    const kernels_row_span *spans;
    kernels_pooling pooling;
    float *out;
} pool_job;

static void pool_span(const pool_job *j, const kernels_row_span *span, float *out) {
    const float *x = j->x + (size_t)span->first * j->size;
    size_t rows = (size_t)span->count, size = j->size;
    float weights = j->pooling == KERNELS_POOL_WEIGHTED_MEAN ? (float)(span->skipped + 1) : 1;
    for (size_t i = 0; i < size; i++) out[i] = x[i] * weights;
    for (size_t r = 1; r < rows; r++) {
        const float *row = x + r * size;
        float weight = j->pooling == KERNELS_POOL_WEIGHTED_MEAN ? (float)((size_t)span->skipped + r + 1) : 1;
        weights += weight;
        if (j->pooling == KERNELS_POOL_MAX)
            for (size_t i = 0; i < size; i++) out[i] = row[i] > out[i] || isnan(row[i]) ? row[i] : out[i];
        else
            for (size_t i = 0; i < size; i++) out[i] += row[i] * weight;
    }
    if (j->pooling == KERNELS_POOL_MAX) return;
    float divisor = j->pooling == KERNELS_POOL_MEAN_SQUARE_ROOT ? sqrtf(weights) : weights;
    for (size_t i = 0; i < size; i++) out[i] /= divisor;
}

static void pool_spans(void *context, size_t thread, size_t begin, size_t end) {
    const pool_job *j = context;
    for (size_t i = begin; i < end; i++) pool_span(j, &j->spans[i], j->out + i * j->size);
}

void kernels_pool_rows(kernels_compute *c, const float *x, size_t size, const kernels_row_span *spans, size_t count,
    kernels_pooling pooling, float *out) {
    pool_job j = {.x = x, .size = size, .spans = spans, .pooling = pooling, .out = out};
    pool_lock(c->pool);
    pool_run(c->pool, pool_spans, &j, count, 1);
    pool_unlock(c->pool);
}
