// Creation of the object operations run on: table, pool and scratch memory, all sized once.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "table.h"

static char *map_scratch(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static void unmap_scratch(char *p, size_t bytes) {
    if (p) munmap(p, bytes);
}

/// Lends each thread an object of its own, which has one thread and works in that thread's scratch.
static bool create_parts(kernels_compute *c) {
    size_t threads = pool_threads(c->pool);
    if (threads == 1) return true;
    c->parts = calloc(threads, sizeof *c->parts);
    if (!c->parts) return false;
    for (size_t i = 0; i < threads; i++) {
        kernels_compute *part = &c->parts[i];
        part->isa = c->isa;
        part->scratch = thread_scratch(c, i);
        part->shared = map_scratch(SHARED_BYTES);
        part->pool = pool_create(1, NULL);
        if (!part->shared || !part->pool) return false;
    }
    return true;
}

kernels_compute *kernels_compute_create(kernels_isa isa, size_t threads, const int32_t *cores) {
    if (threads == 0) return NULL;
    kernels_compute *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->isa = kernels_select(isa, &c->table);
    c->scratch_bytes = threads * THREAD_BYTES;
    c->shared = map_scratch(SHARED_BYTES + c->scratch_bytes);
    c->scratch = c->shared + SHARED_BYTES;
    c->pool = c->shared ? pool_create(threads, cores) : NULL;
    if (c->pool && create_parts(c)) return c;
    kernels_compute_destroy(c);
    return NULL;
}

void kernels_compute_destroy(kernels_compute *c) {
    for (size_t i = 0; c->parts && i < pool_threads(c->pool); i++) {
        if (c->parts[i].pool) pool_destroy(c->parts[i].pool);
        unmap_scratch(c->parts[i].shared, SHARED_BYTES);
    }
    free(c->parts);
    if (c->pool) pool_destroy(c->pool);
    unmap_scratch(c->shared, SHARED_BYTES + c->scratch_bytes);
    free(c);
}

kernels_compute *kernels_compute_part(kernels_compute *c, size_t thread) { return c->parts ? &c->parts[thread] : c; }

typedef struct {
    kernels_part_work work;
    void *context;
} apart_job;

static void run_parts(void *context, size_t thread, size_t begin, size_t end) {
    const apart_job *j = context;
    for (size_t i = begin; i < end; i++) j->work(j->context, thread, i);
}

void kernels_run_apart(kernels_compute *c, size_t count, kernels_part_work work, void *context) {
    apart_job j = {work, context};
    if (!c->parts) return run_parts(&j, 0, 0, count);
    pool_lock(c->pool);
    // What the whole multiplies with may have changed since.
    for (size_t i = 0; i < pool_threads(c->pool); i++) c->parts[i].table = c->table;
    pool_run_named(c->pool, "parts", run_parts, &j, count, 1);
    pool_unlock(c->pool);
}

kernels_isa kernels_compute_isa(const kernels_compute *c) { return c->isa; }
void kernels_step_begin(kernels_compute *c) { pool_set_spinning(c->pool, true); }
void kernels_step_end(kernels_compute *c) { pool_set_spinning(c->pool, false); }

void kernels_record(kernels_compute *c, kernels_timing *spans, size_t capacity) {
    pool_lock(c->pool);
    pool_record(c->pool, spans, capacity);
    pool_unlock(c->pool);
}

size_t kernels_recorded(const kernels_compute *c) { return pool_recorded(c->pool); }
