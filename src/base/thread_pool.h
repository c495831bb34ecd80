/* A pool of threads for the loops of one forward pass.
 *
 * ed_thread_pool_run hands the numbers 0 .. n_tasks-1 to the pool's threads and the caller, in
 * rising order, each to whichever thread is free, and returns when all are done. Tasks write to
 * disjoint places, so the result never depends on who ran what. Between two runs of one batch the
 * workers spin for some tens of microseconds, then sleep: waking costs microseconds, idling
 * nothing. */
#ifndef ED_THREAD_POOL_H
#define ED_THREAD_POOL_H

#include "embedd.h"

typedef struct ed_thread_pool ed_thread_pool;

/* thread_index is 0 .. n_threads-1 and selects per-thread scratch; the caller is thread 0. */
typedef void (*ed_task)(void *context, size_t task_index, size_t thread_index);

/* n_threads counts the caller: 1 starts no thread. */
embedd_status ed_thread_pool_open(ed_thread_pool **out, size_t n_threads, embedd_error *err);
void ed_thread_pool_close(ed_thread_pool *pool);
size_t ed_thread_pool_threads(const ed_thread_pool *pool);
/* One caller at a time. */
void ed_thread_pool_run(ed_thread_pool *pool, ed_task task, void *context, size_t n_tasks);

/* Physical cores this process may run on (affinity respected); at least 1. */
size_t ed_cpu_cores(void);

#endif
