/* The arithmetic that a CPU can do at most, to compare with what a program does. */
#ifndef ED_CPU_PEAK_H
#define ED_CPU_PEAK_H

#include "embedd.h"

/* Operations a second (a multiplication and an addition are two) of a short loop on registers, on
 * n_threads threads at once, with the widest instruction that a level has for products of this
 * type. 0 if that is not known here. Takes some tens of milliseconds. */
double ed_cpu_peak(const char *level, embedd_dtype dtype, size_t n_threads);

#endif
