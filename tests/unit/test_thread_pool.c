/* The pool: every index once, results seen by the caller, idle threads asleep. */
#include "base/thread_pool.h"

#include "base/clock.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

enum { N_TASKS_MAX = 257, THREADS_MAX = 8 };

typedef struct counts {
    unsigned long long sum[N_TASKS_MAX];  /* written by the task of that index, plain memory */
    size_t n_by_thread[THREADS_MAX * 16]; /* a cache line each */
    size_t factor;
    size_t n_threads;
} counts;

static void add(void *context, size_t task_index, size_t thread_index)
{
    counts *c = context;
    if (thread_index < c->n_threads)
        c->n_by_thread[thread_index * 16]++;
    c->sum[task_index] += task_index * c->factor + 1;
}

static void run_many(size_t n_threads, size_t n_runs, bool pauses)
{
    ed_thread_pool *pool = NULL;
    assert_int_equal(ed_thread_pool_open(&pool, n_threads, NULL), EMBEDD_OK);
    assert_int_equal(ed_thread_pool_threads(pool), n_threads);
    for (size_t run = 0; run < n_runs; run++) {
        /* New plain memory in every run: a late thread would be seen by a sanitizer. */
        counts *c = ed_calloc(1, sizeof *c);
        size_t n_tasks = run * 7 % (N_TASKS_MAX + 1), n_done = 0;
        c->factor = run;
        c->n_threads = n_threads;
        ed_thread_pool_run(pool, add, c, n_tasks);
        for (size_t i = 0; i < N_TASKS_MAX; i++)
            assert_int_equal(c->sum[i], i < n_tasks ? i * run + 1 : 0);
        for (size_t i = 0; i < n_threads; i++)
            n_done += c->n_by_thread[i * 16];
        assert_int_equal(n_done, n_tasks);
        ed_free(c);
        if (pauses && run % 4 == 0) /* long enough for the workers to fall asleep */
            nanosleep(&(struct timespec){.tv_nsec = (long)(run % 5) * 100000}, NULL);
    }
    ed_thread_pool_close(pool);
}

static void test_every_index_once(void **state)
{
    (void)state;
    for (size_t n_threads = 1; n_threads <= THREADS_MAX; n_threads++)
        run_many(n_threads, 400, false);
}

static void test_reuse_after_sleep(void **state)
{
    (void)state;
    for (size_t n_threads = 2; n_threads <= THREADS_MAX; n_threads *= 2)
        run_many(n_threads, 200, true);
}

static void spend(void *context, size_t task_index, size_t thread_index)
{
    (void)context;
    (void)task_index;
    (void)thread_index;
    uint64_t until_ns = ed_clock_ns() + 2000000;
    while (ed_clock_ns() < until_ns)
        ;
}

static void count_threads(void *context, size_t task_index, size_t thread_index)
{
    spend(NULL, 0, 0);
    ((counts *)context)->sum[task_index] = thread_index + 1;
}

static void test_other_threads_take_part(void **state)
{
    (void)state;
    ed_thread_pool *pool = NULL;
    counts c = {0};
    assert_int_equal(ed_thread_pool_open(&pool, 2, NULL), EMBEDD_OK);
    size_t n_by_worker = 0;
    for (int attempt = 0; attempt < 50 && n_by_worker == 0; attempt++) {
        ed_thread_pool_run(pool, count_threads, &c, 8);
        for (size_t i = 0; i < 8; i++)
            n_by_worker += c.sum[i] == 2;
    }
    assert_true(n_by_worker > 0);
    ed_thread_pool_close(pool);
}

static void thread_of_task(void *context, size_t task_index, size_t thread_index)
{
    (void)task_index;
    *(size_t *)context = thread_index;
}

static void test_one_task_runs_on_the_caller(void **state)
{
    (void)state;
    ed_thread_pool *pool = NULL;
    assert_int_equal(ed_thread_pool_open(&pool, 4, NULL), EMBEDD_OK);
    for (int run = 0; run < 100; run++) {
        size_t thread_index = 99;
        ed_thread_pool_run(pool, thread_of_task, &thread_index, 1);
        assert_int_equal(thread_index, 0);
    }
    ed_thread_pool_run(pool, thread_of_task, NULL, 0); /* nothing to do, nothing called */
    ed_thread_pool_close(pool);
}

static uint64_t cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void test_idle_costs_nothing(void **state)
{
    (void)state;
    ed_thread_pool *pool = NULL;
    assert_int_equal(ed_thread_pool_open(&pool, 4, NULL), EMBEDD_OK);
    ed_thread_pool_run(pool, spend, NULL, 8);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    uint64_t before_ns = cpu_ns();
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    /* Three workers awake would use 200 ms of each free core; asleep they use none. */
    assert_true(cpu_ns() - before_ns < 10000000);
    ed_thread_pool_close(pool);
}

static void test_open_refuses(void **state)
{
    (void)state;
    ed_thread_pool *pool = NULL;
    embedd_error err;
    assert_int_equal(ed_thread_pool_open(&pool, 0, &err), EMBEDD_ARGUMENT);
    assert_null(pool);
    assert_int_equal(ed_thread_pool_open(&pool, 100000, &err), EMBEDD_ARGUMENT);
    assert_string_equal(err.message, "100000 threads; 1 to 1024 are possible");
    ed_thread_pool_close(NULL);
}

static void test_clock_goes_on(void **state)
{
    (void)state;
    uint64_t before_ns = ed_clock_ns();
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    uint64_t spent_ns = ed_clock_ns() - before_ns;
    assert_true(spent_ns >= 2000000 && spent_ns < 60000000000u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_index_once),
        cmocka_unit_test(test_reuse_after_sleep),
        cmocka_unit_test(test_other_threads_take_part),
        cmocka_unit_test(test_one_task_runs_on_the_caller),
        cmocka_unit_test(test_idle_costs_nothing),
        cmocka_unit_test(test_open_refuses),
        cmocka_unit_test(test_clock_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
