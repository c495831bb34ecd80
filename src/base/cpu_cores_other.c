/* ed_cpu_cores where there is no /sys: what sysctl (macOS) or sysconf says. */
#if !defined(__linux__)
#include "base/thread_pool.h"

#include <unistd.h>
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

size_t ed_cpu_cores(void)
{
#if defined(__APPLE__)
    int n_cores = 0;
    size_t n_bytes = sizeof n_cores;
    if (sysctlbyname("hw.physicalcpu", &n_cores, &n_bytes, NULL, 0) == 0 && n_cores > 0)
        return (size_t)n_cores;
#endif
    long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return n_cpus > 0 ? (size_t)n_cpus : 1;
}
#endif
