// What the machine can do at most, measured with the same pool and level as the operations.
#include <time.h>

#include "table.h"

typedef struct {
    kernels_compute *c;
    const char *data;
    size_t bytes, iterations;
    double (*dots)(size_t iterations);
} measurement;

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/// Bytes of one claimed piece of the read test.
#define READ_PIECE ((size_t)1 << 20)

static void read_pieces(void *context, size_t thread, size_t begin, size_t end) {
    measurement *m = context;
    size_t first = begin * READ_PIECE, last = min_size(end * READ_PIECE, m->bytes);
    uint64_t sum = m->c->table.read_memory(m->data + first, last - first);
    __asm__ volatile("" : : "r"(sum));
}

double kernels_time_read(kernels_compute *c, const void *data, size_t bytes) {
    measurement m = {.c = c, .data = data, .bytes = bytes};
    pool_lock(c->pool);
    pool_set_spinning(c->pool, true);
    double start = seconds_now();
    pool_run(c->pool, read_pieces, &m, (bytes + READ_PIECE - 1) / READ_PIECE, 4);
    double seconds = seconds_now() - start;
    pool_set_spinning(c->pool, false);
    pool_unlock(c->pool);
    return seconds;
}

static void run_dots(void *context, size_t thread, size_t begin, size_t end) {
    measurement *m = context;
    // Each thread owns a double in its own scratch, so that none waits for another's cache line.
    *(double *)thread_scratch(m->c, thread) = m->dots(m->iterations);
}

static double peak(kernels_compute *c, double (*dots)(size_t iterations), size_t iterations) {
    measurement m = {.c = c, .iterations = iterations, .dots = dots};
    pool_lock(c->pool);
    double start = seconds_now();
    pool_run_each(c->pool, run_dots, &m);
    double seconds = seconds_now() - start, operations = 0;
    for (size_t i = 0; i < pool_threads(c->pool); i++) operations += *(double *)thread_scratch(c, i);
    pool_unlock(c->pool);
    return operations / seconds;
}

double kernels_dot_peak(kernels_compute *c, kernels_dtype dtype, size_t iterations) {
    return peak(c, c->table.dot_peak[dtype], iterations);
}

double kernels_int8_dot_peak(kernels_compute *c, size_t iterations) {
    return peak(c, c->table.codes.dot_peak, iterations);
}
