/* The one place where sizes from files are added and multiplied. */
#ifndef ED_CHECKED_H
#define ED_CHECKED_H

#include <stdbool.h>
#include <stddef.h>

/* *out = a * b or a + b; false (and *out unspecified) where the result does not fit. */
static inline bool ed_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool ed_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* True if [begin, begin + n_bytes) lies inside a file or buffer of `total` bytes. */
static inline bool ed_slice_fits(size_t begin, size_t n_bytes, size_t total)
{
    return begin <= total && n_bytes <= total - begin;
}

#endif
