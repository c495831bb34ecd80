/* In: a condition and a limit. Out: the time has passed, or somebody has signalled. */
#include "server/timed_wait.h"

#include <time.h>

#define NS_PER_S 1000000000ull

void ed_timed_condition_init(pthread_cond_t *condition)
{
#if defined(__APPLE__)
    pthread_cond_init(condition, NULL);
#else
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
#endif
}

void ed_timed_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t limit_ns)
{
#if defined(__APPLE__)
    const struct timespec duration = {.tv_sec = (time_t)(limit_ns / NS_PER_S),
                                      .tv_nsec = (long)(limit_ns % NS_PER_S)};
    pthread_cond_timedwait_relative_np(condition, mutex, &duration);
#else
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + limit_ns % NS_PER_S;
    until.tv_sec += (time_t)(limit_ns / NS_PER_S + ns / NS_PER_S);
    until.tv_nsec = (long)(ns % NS_PER_S);
    pthread_cond_timedwait(condition, mutex, &until);
#endif
}
