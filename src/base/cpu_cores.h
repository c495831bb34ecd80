/* How many cores this process may use, from what the system says under `root` ("" = the machine
 * itself, a made folder in tests). */
#ifndef ED_CPU_CORES_H
#define ED_CPU_CORES_H

#include <stdbool.h>
#include <stddef.h>

/* Physical cores among the logical CPUs with allowed[cpu] set: two threads of one core count once.
 * Where the system does not tell, every CPU is a core. */
size_t ed_cpu_cores_allowed(const char *root, const bool *allowed, size_t n_cpus);

/* The processor time a control group (version 2 or 1) or one of its parents allows, in whole CPUs,
 * rounded up; SIZE_MAX if there is no limit. */
size_t ed_cpu_quota(const char *root);

#endif
