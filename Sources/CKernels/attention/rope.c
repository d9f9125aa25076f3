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
    float normed[MAX_HEAD_DIM];
    if (weight) {
        float *target = j->rotary.interleaved ? normed : out;
        k->rms_norm(x, weight, dim, j->norm.epsilon, target);
        x = target;
    }
    if (j->rotary.interleaved) {
        for (size_t i = 0; i < half; i++) {
            out[i] = x[2 * i];
            out[half + i] = x[2 * i + 1];
        }
        memcpy(out + 2 * half, x + 2 * half, (dim - 2 * half) * sizeof(float));
    } else if (x != out) {
        memcpy(out, x, dim * sizeof(float));
    }
    size_t at = (size_t)j->positions[row] * half;
    k->rotate(out, j->rotary.cosines + at, j->rotary.sines + at, j->rotary.rotary_dim);
}

/// Writes one key or value head to its slot in `plane`, one of the cache's two.
static void store_head(const rope_job *j, const float *x, size_t head, size_t slot, void *plane, float *plane_scales) {
    const kernel_table *k = &j->c->table;
    size_t dim = j->heads.head_dim, row = head * j->cache.slots + slot;
    char *out = (char *)plane + row * dim * cache_element_size(j->cache.dtype);
    if (j->cache.dtype == KERNELS_CACHE_I8)
        plane_scales[row] = k->quantize(x, dim, (int8_t *)out);
    else
        k->from_float[(kernels_dtype)j->cache.dtype](x, dim, out);
}

static void rope_rows(void *context, size_t thread, size_t begin, size_t end) {
    const rope_job *j = context;
    size_t dim = j->heads.head_dim, queries = j->heads.query_heads, kv = j->heads.kv_heads;
    float *key = (float *)thread_scratch(j->c, thread);
    // Without norm and rotation heads are what they are.
    bool bare_queries = !j->norm.query_weight && j->rotary.rotary_dim == 0;
    bool bare_keys = !j->norm.key_weight && j->rotary.rotary_dim == 0;
    for (size_t t = begin; t < end; t++) {
        const float *row = j->qkv + t * (queries + 2 * kv) * dim;
        if (bare_queries) memcpy(j->query + t * queries * dim, row, queries * dim * sizeof(float));
        for (size_t h = 0; h < queries && !bare_queries; h++)
            prepare_head(j, row + h * dim, j->norm.query_weight, t, j->query + (t * queries + h) * dim);
        if (j->rotary.query_factors) {
            float *own = j->query + t * queries * dim;
            j->c->table.scale(own, queries * dim, j->rotary.query_factors[j->positions[t]], own);
        }
        for (size_t h = 0; h < kv; h++) {
            const float *head = row + (queries + h) * dim;
            if (!bare_keys) prepare_head(j, head, j->norm.key_weight, t, key);
            store_head(
                j, bare_keys ? head : key, h, (size_t)j->slots[t], j->cache.keys, j->cache.key_scales);
            const float *value = row + (queries + kv + h) * dim;
            store_head(j, value, h, (size_t)j->slots[t], j->cache.values, j->cache.value_scales);
        }
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
