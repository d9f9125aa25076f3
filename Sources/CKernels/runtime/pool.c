#define _GNU_SOURCE
#include "pool.h"

#include <immintrin.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernels.h"

/// Nanoseconds a thread spins inside a step before it sleeps: longer than the serial work between two loops.
#define SPIN_NANOSECONDS 100000
/// Pauses between two looks at the clock.
#define PAUSES_PER_LOOK 64

struct kernels_pool {
    pthread_mutex_t lock;
    size_t threads;
    size_t started;
    pthread_t *handles;

    pool_work work;
    void *context;
    size_t total, grain;
    bool each;

    kernels_timing *spans;  // where loops are written down; null: they are not
    size_t span_room, span_count;

    // Each on its own line: they are written by different threads at different times.
    _Alignas(64) atomic_uint generation;  // changes when a loop starts
    _Alignas(64) atomic_uint sleepers;    // workers that may be in a futex wait
    _Alignas(64) atomic_size_t next;      // first unclaimed item
    _Alignas(64) atomic_uint busy;        // workers that have not finished the loop
    _Alignas(64) atomic_bool spinning;
    atomic_bool stopping;
};

typedef struct {
    kernels_pool *pool;
    size_t thread;
} worker_start;

static void futex_wait(atomic_uint *word, unsigned expected) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake_all(atomic_uint *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0); }

static int64_t now_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool kernels_pin_calling_thread(int32_t core) {
    if (core < 0 || core >= CPU_SETSIZE) return false;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

bool kernels_free_calling_thread(void) {
    cpu_set_t set;
    memset(&set, 0xFF, sizeof set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

size_t kernels_available_cores(int32_t *cores, size_t capacity) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    size_t count = 0;
    for (int32_t core = 0; core < CPU_SETSIZE && count < capacity; core++)
        if (CPU_ISSET((unsigned)core, &set)) cores[count++] = core;
    return count;
}

/// Claims the next range; false when none is left.
static bool claim(kernels_pool *p, size_t *begin, size_t *end) {
    size_t first = atomic_load_explicit(&p->next, memory_order_relaxed);
    for (;;) {
        if (first >= p->total) return false;
        size_t left = p->total - first;
        size_t take = left / (2 * p->threads) / p->grain * p->grain;
        if (take < p->grain) take = p->grain;
        // So few items are left that another thread would wait for whole grains.
        if (left <= p->threads) take = 1;
        if (take > left) take = left;
        if (atomic_compare_exchange_weak_explicit(
                &p->next, &first, first + take, memory_order_relaxed, memory_order_relaxed)) {
            *begin = first;
            *end = first + take;
            return true;
        }
    }
}

static void take_part(kernels_pool *p, size_t thread) {
    if (p->each) {
        p->work(p->context, thread, thread, thread + 1);
        return;
    }
    size_t begin, end;
    while (claim(p, &begin, &end)) p->work(p->context, thread, begin, end);
}

/// Spins until `*word` differs from `old`, within the time limit; true when it does.
static bool spin_for_change(const atomic_uint *word, unsigned old) {
    int64_t limit = 0;
    for (;;) {
        for (int i = 0; i < PAUSES_PER_LOOK; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != old) return true;
            _mm_pause();
        }
        int64_t now = now_nanoseconds();
        if (limit == 0) limit = now + SPIN_NANOSECONDS;
        if (now > limit) return false;
    }
}

static unsigned wait_for_generation(kernels_pool *p, unsigned seen) {
    for (;;) {
        unsigned current = atomic_load_explicit(&p->generation, memory_order_acquire);
        if (current != seen) return current;
        if (atomic_load_explicit(&p->spinning, memory_order_relaxed) && spin_for_change(&p->generation, seen)) continue;
        // Announced before the kernel compares the word, so a loop that starts now either changes the word first or
        // sees a sleeper to wake.
        atomic_fetch_add(&p->sleepers, 1);
        if (atomic_load(&p->generation) == seen) futex_wait(&p->generation, seen);
        atomic_fetch_sub(&p->sleepers, 1);
    }
}

static void *worker_main(void *argument) {
    worker_start start = *(worker_start *)argument;
    free(argument);
    kernels_pool *p = start.pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_generation(p, seen);
        if (atomic_load_explicit(&p->stopping, memory_order_relaxed)) return NULL;
        take_part(p, start.thread);
        if (atomic_fetch_sub(&p->busy, 1) == 1) futex_wake_all(&p->busy);
    }
}

static void wait_until_done(kernels_pool *p) {
    unsigned busy;
    while ((busy = atomic_load_explicit(&p->busy, memory_order_acquire)) != 0) {
        if (!spin_for_change(&p->busy, busy)) futex_wait(&p->busy, busy);
    }
}

static void start_loop(kernels_pool *p) {
    atomic_store_explicit(&p->busy, (unsigned)(p->threads - 1), memory_order_relaxed);
    atomic_fetch_add(&p->generation, 1);
    if (atomic_load(&p->sleepers) != 0) futex_wake_all(&p->generation);
}

static void run(kernels_pool *p, pool_work work, void *context, size_t total, size_t grain) {
    if (total <= grain || p->threads == 1) {
        work(context, 0, 0, total);
        return;
    }
    p->work = work;
    p->context = context;
    p->total = total;
    p->grain = grain;
    p->each = false;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    start_loop(p);
    take_part(p, 0);
    wait_until_done(p);
}

void pool_run_named(
    kernels_pool *p, const char *name, pool_work work, void *context, size_t total, size_t grain) {
    if (total == 0) return;
    if (grain == 0) grain = 1;
    if (!p->spans || p->span_count == p->span_room) return run(p, work, context, total, grain);
    kernels_timing *span = &p->spans[p->span_count++];
    *span = (kernels_timing){.name = name, .begin = now_nanoseconds()};
    run(p, work, context, total, grain);
    span->end = now_nanoseconds();
}

void pool_record(kernels_pool *p, kernels_timing *spans, size_t capacity) {
    p->spans = spans;
    p->span_room = capacity;
    p->span_count = 0;
}

size_t pool_recorded(const kernels_pool *p) { return p->span_count; }

void pool_run_each(kernels_pool *p, pool_work work, void *context) {
    p->work = work;
    p->context = context;
    p->each = true;
    start_loop(p);
    take_part(p, 0);
    wait_until_done(p);
}

void pool_lock(kernels_pool *p) { pthread_mutex_lock(&p->lock); }
void pool_unlock(kernels_pool *p) { pthread_mutex_unlock(&p->lock); }

void pool_set_spinning(kernels_pool *p, bool spinning) {
    atomic_store_explicit(&p->spinning, spinning, memory_order_relaxed);
}

size_t pool_threads(const kernels_pool *p) { return p->threads; }

static bool start_worker(kernels_pool *p, size_t thread, const int32_t *cores) {
    worker_start *start = malloc(sizeof *start);
    if (!start) return false;
    *start = (worker_start){.pool = p, .thread = thread};
    if (pthread_create(&p->handles[thread], NULL, worker_main, start) != 0) {
        free(start);
        return false;
    }
    if (cores && cores[thread] >= 0 && cores[thread] < CPU_SETSIZE) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((unsigned)cores[thread], &set);
        // A core outside the process's set is refused; the thread then runs where the system lets it.
        pthread_setaffinity_np(p->handles[thread], sizeof set, &set);
    }
    return true;
}

kernels_pool *pool_create(size_t threads, const int32_t *cores) {
    kernels_pool *p = aligned_alloc(64, (sizeof *p + 63) / 64 * 64);
    if (!p) return NULL;
    *p = (kernels_pool){.threads = threads, .started = 1};
    pthread_mutex_init(&p->lock, NULL);
    p->handles = calloc(threads, sizeof *p->handles);
    while (p->handles && p->started < threads && start_worker(p, p->started, cores)) p->started++;
    if (p->handles && p->started == threads) return p;
    pool_destroy(p);
    return NULL;
}

void pool_destroy(kernels_pool *p) {
    atomic_store(&p->stopping, true);
    atomic_fetch_add(&p->generation, 1);
    futex_wake_all(&p->generation);
    for (size_t i = 1; i < p->started; i++) pthread_join(p->handles[i], NULL);
    free(p->handles);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
