// Operations on rows of logits. A row is one thread's work, so its bits depend on nothing else.
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
    bool *flags;
} logit_job;

static void run_rows(logit_job *j, pool_work work, size_t rows) {
    pool_lock(j->c->pool);
    pool_run(j->c->pool, work, j, rows, max_size(1, LOGIT_GRAIN / max_size(1, j->size)));
    pool_unlock(j->c->pool);
}

static void argmax_rows(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    for (size_t t = begin; t < end; t++) {
        float max;
        size_t index;
        j->indices[t] = j->c->table.argmax(j->x + t * j->size, j->size, &max, &index) ? (int32_t)index : -1;
    }
}

void kernels_argmax(kernels_compute *c, const float *x, size_t rows, size_t size, int32_t *out) {
    logit_job j = {.c = c, .x = x, .size = size, .indices = out};
    run_rows(&j, argmax_rows, rows);
}

static void log_sum_exp_rows(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    for (size_t t = begin; t < end; t++) {
        const float *x = j->x + t * j->size;
        float max;
        size_t index;
        if (!j->c->table.argmax(x, j->size, &max, &index))
            j->out[t] = NAN;
        else if (isinf(max))
            j->out[t] = max;
        else
            j->out[t] = (float)(log(j->c->table.sum_exp(x, j->size, max, j->scale)) + (double)max * j->scale);
    }
}

void kernels_log_sum_exp(kernels_compute *c, const float *x, size_t rows, size_t size, float scale, float *out) {
    logit_job j = {.c = c, .x = x, .size = size, .scale = scale, .out = out};
    run_rows(&j, log_sum_exp_rows, rows);
}

static void scale_each(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    for (size_t t = begin; t < end; t++)
        j->c->table.scale(j->x + t * j->size, j->size, j->scales[t], j->out + t * j->size);
}

void kernels_scale_rows(kernels_compute *c, const float *x, size_t rows, size_t size, const float *scales, float *out) {
    logit_job j = {.c = c, .x = x, .size = size, .scales = scales, .out = out};
    run_rows(&j, scale_each, rows);
}

static void softmax_rows(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    const kernel_table *k = &j->c->table;
    for (size_t t = begin; t < end; t++) {
        const float *x = j->x + t * j->size;
        float max, *out = j->out + t * j->size;
        size_t index;
        if (!k->argmax(x, j->size, &max, &index)) {
            for (size_t i = 0; i < j->size; i++) out[i] = NAN;
            continue;
        }
        k->exp_scale(x, j->size, max, (float)(1 / k->sum_exp(x, j->size, max, 1)), out);
    }
}

void kernels_softmax(kernels_compute *c, const float *x, size_t rows, size_t size, float *out) {
    logit_job j = {.c = c, .x = x, .size = size, .out = out};
    run_rows(&j, softmax_rows, rows);
}

static void find_nans(void *context, size_t thread, size_t begin, size_t end) {
    const logit_job *j = context;
    for (size_t t = begin; t < end; t++) j->flags[t] = j->c->table.has_nan(j->x + t * j->size, j->size);
}

void kernels_rows_with_nan(kernels_compute *c, const float *x, size_t rows, size_t size, bool *out) {
    logit_job j = {.c = c, .x = x, .size = size, .flags = out};
    run_rows(&j, find_nans, rows);
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
