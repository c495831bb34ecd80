/* A condition that is waited for with a limit, by a clock that nobody sets. */
#ifndef ED_TIMED_WAIT_H
#define ED_TIMED_WAIT_H

#include <pthread.h>
#include <stdint.h>

void ed_timed_condition_init(pthread_cond_t *condition);
/* With the mutex held; like pthread_cond_wait it may return early. */
void ed_timed_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t limit_ns);

#endif
