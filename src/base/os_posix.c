/* Clock and aligned memory of POSIX systems. Never fails loudly: NULL means out of memory. */
#include "base/clock.h"
#include "base/os.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

uint64_t ed_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void *ed_os_aligned_alloc(size_t alignment, size_t n_bytes)
{
    return aligned_alloc(alignment, n_bytes);
}

void ed_os_aligned_free(void *block)
{
    free(block);
}

void ed_os_advise_huge(void *block, size_t n_bytes)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(block, n_bytes, MADV_HUGEPAGE);
#else
    (void)block;
    (void)n_bytes;
#endif
}
