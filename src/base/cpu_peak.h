/* The arithmetic that a CPU can do at most, to compare with what a program does. */
#ifndef ED_CPU_PEAK_H
#define ED_CPU_PEAK_H

#include "embedd.h"

typedef struct ed_peak_loop ed_peak_loop;

/* The widest instruction that a level has for products of this type, twelve sums at a time; NULL if
 * that is not known here. */
const ed_peak_loop *ed_peak_loop_find(const char *level, embedd_dtype dtype);
/* Runs it for some tens of microseconds on this thread; returns the operations done (a
 * multiplication and an addition are two). */
double ed_peak_loop_run(const ed_peak_loop *loop);

/* Operations a second (a multiplication and an addition are two) of such a loop on n_threads
 * threads at once. 0 if none is known here. Takes some tens of milliseconds. */
double ed_cpu_peak(const char *level, embedd_dtype dtype, size_t n_threads);

#endif
