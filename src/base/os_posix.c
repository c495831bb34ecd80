/* Clock, aligned memory and numbers on POSIX systems. Never fails loudly: NULL means out of memory.
 */
#include "base/clock.h"
#include "base/number.h"
#include "base/os.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

uint64_t ed_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static locale_t c_locale; /* made once, kept to the end */

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double ed_parse_double(const char *text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
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
