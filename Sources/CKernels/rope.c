// Splitting fused projections into queries and cached keys and values.
#include <string.h>

#include "table.h"

typedef struct {
    kernels_compute *c;
    const float *qkv;
    kernels_heads heads;
    kernels_rotary rotary;
    kernels_head_norm norm;
    const int32_t *positions, *slots;
    kernels_cache cache;
    float *query;
} rope_job;

/// Norms (if asked) and rotates one head.
static void prepare_head(const rope_job *j, const float *x, const float *weight, size_t row, float *out) {
    const kernel_table *k = &j->c->table;
    size_t dim = j->heads.head_dim, half = j->rotary.rotary_dim / 2;
    if (weight)
        k->rms_norm(x, weight, dim, j->norm.epsilon, out);
    else
        memcpy(out, x, dim * sizeof(float));
    size_t at = (size_t)j->positions[row] * half;
    k->rotate(out, j->rotary.cosines + at, j->rotary.sines + at, j->rotary.rotary_dim);
}

static void rope_rows(void *context, size_t thread, size_t begin, size_t end) {
    const rope_job *j = context;
    size_t dim = j->heads.head_dim, queries = j->heads.query_heads, kv = j->heads.kv_heads;
    size_t slot_bytes = kv * dim * dtype_size(j->cache.dtype);
    float *keys = (float *)thread_scratch(j->c, thread);
    void (*store)(const float *, size_t, void *) = j->c->table.from_float[j->cache.dtype];
    for (size_t t = begin; t < end; t++) {
        const float *row = j->qkv + t * (queries + 2 * kv) * dim;
        for (size_t h = 0; h < queries; h++)
            prepare_head(j, row + h * dim, j->norm.query_weight, t, j->query + (t * queries + h) * dim);
        for (size_t h = 0; h < kv; h++)
            prepare_head(j, row + (queries + h) * dim, j->norm.key_weight, t, keys + h * dim);
        size_t slot = (size_t)j->slots[t];
        store(keys, kv * dim, (char *)j->cache.keys + slot * slot_bytes);
        store(row + (queries + kv) * dim, kv * dim, (char *)j->cache.values + slot * slot_bytes);
    }
}

/// Elements below which a call is not worth another thread.
#define ROPE_GRAIN 8192

void kernels_rope_store(kernels_compute *c, const float *qkv, size_t rows, const kernels_heads *heads,
    const kernels_rotary *rotary, const kernels_head_norm *norm, const int32_t *positions, const int32_t *slots,
    const kernels_cache *cache, float *query) {
    rope_job j = {.c = c,
        .qkv = qkv,
        .heads = *heads,
        .rotary = *rotary,
        .norm = *norm,
        .positions = positions,
        .slots = slots,
        .cache = *cache,
        .query = query};
    size_t row_elements = (heads->query_heads + 2 * heads->kv_heads) * heads->head_dim;
    pool_lock(c->pool);
    pool_run(c->pool, rope_rows, &j, rows, max_size(1, ROPE_GRAIN / max_size(1, row_elements)));
    pool_unlock(c->pool);
}
