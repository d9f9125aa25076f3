// A fixed pool of threads that share loops with the calling thread.
#ifndef SRT_KERNEL_POOL_H
#define SRT_KERNEL_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

typedef struct kernels_pool kernels_pool;

/// Work on items `begin ..< end`; `thread` counts from 0, the caller.
typedef void (*pool_work)(void *context, size_t thread, size_t begin, size_t end);

/// Starts `threads - 1` threads, pinned to `cores[1...]` unless null; null when the system refuses.
kernels_pool *pool_create(size_t threads, const int32_t *cores);
void pool_destroy(kernels_pool *p);
size_t pool_threads(const kernels_pool *p);

/// Runs `work` over items `0 ..< total` and returns when all are done.
///
/// Each thread begins with an even share of neighbouring items and claims halves of what is left of it, down to `grain` items
/// (whole grains, and one item each at the very end); one that is done claims from the others' shares the same way, so that a
/// slow thread takes less and all finish together.
/// A loop of at most `grain` items runs in the caller alone. Loops must not nest.
void pool_run_named(
    kernels_pool *p, const char *name, pool_work work, void *context, size_t total, size_t grain);

/// The same under the name of the work, which a profile shows.
#define pool_run(p, work, context, total, grain) pool_run_named(p, #work, work, context, total, grain)

/// From here on loops are written down, up to `capacity` of them; null ends that. The memory stays the caller's.
void pool_record(kernels_pool *p, kernels_timing *spans, size_t capacity);
/// Loops written down since `pool_record`.
size_t pool_recorded(const kernels_pool *p);

/// Runs `work` once on every thread, as item `thread ..< thread + 1`.
void pool_run_each(kernels_pool *p, pool_work work, void *context);

/// Holds off other callers while an operation with several loops uses the scratch memory.
void pool_lock(kernels_pool *p);
void pool_unlock(kernels_pool *p);

/// Inside a step idle threads spin before they sleep.
void pool_set_spinning(kernels_pool *p, bool spinning);

#endif
