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

kernels_compute *kernels_compute_create(kernels_isa isa, size_t threads, const int32_t *cores) {
    if (threads == 0) return NULL;
    kernels_compute *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->isa = kernels_select(isa, &c->table);
    c->shared = map_scratch(SHARED_BYTES + threads * THREAD_BYTES);
    c->pool = c->shared ? pool_create(threads, cores) : NULL;
    if (c->pool) {
        c->scratch = c->shared + SHARED_BYTES;
        return c;
    }
    if (c->shared) munmap(c->shared, SHARED_BYTES + threads * THREAD_BYTES);
    free(c);
    return NULL;
}

void kernels_compute_destroy(kernels_compute *c) {
    size_t threads = pool_threads(c->pool);
    pool_destroy(c->pool);
    munmap(c->shared, SHARED_BYTES + threads * THREAD_BYTES);
    free(c);
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
