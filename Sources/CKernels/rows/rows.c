// Operations on single rows, shared among threads by rows.
#include <string.h>

#include "table.h"

/// Elements below which a call is not worth another thread.
#define ROW_GRAIN 16384

static size_t grain_of(size_t row_elements) { return max_size(1, ROW_GRAIN / max_size(1, row_elements)); }

typedef struct {
    kernels_compute *c;
    const char *x;
    char *out;
    const int32_t *indices;
    size_t offset;
    bool adds;
    const kernels_matrix *table;
    const float *weight, *bias;
    float *kept;
    size_t size;
    float number;
    kernels_dtype dtype;
} row_job;

static void run_rows(row_job *j, pool_work work, size_t rows, size_t row_elements) {
    pool_lock(j->c->pool);
    pool_run_named(j->c->pool, "rows", work, j, rows, grain_of(row_elements));
    pool_unlock(j->c->pool);
}

static void embed_rows(void *context, size_t thread, size_t begin, size_t end) {
    const row_job *j = context;
    for (size_t t = begin; t < end; t++) {
        float *out = (float *)j->out + t * j->size, *row = j->adds ? (float *)thread_scratch(j->c, thread) : out;
        kernels_unpack_row(j->table, (j->indices ? (size_t)j->indices[t] : 0) + j->offset, row);
        if (j->number != 1) j->c->table.scale(row, j->size, j->number, row);
        if (j->adds) j->c->table.blend(out, 1, row, 1, j->size);
    }
}

void kernels_embed(kernels_compute *c, const int32_t *tokens, size_t count, size_t offset, const kernels_matrix *table,
    float scale, bool accumulate, float *out) {
    row_job j = {.c = c,
        .out = (char *)out,
        .indices = tokens,
        .offset = offset,
        .table = table,
        .size = table->inputs,
        .number = scale,
        .adds = accumulate};
    run_rows(&j, embed_rows, count, 4 * j.size);
}

static void norm_rows(void *context, size_t thread, size_t begin, size_t end) {
    const row_job *j = context;
    const kernel_table *k = &j->c->table;
    float *normed = (float *)thread_scratch(j->c, thread);
    size_t size = dtype_size(j->dtype);
    for (size_t t = begin; t < end; t++) {
        char *out = j->out + t * j->size * size;
        float *target = j->dtype == KERNELS_F32 ? (float *)out : normed;
        k->rms_norm((const float *)j->x + t * j->size, j->weight, j->size, j->number, target);
        if (target == normed) k->from_float[j->dtype](normed, j->size, out);
    }
}

void kernels_rms_norm(kernels_compute *c, const float *x, size_t rows, size_t size, const float *weight, float epsilon,
    kernels_dtype dtype, void *out) {
    row_job j = {
        .c = c, .x = (const char *)x, .out = out, .weight = weight, .size = size, .number = epsilon, .dtype = dtype};
    run_rows(&j, norm_rows, rows, size);
}

static void layer_norm_rows(void *context, size_t thread, size_t begin, size_t end) {
    const row_job *j = context;
    const kernel_table *k = &j->c->table;
    size_t size = dtype_size(j->dtype);
    for (size_t t = begin; t < end; t++) {
        char *out = j->out + t * j->size * size;
        float *target = j->kept ? j->kept + t * j->size
            : j->dtype == KERNELS_F32 ? (float *)out : (float *)thread_scratch(j->c, thread);
        k->layer_norm((const float *)j->x + t * j->size, j->weight, j->bias, j->size, j->number, target);
        if ((char *)target != out) k->from_float[j->dtype](target, j->size, out);
    }
}

void kernels_layer_norm(kernels_compute *c, const float *x, size_t rows, size_t size, const float *weight,
    const float *bias, float epsilon, kernels_dtype dtype, void *out, float *kept) {
    row_job j = {.c = c,
        .x = (const char *)x,
        .out = out,
        .weight = weight,
        .bias = bias,
        .kept = kept,
        .size = size,
        .number = epsilon,
        .dtype = dtype};
    run_rows(&j, layer_norm_rows, rows, size);
}

static void gather(void *context, size_t thread, size_t begin, size_t end) {
    const row_job *j = context;
    for (size_t i = begin; i < end; i++) memcpy(j->out + i * j->size, j->x + (size_t)j->indices[i] * j->size, j->size);
}

void kernels_gather_rows(
    kernels_compute *c, const void *source, const int32_t *indices, size_t count, size_t row_bytes, void *out) {
    row_job j = {.c = c, .x = source, .out = out, .indices = indices, .size = row_bytes};
    run_rows(&j, gather, count, row_bytes / 4);
}

/// Elements of one piece of a conversion.
#define CONVERT_PIECE 16384

static void from_float_pieces(void *context, size_t thread, size_t begin, size_t end) {
    const row_job *j = context;
    size_t first = begin * CONVERT_PIECE, last = min_size(end * CONVERT_PIECE, j->size);
    j->c->table.from_float[j->dtype]((const float *)j->x + first, last - first, j->out + first * dtype_size(j->dtype));
}

static void to_float_pieces(void *context, size_t thread, size_t begin, size_t end) {
    const row_job *j = context;
    size_t first = begin * CONVERT_PIECE, last = min_size(end * CONVERT_PIECE, j->size);
    j->c->table.to_float[j->dtype](j->x + first * dtype_size(j->dtype), last - first, (float *)j->out + first);
}

void kernels_from_float(kernels_compute *c, const float *x, size_t count, kernels_dtype dtype, void *out) {
    row_job j = {.c = c, .x = (const char *)x, .out = out, .size = count, .dtype = dtype};
    run_rows(&j, from_float_pieces, (count + CONVERT_PIECE - 1) / CONVERT_PIECE, CONVERT_PIECE);
}

void kernels_to_float(kernels_compute *c, const void *x, size_t count, kernels_dtype dtype, float *out) {
    row_job j = {.c = c, .x = x, .out = (char *)out, .size = count, .dtype = dtype};
    run_rows(&j, to_float_pieces, (count + CONVERT_PIECE - 1) / CONVERT_PIECE, CONVERT_PIECE);
}
