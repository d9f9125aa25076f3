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

/// Bits of a share's ends, and the most units that a loop has.
#define SHARE_BITS 24
#define MOST_UNITS (((size_t)1 << SHARE_BITS) - 1)
/// Other threads whose shares one looks into when its own is done.
#define LOOKS 4

/// What a loop is. A line of another core takes 0.1 to 0.5 µs to come, so all of it lies in the one that idle threads
/// look at.
typedef struct {
    atomic_uint generation;  // changes when a loop starts, after everything else
    uint32_t grain;          // units of a claim; 0 where every thread runs once
    pool_work work;
    void *context;
    size_t total, unit;  // items, and those that are claimed as one
} pool_loop;

_Static_assert(sizeof(pool_loop) <= 64, "a loop lies in one line");

/// What one thread writes while it works, others seldom; and what it says at the end.
typedef struct {
    /// Generation, begin and end of the units that nobody has claimed of its share; of an older generation where nobody
    /// has claimed any yet.
    _Alignas(64) atomic_ullong share;
    /// The last loop that it has finished.
    _Alignas(64) atomic_uint done;
} pool_thread;

struct kernels_pool {
    pthread_mutex_t lock;
    size_t threads;
    size_t started;
    pthread_t *handles;
    pool_thread *each;

    kernels_timing *spans;  // where loops are written down; null: they are not
    size_t span_room, span_count;

    // Each on its own line: they are written by different threads at different times.
    _Alignas(64) pool_loop loop;
    _Alignas(64) atomic_uint sleepers;  // workers that may be in a futex wait
    _Alignas(64) atomic_bool waits;     // the caller may be in one
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

/// First unit of a thread's share before anyone has claimed some of it.
static size_t share_start(size_t units, size_t grain, size_t thread, size_t threads) {
    size_t even = units * thread / threads, whole = grain > 0 ? (even + grain - 1) / grain * grain : units;
    return thread < threads && whole < units ? whole : units;
}

/// What a share's word holds of a loop, with the ends of what nobody has claimed.
static unsigned long long share_word(unsigned generation, size_t first, size_t last) {
    return (unsigned long long)(generation & 0xffff) << (2 * SHARE_BITS) | first << SHARE_BITS | last;
}

/// One thread's part in a loop.
typedef struct {
    kernels_pool *pool;
    unsigned generation;
    size_t thread;
} loop_part;

/// Claims some of the share of thread `of`: its owner from the front, others from the back. False when none is left.
static bool claim(const loop_part *part, size_t of, size_t *begin, size_t *end) {
    kernels_pool *p = part->pool;
    const pool_loop *l = &p->loop;
    const bool own = of == part->thread;
    atomic_ullong *share = &p->each[of].share;
    size_t units = (l->total + l->unit - 1) / l->unit;
    unsigned long long word = atomic_load_explicit(share, memory_order_relaxed);
    for (;;) {
        bool begun = word >> (2 * SHARE_BITS) == (part->generation & 0xffff);
        size_t first = begun ? word >> SHARE_BITS & MOST_UNITS : share_start(units, l->grain, of, p->threads);
        size_t last = begun ? word & MOST_UNITS : share_start(units, l->grain, of + 1, p->threads);
        if (first >= last) {
            // A word is never left behind until its generation comes round again.
            if (own) atomic_store_explicit(share, share_word(part->generation, 0, 0), memory_order_relaxed);
            return false;
        }
        size_t left = last - first, take = left / 2 / l->grain * l->grain;
        if (take < l->grain) take = l->grain;
        // So few are left that another thread would wait for whole grains.
        if (left <= p->threads) take = 1;
        if (take > left) take = left;
        size_t at = own ? first : last - take;
        unsigned long long rest = share_word(part->generation, own ? first + take : first, own ? last : at);
        if (!atomic_compare_exchange_weak_explicit(share, &word, rest, memory_order_relaxed, memory_order_relaxed))
            continue;
        *begin = at * l->unit;
        *end = (at + take) * l->unit < l->total ? (at + take) * l->unit : l->total;
        return true;
    }
}

static void take_part(const loop_part *part) {
    const kernels_pool *p = part->pool;
    const pool_loop *l = &p->loop;
    size_t begin, end, looks = p->threads - 1 < LOOKS ? p->threads - 1 : LOOKS;
    if (l->grain == 0) l->work(l->context, part->thread, part->thread, part->thread + 1);
    for (size_t i = 0; i <= looks; i++)
        while (claim(part, (part->thread + i) % p->threads, &begin, &end))
            l->work(l->context, part->thread, begin, end);
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
    const atomic_uint *word = &p->loop.generation;
    for (;;) {
        unsigned current = atomic_load_explicit(word, memory_order_acquire);
        if (current != seen) return current;
        if (atomic_load_explicit(&p->spinning, memory_order_relaxed) && spin_for_change(word, seen)) continue;
        // Announced before the kernel compares the word, so a loop that starts now either changes the word first or
        // sees a sleeper to wake.
        atomic_fetch_add(&p->sleepers, 1);
        if (atomic_load(word) == seen) futex_wait(&p->loop.generation, seen);
        atomic_fetch_sub(&p->sleepers, 1);
    }
}

static void *worker_main(void *argument) {
    worker_start start = *(worker_start *)argument;
    free(argument);
    kernels_pool *p = start.pool;
    atomic_uint *done = &p->each[start.thread].done;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_generation(p, seen);
        if (atomic_load_explicit(&p->stopping, memory_order_relaxed)) return NULL;
        take_part(&(loop_part){p, seen, start.thread});
        // Said before the caller is looked at, who says that it waits before it looks here.
        atomic_store(done, seen);
        if (atomic_load(&p->waits)) futex_wake_all(done);
    }
}

static void wait_until_done(kernels_pool *p, unsigned generation) {
    for (size_t i = 1; i < p->threads; i++) {
        atomic_uint *done = &p->each[i].done;
        unsigned seen;
        while ((seen = atomic_load_explicit(done, memory_order_acquire)) != generation) {
            if (spin_for_change(done, seen)) continue;
            atomic_store(&p->waits, true);
            if (atomic_load(done) == seen) futex_wait(done, seen);
            atomic_store(&p->waits, false);
        }
    }
}

/// Runs a loop on all threads, the caller's too.
static void run_on_all(kernels_pool *p, pool_loop loop) {
    pool_loop *l = &p->loop;
    l->grain = loop.grain;
    l->work = loop.work;
    l->context = loop.context;
    l->total = loop.total;
    l->unit = loop.unit;
    unsigned generation = atomic_fetch_add(&l->generation, 1) + 1;
    if (atomic_load(&p->sleepers) != 0) futex_wake_all(&l->generation);
    take_part(&(loop_part){p, generation, 0});
    wait_until_done(p, generation);
}

static void run(kernels_pool *p, pool_work work, void *context, size_t total, size_t grain) {
    if (total <= grain || p->threads == 1) {
        work(context, 0, 0, total);
        return;
    }
    size_t unit = total / MOST_UNITS + 1, grains = grain / unit > 1 ? grain / unit : 1;
    run_on_all(p, (pool_loop){.grain = (uint32_t)(grains < MOST_UNITS ? grains : MOST_UNITS),
        .work = work,
        .context = context,
        .total = total,
        .unit = unit});
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
    run_on_all(p, (pool_loop){.work = work, .context = context, .unit = 1});
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
    p->each = aligned_alloc(64, threads * sizeof *p->each);
    if (p->each) memset(p->each, 0, threads * sizeof *p->each);
    while (p->handles && p->each && p->started < threads && start_worker(p, p->started, cores)) p->started++;
    if (p->handles && p->each && p->started == threads) return p;
    pool_destroy(p);
    return NULL;
}

void pool_destroy(kernels_pool *p) {
    atomic_store(&p->stopping, true);
    atomic_fetch_add(&p->loop.generation, 1);
    futex_wake_all(&p->loop.generation);
    for (size_t i = 1; i < p->started; i++) pthread_join(p->handles[i], NULL);
    free(p->each);
    free(p->handles);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
