/* In: sizes. Out: memory, or NULL. Never aborts, and never lets a product of sizes wrap. */
#include "base/memory.h"

#include "base/checked.h"
#include "base/os.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ED_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ED_ASAN 1
#endif
#endif

#ifdef ED_ASAN
#include <sanitizer/asan_interface.h>
#define GAP_BYTES ED_ALIGNMENT
#else
#define ASAN_POISON_MEMORY_REGION(block, n_bytes)   ((void)(block), (void)(n_bytes))
#define ASAN_UNPOISON_MEMORY_REGION(block, n_bytes) ((void)(block), (void)(n_bytes))
#define GAP_BYTES                                   0
#endif

#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define HUGE_FROM_BYTES ((size_t)4 << 20)
#define BUF_BYTES_MIN   ((size_t)256)

static bool round_up(size_t n_bytes, size_t multiple, size_t *out);

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The C library's behaviour for 0 bytes and for more than PTRDIFF_MAX differs by system: neither
 * reaches it. */
static bool block_bytes(size_t n, size_t size, size_t *out)
{
    if (!ed_mul_size(n, size, out) || *out > PTRDIFF_MAX)
        return false;
    if (*out == 0)
        *out = 1;
    return true;
}

void *ed_calloc(size_t n, size_t size)
{
    size_t n_bytes;
    return block_bytes(n, size, &n_bytes) ? calloc(1, n_bytes) : NULL;
}

void *ed_realloc(void *block, size_t n, size_t size)
{
    size_t n_bytes;
    return block_bytes(n, size, &n_bytes) ? realloc(block, n_bytes) : NULL;
}

char *ed_strdup(const char *text)
{
    return ed_strndup(text, strlen(text));
}

char *ed_strndup(const char *text, size_t n_bytes)
{
    size_t n_total;
    char *copy = ed_add_size(n_bytes, 1, &n_total) ? ed_realloc(NULL, n_total, 1) : NULL;
    if (!copy)
        return NULL;
    if (n_bytes > 0)
        memcpy(copy, text, n_bytes);
    copy[n_bytes] = '\0';
    return copy;
}

void ed_free(void *block)
{
    free(block);
}

void *ed_aligned_alloc(size_t n_bytes)
{
    bool huge = n_bytes >= HUGE_FROM_BYTES;
    size_t alignment = huge ? HUGE_PAGE_BYTES : ED_ALIGNMENT;
    size_t n_rounded;
    if (!round_up(n_bytes > 0 ? n_bytes : 1, alignment, &n_rounded) || n_rounded > PTRDIFF_MAX)
        return NULL;
    void *block = ed_os_aligned_alloc(alignment, n_rounded);
    if (block && huge)
        ed_os_advise_huge(block, n_rounded);
    return block;
}

void ed_aligned_free(void *block, size_t n_bytes)
{
    (void)n_bytes; /* a system that maps big blocks itself needs it */
    ed_os_aligned_free(block);
}

static bool round_up(size_t n_bytes, size_t multiple, size_t *out)
{
    if (!ed_add_size(n_bytes, multiple - 1, out))
        return false;
    *out -= *out % multiple;
    return true;
}

/* ---- arena ----------------------------------------------------------------------------------- */

/* Room of one buffer in an arena: whole alignment units, then the gap. */
static bool slot_bytes(size_t n, size_t size, size_t *out)
{
    return ed_mul_size(n, size, out) && round_up(*out, ED_ALIGNMENT, out) &&
           ed_add_size(*out, GAP_BYTES, out);
}

void ed_arena_plan(ed_arena *arena, size_t n, size_t size)
{
    size_t n_slot;
    if (!slot_bytes(n, size, &n_slot) || !ed_add_size(arena->n_bytes, n_slot, &arena->n_bytes))
        arena->overflow = true;
}

bool ed_arena_alloc(ed_arena *arena)
{
    assert(!arena->base);
    if (arena->overflow)
        return false;
    arena->base = ed_aligned_alloc(arena->n_bytes);
    arena->used = 0;
    if (!arena->base)
        return false;
    ASAN_POISON_MEMORY_REGION(arena->base, arena->n_bytes);
    return true;
}

void *ed_arena_take(ed_arena *arena, size_t n, size_t size)
{
    size_t n_slot;
    bool planned = arena->base && slot_bytes(n, size, &n_slot) &&
                   ed_slice_fits(arena->used, n_slot, arena->n_bytes);
    assert(planned);
    if (!planned)
        return NULL;
    void *block = arena->base + arena->used;
    arena->used += n_slot;
    ASAN_UNPOISON_MEMORY_REGION(block, n * size);
    return block;
}

void ed_arena_release(ed_arena *arena)
{
    if (arena->base)
        ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->n_bytes);
    ed_aligned_free(arena->base, arena->n_bytes);
    *arena = (ed_arena){0};
}

/* ---- growing buffer -------------------------------------------------------------------------- */

void ed_buf_init(ed_buf *buf, size_t bytes_max)
{
    *buf = (ed_buf){.bytes_max = bytes_max};
}

void ed_buf_clear(ed_buf *buf)
{
    ed_free(buf->data);
    ed_buf_init(buf, buf->bytes_max);
}

void ed_buf_reset(ed_buf *buf)
{
    buf->n_bytes = 0;
    buf->failed = false;
}

bool ed_buf_reserve(ed_buf *buf, size_t n_more)
{
    if (buf->failed)
        return false;
    if (n_more <= buf->cap - buf->n_bytes)
        return true;
    if (n_more > buf->bytes_max - buf->n_bytes) {
        buf->failed = true;
        return false;
    }
    size_t n_needed = buf->n_bytes + n_more;
    size_t cap = buf->cap < BUF_BYTES_MIN ? BUF_BYTES_MIN : buf->cap;
    while (cap < n_needed && cap <= buf->bytes_max / 2)
        cap *= 2;
    if (cap < n_needed || cap > buf->bytes_max)
        cap = buf->bytes_max;

    /* One byte more than `cap`: vsnprintf writes a NUL after the text. */
    size_t n_total;
    char *data = ed_add_size(cap, 1, &n_total) ? ed_realloc(buf->data, n_total, 1) : NULL;
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

bool ed_buf_append(ed_buf *buf, const void *data, size_t n_bytes)
{
    if (!ed_buf_reserve(buf, n_bytes))
        return false;
    if (n_bytes > 0)
        memcpy(buf->data + buf->n_bytes, data, n_bytes);
    buf->n_bytes += n_bytes;
    return true;
}

bool ed_buf_append_text(ed_buf *buf, const char *text)
{
    return ed_buf_append(buf, text, strlen(text));
}

bool ed_buf_printf(ed_buf *buf, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int n_text = vsnprintf(NULL, 0, format, arguments);
    if (n_text < 0)
        buf->failed = true;
    bool ok = n_text >= 0 && ed_buf_reserve(buf, (size_t)n_text);
    if (ok && n_text > 0) {
        vsnprintf(buf->data + buf->n_bytes, (size_t)n_text + 1, format, again);
        buf->n_bytes += (size_t)n_text;
    }
    va_end(again);
    va_end(arguments);
    return ok;
}
