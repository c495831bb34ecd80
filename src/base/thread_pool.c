/* In: a task and a count. Out: every index run once. Never allocates or fails after open; never
 * keeps a thread awake for long without work.
 *
 * A run is a gate that opens and shuts. Workers pass through it (the gate counts them), take
 * indices until there are none, and leave. The caller takes indices as well, shuts the gate, and
 * waits until nobody is inside; a worker that wakes too late finds the gate shut and was not
 * needed. So a run waits for work, never for a thread to wake up, and what a run reads is written
 * only while nobody is inside. */
#include "base/thread_pool.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define THREADS_MAX        1024
#define SPIN_NS            50000 /* longer than the serial parts between two runs of one layer */
#define SPINS_PER_LOOK     32    /* pauses between two looks at the clock */
#define SPINS_BEFORE_YIELD 10000

/* The gate: bit 0 open, bits 1..30 workers inside, bit 31 the pool is closing, above it the run's
 * number, by which a worker knows a run that it has left already. */
#define GATE_OPEN    UINT64_C(1)
#define GATE_INSIDE  UINT64_C(2)
#define GATE_COUNT   UINT64_C(0x7FFFFFFE)
#define GATE_CLOSING (UINT64_C(1) << 31)
#define GATE_RUN     (UINT64_C(1) << 32)

typedef struct worker {
    ed_thread_pool *pool;
    size_t thread_index;
    pthread_t thread;
} worker;

struct ed_thread_pool {
    _Alignas(ED_ALIGNMENT) _Atomic uint64_t gate;
    _Alignas(ED_ALIGNMENT) atomic_size_t next; /* the next index to hand out */
    /* Of the current run; written by the caller while nobody is inside. */
    _Alignas(ED_ALIGNMENT) ed_task task;
    void *context;
    size_t n_tasks;

    _Alignas(ED_ALIGNMENT) atomic_size_t n_asleep;
    pthread_mutex_t mutex; /* held between the last look at the gate and falling asleep */
    pthread_cond_t opened;
    size_t n_workers;
    worker *workers; /* [n_workers + 1]; 0, the caller, is unused */
};

static void *worker_main(void *argument);
static bool join_run(ed_thread_pool *pool, uint64_t *run);
static bool spin_for_gate(ed_thread_pool *pool, uint64_t run);
static void sleep_for_gate(ed_thread_pool *pool, uint64_t run);
static void take_tasks(ed_thread_pool *pool, size_t thread_index);
static void shut_gate(ed_thread_pool *pool);
static void wake_sleepers(ed_thread_pool *pool);
static void pause_cpu(void);

embedd_status ed_thread_pool_open(ed_thread_pool **out, size_t n_threads, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    sigset_t all, before;
    *out = NULL;
    if (n_threads < 1 || n_threads > THREADS_MAX)
        return ed_fail(err, EMBEDD_ARGUMENT, "%zu threads; 1 to %d are possible", n_threads,
                       THREADS_MAX);
    ed_thread_pool *pool = ed_aligned_alloc(sizeof *pool);
    worker *workers = ed_calloc(n_threads, sizeof *workers);
    if (!pool || !workers) {
        ed_aligned_free(pool, sizeof *pool);
        ed_free(workers);
        return ed_fail(err, EMBEDD_MEMORY, "no memory for a pool of %zu threads", n_threads);
    }
    memset(pool, 0, sizeof *pool);
    pool->workers = workers;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->opened, NULL);

    /* Signals are the program's business: a worker inherits a mask that blocks them all. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 1; i < n_threads && status == EMBEDD_OK; i++) {
        workers[i] = (worker){.pool = pool, .thread_index = i};
        int reason = pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
        if (reason == 0)
            pool->n_workers++;
        else
            status = ed_fail(err, EMBEDD_MEMORY, "thread %zu of %zu does not start: %s", i + 1,
                             n_threads, strerror(reason));
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (status == EMBEDD_OK)
        *out = pool;
    else
        ed_thread_pool_close(pool);
    return status;
}

void ed_thread_pool_close(ed_thread_pool *pool)
{
    if (!pool)
        return;
    atomic_fetch_or(&pool->gate, GATE_CLOSING);
    wake_sleepers(pool);
    for (size_t i = 1; i <= pool->n_workers; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->opened);
    pthread_mutex_destroy(&pool->mutex);
    ed_free(pool->workers);
    ed_aligned_free(pool, sizeof *pool);
}

size_t ed_thread_pool_threads(const ed_thread_pool *pool)
{
    return pool->n_workers + 1;
}

void ed_thread_pool_run(ed_thread_pool *pool, ed_task task, void *context, size_t n_tasks)
{
    if (pool->n_workers == 0 || n_tasks <= 1) {
        for (size_t i = 0; i < n_tasks; i++)
            task(context, i, 0);
        return;
    }
    pool->task = task;
    pool->context = context;
    pool->n_tasks = n_tasks;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_fetch_add(&pool->gate, GATE_RUN | GATE_OPEN);
    wake_sleepers(pool);
    take_tasks(pool, 0);
    shut_gate(pool);
}

static void *worker_main(void *argument)
{
    const worker *self = argument;
    ed_thread_pool *pool = self->pool;
    uint64_t run = 0; /* the last one this thread took part in */
    for (;;) {
        if (!spin_for_gate(pool, run))
            sleep_for_gate(pool, run);
        if (atomic_load_explicit(&pool->gate, memory_order_relaxed) & GATE_CLOSING)
            return NULL;
        if (!join_run(pool, &run))
            continue;
        take_tasks(pool, self->thread_index);
        /* Release: what the tasks wrote is seen by the caller, who waits for the count. */
        atomic_fetch_sub_explicit(&pool->gate, GATE_INSIDE, memory_order_release);
    }
}

/* There is something for a thread that left run `run`: another open run, or the end. */
static bool gate_calls(uint64_t gate, uint64_t run)
{
    return ((gate & GATE_OPEN) && gate / GATE_RUN != run) || (gate & GATE_CLOSING);
}

static bool spin_for_gate(ed_thread_pool *pool, uint64_t run)
{
    uint64_t until_ns = ed_clock_ns() + SPIN_NS;
    do {
        for (int i = 0; i < SPINS_PER_LOOK; i++) {
            if (gate_calls(atomic_load_explicit(&pool->gate, memory_order_relaxed), run))
                return true;
            pause_cpu();
        }
    } while (ed_clock_ns() < until_ns);
    return false;
}

/* No wake-up is lost: either the caller sees n_asleep, or this thread, which raised it first, sees
 * the gate (both are sequentially consistent); and the caller signals only with the mutex free,
 * that is with this thread waiting. */
static void sleep_for_gate(ed_thread_pool *pool, uint64_t run)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->n_asleep, 1);
    while (!gate_calls(atomic_load(&pool->gate), run))
        pthread_cond_wait(&pool->opened, &pool->mutex);
    atomic_fetch_sub(&pool->n_asleep, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void wake_sleepers(ed_thread_pool *pool)
{
    if (atomic_load(&pool->n_asleep) == 0)
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    pthread_cond_broadcast(&pool->opened);
}

/* Passes the gate if it is still open. Acquire: what the caller wrote of the run is seen. */
static bool join_run(ed_thread_pool *pool, uint64_t *run)
{
    uint64_t gate = atomic_load_explicit(&pool->gate, memory_order_relaxed);
    while (gate & GATE_OPEN) {
        if (atomic_compare_exchange_weak_explicit(&pool->gate, &gate, gate + GATE_INSIDE,
                                                  memory_order_acquire, memory_order_relaxed)) {
            *run = gate / GATE_RUN;
            return true;
        }
    }
    return false;
}

static void take_tasks(ed_thread_pool *pool, size_t thread_index)
{
    size_t n_tasks = pool->n_tasks;
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (i >= n_tasks)
            return;
        pool->task(pool->context, i, thread_index);
    }
}

/* Nobody comes in any more; waits for those inside, who are at their last task. */
static void shut_gate(ed_thread_pool *pool)
{
    uint64_t gate = atomic_fetch_and_explicit(&pool->gate, ~GATE_OPEN, memory_order_acquire);
    for (int n_spins = 0; gate & GATE_COUNT; n_spins++) {
        if (n_spins < SPINS_BEFORE_YIELD)
            pause_cpu();
        else
            sched_yield(); /* more threads than free cores: let the last one run */
        gate = atomic_load_explicit(&pool->gate, memory_order_acquire);
    }
}

/* Tells the core that this is a waiting loop: saves power, and helps the other thread of a core. */
static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb"); /* "yield" is a no-op on most cores */
#endif
}
