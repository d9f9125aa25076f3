// Sums over the slots of several ranks.
#include "table.h"

/// Elements of one piece of the sum.
#define PIECE 4096

typedef struct {
    const float *const *parts;
    size_t count, size;
    float *out;
} sum_job;

static void add_pieces(void *context, size_t thread, size_t begin, size_t end) {
    const sum_job *j = context;
    float sums[PIECE];
    for (size_t piece = begin; piece < end; piece++) {
        size_t first = piece * PIECE, n = min_size(PIECE, j->size - first);
        const float *a = j->parts[0] + first;
        for (size_t i = 0; i < n; i++) sums[i] = a[i];
        for (size_t p = 1; p < j->count; p++) {
            const float *b = j->parts[p] + first;
            for (size_t i = 0; i < n; i++) sums[i] += b[i];
        }
        float *out = j->out + first;
        for (size_t i = 0; i < n; i++) out[i] += sums[i];
    }
}

void kernels_add_sum(kernels_compute *c, const float *const *parts, size_t count, size_t size, float *out) {
    if (count == 0) return;
    sum_job j = {.parts = parts, .count = count, .size = size, .out = out};
    pool_lock(c->pool);
    pool_run(c->pool, add_pieces, &j, (size + PIECE - 1) / PIECE, 4);
    pool_unlock(c->pool);
}
