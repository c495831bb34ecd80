/* Allocation: everything outside base/ gets memory here. Never aborts; NULL means out of memory. */
#ifndef ED_MEMORY_H
#define ED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define ED_ALIGNMENT 64 /* a cache line, and one AVX-512 register */

/* n elements of `size` bytes, zeroed; NULL if the product overflows or memory is out.
 * n * size == 0 gives a valid pointer. */
void *ed_calloc(size_t n, size_t size);
/* Grow or shrink; the old block stays valid on failure. ed_realloc(NULL, ...) allocates. */
void *ed_realloc(void *block, size_t n, size_t size);
char *ed_strdup(const char *text);
char *ed_strndup(const char *text, size_t n_bytes);
void ed_free(void *block); /* NULL is allowed */

/* ED_ALIGNMENT-aligned, not zeroed; huge pages are asked for above 4 MiB where the system has them.
 * Release with ed_aligned_free and the same size. */
void *ed_aligned_alloc(size_t n_bytes);
void ed_aligned_free(void *block, size_t n_bytes);

/* A plan of buffers in one aligned block: first every size is added, then one allocation, then the
 * pointers are handed out in the same order. AddressSanitizer builds poison the gaps. */
typedef struct ed_arena {
    unsigned char *base;
    size_t n_bytes; /* planned (before ed_arena_alloc) or allocated */
    size_t used;
    bool overflow; /* a size did not fit in size_t: ed_arena_alloc will fail */
} ed_arena;

void ed_arena_plan(ed_arena *arena, size_t n, size_t size);  /* counts one buffer */
bool ed_arena_alloc(ed_arena *arena);                        /* false = out of memory or overflow */
void *ed_arena_take(ed_arena *arena, size_t n, size_t size); /* the next planned buffer, aligned */
void ed_arena_release(ed_arena *arena);

/* A growing byte buffer that states its maximum at init. */
typedef struct ed_buf {
    char *data;
    size_t n_bytes;
    size_t cap;
    size_t bytes_max;
    bool failed; /* memory or the maximum ran out: later appends do nothing */
} ed_buf;

void ed_buf_init(ed_buf *buf, size_t bytes_max);
void ed_buf_clear(ed_buf *buf); /* frees */
void ed_buf_reset(ed_buf *buf); /* empties, keeps the memory */
bool ed_buf_reserve(ed_buf *buf, size_t n_more);
bool ed_buf_append(ed_buf *buf, const void *data, size_t n_bytes);
bool ed_buf_append_text(ed_buf *buf, const char *text);
bool ed_buf_printf(ed_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
