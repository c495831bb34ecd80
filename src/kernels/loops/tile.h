/* What a micro-kernel works on. Included by the levels' tile headers. */
#ifndef ED_TILE_H
#define ED_TILE_H

#include <stddef.h>

/* out[r][c] = sum_d a[d][r] * b[d][c], where d counts the words of a line */
typedef struct ed_tile {
    size_t depth;   /* of the product, as the caller counts it */
    const float *a; /* [d] groups of rows, a_step words apart */
    size_t a_step;
    const float *b; /* panels of [d][NR], b_step words apart */
    size_t b_step;
    float *out; /* rows of NR floats per panel, out_step floats apart */
    size_t out_step;
    const float *next; /* memory that will be read soon: TILE_PREFETCH words per word of b */
} ed_tile;

/* Loops over registers must vanish, or their sums would live in memory. A short loop over steps
 * must not, or a compiler that moves loads ahead would run out of registers: clang is one, GCC
 * gains by it here and there (ED_UNROLL_STEPS). */
#if defined(__clang__)
#define ED_UNROLL       _Pragma("clang loop unroll(full)")
#define ED_NO_UNROLL    _Pragma("clang loop unroll(disable)")
#define ED_UNROLL_STEPS ED_NO_UNROLL
#else
#define ED_UNROLL       _Pragma("GCC unroll 32")
#define ED_NO_UNROLL    _Pragma("GCC unroll 1")
#define ED_UNROLL_STEPS _Pragma("GCC unroll 16")
#endif
#define ED_INLINE static inline __attribute__((always_inline))

#endif
