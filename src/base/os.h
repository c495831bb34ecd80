/* What memory.c and thread_pool.c need of the operating system; one os_*.c implements it. */
#ifndef ED_OS_H
#define ED_OS_H

#include <stddef.h>

/* `alignment` is a power of two, n_bytes a multiple of it; NULL = out of memory. */
void *ed_os_aligned_alloc(size_t alignment, size_t n_bytes);
void ed_os_aligned_free(void *block);
/* A wish, without effect where the system has no huge pages. */
void ed_os_advise_huge(void *block, size_t n_bytes);

#endif
