#define _GNU_SOURCE
#include "collective.h"

#include <immintrin.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
/// Nanoseconds a rank waits awake before it sleeps: longer than ranks differ in one product of a decode step.
#define SPIN_NANOSECONDS 200000
/// Pauses between two looks at the clock.
#define PAUSES_PER_LOOK 32

/// A number that only grows, and whether somebody sleeps until it does; alone on its cache line.
typedef struct {
    _Alignas(64) atomic_uint value;
    atomic_uint sleepers;
} counter;

typedef struct {
    counter offers;  // 1 once the terms and sizes below are valid
    counter plans;   // plans published
    counter meetings[COLLECTIVE_RANKS];
    uint64_t terms[COLLECTIVE_TERMS];
    uint64_t plan_bytes, slot_floats;
} header;

_Static_assert(sizeof(header) <= PAGE, "the header is one page");

struct collective {
    header *shared;
    char *memory;
    size_t bytes;
    int descriptor;
    size_t rank, ranks;
    size_t plan_bytes, slot_bytes;
    unsigned plans, meetings;
    size_t round;
};

static int64_t now_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// Counts are compared by difference, so that they may wrap.
static bool reached(counter *c, unsigned target) {
    return (int)(atomic_load_explicit(&c->value, memory_order_acquire) - target) >= 0;
}

static void advance(counter *c) {
    // Both operations are sequentially consistent, as are those of the sleeper: one of the two sees the other.
    atomic_fetch_add(&c->value, 1);
    if (atomic_load(&c->sleepers) != 0) syscall(SYS_futex, &c->value, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/// Sleeps until the counter may have changed or the deadline has passed.
static void sleep_on(counter *c, unsigned target, int64_t deadline) {
    atomic_fetch_add(&c->sleepers, 1);
    unsigned value = atomic_load(&c->value);
    int64_t left = deadline - now_nanoseconds();
    if ((int)(value - target) < 0 && left > 0) {
        struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        syscall(SYS_futex, &c->value, FUTEX_WAIT, value, &t, NULL, 0);
    }
    atomic_fetch_sub(&c->sleepers, 1);
}

/// Waits until the counter has reached `target`; false after `nanoseconds`.
static bool await_count(counter *c, unsigned target, bool spins, int64_t nanoseconds) {
    if (reached(c, target)) return true;
    int64_t start = now_nanoseconds(), deadline = start + nanoseconds;
    while (spins && now_nanoseconds() - start < SPIN_NANOSECONDS) {
        for (int i = 0; i < PAUSES_PER_LOOK; i++) {
            if (reached(c, target)) return true;
            _mm_pause();
        }
    }
    while (!reached(c, target)) {
        if (now_nanoseconds() >= deadline) return false;
        sleep_on(c, target, deadline);
    }
    return true;
}

static size_t whole_pages(size_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

/// Maps header, plan and slots of the sizes in the header.
static bool map_all(collective *g) {
    g->plan_bytes = whole_pages(g->shared->plan_bytes);
    g->slot_bytes = whole_pages(g->shared->slot_floats * sizeof(float));
    size_t bytes = PAGE + g->plan_bytes + 2 * g->ranks * g->slot_bytes;
    if (g->rank == 0 && ftruncate(g->descriptor, (off_t)bytes) != 0) return false;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, g->descriptor, 0);
    if (memory == MAP_FAILED) return false;
    munmap(g->memory, g->bytes);
    g->memory = memory;
    g->bytes = bytes;
    g->shared = (header *)memory;
    return true;
}

collective *collective_open(int descriptor, size_t rank, size_t ranks) {
    if (ranks == 0 || ranks > COLLECTIVE_RANKS || rank >= ranks) return NULL;
    char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) return NULL;
    collective *g = malloc(sizeof *g);
    if (!g) {
        munmap(memory, PAGE);
        return NULL;
    }
    *g = (collective){.shared = (header *)memory,
        .memory = memory,
        .bytes = PAGE,
        .descriptor = descriptor,
        .rank = rank,
        .ranks = ranks};
    return g;
}

void collective_close(collective *g) {
    munmap(g->memory, g->bytes);
    free(g);
}

bool collective_offer(collective *g, const uint64_t *terms, size_t plan_bytes, size_t slot_floats) {
    memcpy(g->shared->terms, terms, sizeof g->shared->terms);
    g->shared->plan_bytes = plan_bytes;
    g->shared->slot_floats = slot_floats;
    if (!map_all(g)) return false;
    advance(&g->shared->offers);
    return true;
}

bool collective_accept(collective *g, uint64_t *terms, int64_t nanoseconds) {
    if (!await_count(&g->shared->offers, 1, false, nanoseconds)) return false;
    memcpy(terms, g->shared->terms, sizeof g->shared->terms);
    return map_all(g);
}

size_t collective_slot_floats(const collective *g) { return g->shared->slot_floats; }

void *collective_plan(collective *g) { return g->memory + PAGE; }

void collective_publish(collective *g) { advance(&g->shared->plans); }

bool collective_await_plan(collective *g, bool spins, int64_t nanoseconds) {
    if (!await_count(&g->shared->plans, g->plans + 1, spins, nanoseconds)) return false;
    g->plans++;
    return true;
}

float *collective_slot(collective *g, size_t rank) {
    return (float *)(g->memory + PAGE + g->plan_bytes + (g->round * g->ranks + rank) * g->slot_bytes);
}

int collective_meet(collective *g, int64_t nanoseconds) {
    g->meetings++;
    advance(&g->shared->meetings[g->rank]);
    for (size_t i = 0; i < g->ranks; i++)
        if (i != g->rank && !await_count(&g->shared->meetings[i], g->meetings, true, nanoseconds)) return (int)i;
    return -1;
}

void collective_next_round(collective *g) { g->round ^= 1; }
