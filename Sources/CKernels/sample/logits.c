// Operations on rows of logits. A row is one thread's work, so its bits depend on nothing else.
#include <float.h>
#include <math.h>

#include "table.h"

/// Elements below which a call is not worth another thread.
#define LOGIT_GRAIN 32768

typedef struct {
    kernels_compute *c;
    const float *x, *scales;
    size_t size;
    float scale;
    float *out;
    int32_t *indices;
    kernels_normalizer *normalizers;
} logit_job;

static void run_rows(logit_job *j, pool_work work, size_t rows) {
    pool_lock(j->c->pool);
    pool_run_named(j->c->pool, "logit_rows", work, j, rows, max_size(1, LOGIT_GRAIN / max_size(1, j->size)));
    pool_unlock(j->c->pool);
}

/// The nearest positive finite number: 0 times a forbidden element, and infinity times the largest one, would be NaN.
static float usable_scale(float scale) { return scale < 0x1p-149f ? 0x1p-149f : scale > FLT_MAX ? FLT_MAX : scale; }

/// Elements of plus infinity.
static size_t count_infinite(const float *x, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += x[i] == INFINITY;
    return count;
}

static void argmax_rows(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    for (size_t t = begin; t < end; t++) {
        float max;
        size_t index;
        bool found = j->c->table.argmax(j->x + t * j->size, j->size, &max, &index) && max > -INFINITY;
        j->indices[t] = found ? (int32_t)index : -1;
    }
}

void kernels_argmax(kernels_compute *c, const float *x, size_t rows, size_t size, int32_t *out) {
    logit_job j = {.c = c, .x = x, .size = size, .indices = out};
    run_rows(&j, argmax_rows, rows);
}

static kernels_normalizer normalize(const kernel_table *k, const float *x, size_t n, float scale) {
    kernels_normalizer r = {.scale = usable_scale(scale)};
    size_t index;
    if (!k->argmax(x, n, &r.largest, &index)) return (kernels_normalizer){NAN, NAN, NAN, NAN};
    r.sum = r.largest;
    if (r.largest == -INFINITY) {
        r.relative = NAN;
    } else if (r.largest == INFINITY) {
        r.relative = (float)log((double)count_infinite(x, n));
    } else {
        double relative = log(k->sum_exp(x, n, r.largest, r.scale));
        r.relative = (float)relative;
        r.sum = (float)(relative + (double)r.largest * r.scale);
    }
    return r;
}

static void normalize_rows(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    for (size_t t = begin; t < end; t++)
        j->normalizers[t] = normalize(&j->c->table, j->x + t * j->size, j->size, j->scale);
}

void kernels_normalize(
    kernels_compute *c, const float *x, size_t rows, size_t size, float scale, kernels_normalizer *out) {
    logit_job j = {.c = c, .x = x, .size = size, .scale = scale, .normalizers = out};
    run_rows(&j, normalize_rows, rows);
}

/// What elements of plus infinity leave: equal shares for them, nothing for the others.
static void share_evenly(const float *x, size_t n, float *out) {
    float share = 1 / (float)count_infinite(x, n);
    for (size_t i = 0; i < n; i++) out[i] = x[i] == INFINITY ? share : 0;
}

static void softmax_row(const kernel_table *k, const float *x, size_t n, float scale, float *out) {
    float max;
    size_t index;
    if (!k->argmax(x, n, &max, &index) || max == -INFINITY) {
        for (size_t i = 0; i < n; i++) out[i] = NAN;
        return;
    }
    if (max == INFINITY) return share_evenly(x, n, out);
    if (isinf(max * scale)) {
        // The differences to the largest element decide; there may be none that float32 can hold once scaled.
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - max) * scale;
        x = out;
        max = 0;
    } else if (scale != 1) {
        k->scale(x, n, scale, out);
        x = out;
        max *= scale;
    }
    k->exp_scale(x, n, max, (float)(1 / k->sum_exp(x, n, max, 1)), out);
}

static void softmax_rows(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    for (size_t t = begin; t < end; t++) {
        float scale = j->scales ? usable_scale(j->scales[t]) : 1;
        softmax_row(&j->c->table, j->x + t * j->size, j->size, scale, j->out + t * j->size);
    }
}

void kernels_softmax(kernels_compute *c, const float *x, size_t rows, size_t size, const float *scales, float *out) {
    logit_job j = {.c = c, .x = x, .size = size, .scales = scales, .out = out};
    run_rows(&j, softmax_rows, rows);
}

// The chosen elements are a heap with the worst on top: the smaller value, on ties the higher index.

static bool worse(const float *values, const int32_t *indices, size_t a, size_t b) {
    return values[a] < values[b] || (values[a] == values[b] && indices[a] > indices[b]);
}

static void swap(float *values, int32_t *indices, size_t a, size_t b) {
    float v = values[a];
    int32_t i = indices[a];
    values[a] = values[b];
    indices[a] = indices[b];
    values[b] = v;
    indices[b] = i;
}

static void sift_down(float *values, int32_t *indices, size_t at, size_t n) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) return;
        if (child + 1 < n && worse(values, indices, child + 1, child)) child++;
        if (!worse(values, indices, child, at)) return;
        swap(values, indices, child, at);
        at = child;
    }
}

size_t kernels_top_k(kernels_compute *c, const float *x, size_t size, size_t count, float *values, int32_t *indices) {
    size_t found = 0, i = 0;
    if (count == 0) return 0;
    for (; i < size && found < count; i++) {
        if (isnan(x[i])) continue;
        values[found] = x[i];
        indices[found++] = (int32_t)i;
    }
    for (size_t at = found / 2; at-- > 0;) sift_down(values, indices, at, found);
    // An equal element further on never replaces a chosen one, so ties keep the lower index.
    while (found == count && (i = c->table.find_greater(x, i, size, values[0])) < size) {
        values[0] = x[i];
        indices[0] = (int32_t)i++;
        sift_down(values, indices, 0, found);
    }
    for (size_t left = found; left > 1; left--) {
        swap(values, indices, 0, left - 1);
        sift_down(values, indices, 0, left - 1);
    }
    return found;
}

void kernels_mask_logits(float *x, size_t size, const uint64_t *allowed) {
    for (size_t start = 0; start < size; start += 64) {
        uint64_t word = allowed[start / 64];
        size_t count = size - start < 64 ? size - start : 64;
        if (word == UINT64_MAX) continue;
        for (size_t i = 0; i < count; i++) {
            if (!(word >> i & 1)) x[start + i] = -INFINITY;
        }
    }
}
