// Counts allocations of the test process, so that tests can show that a piece of work makes none.
#ifndef SRT_ALLOCATION_COUNTER_H
#define SRT_ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stddef.h>

/// Allocations of the calling thread so far.
size_t allocation_count(void);

/// False where a sanitizer brings its own allocator, which must not be replaced; then nothing is counted.
bool allocations_are_counted(void);

#endif
