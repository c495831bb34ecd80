/* Rows of a matrix into panels: `panel` lines side by side, depth-major, each line a run of words
 * of 32 bits. They travel as floats, whatever they hold: a copy keeps every bit. */
#ifndef ED_PACK_H
#define ED_PACK_H

#include "kernels/loops/tile.h"

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t panels_bytes(size_t n, size_t panel, size_t words)
{
    return (n + panel - 1) / panel * panel * words * sizeof(float);
}

/* One panel of n lines, n <= panel, of `depth` words: to[d][r] = from[r][d], and 0 for r >= n.
 *
 * It goes in squares of four lines by four steps of depth. Where n is no multiple of four the last
 * square overlaps the one before. */
ED_INLINE void pack_panel(float *to, const size_t panel, const float *from, size_t ld, size_t n,
                          size_t depth)
{
    const size_t square_depth = n < 4 ? 0 : depth / 4 * 4;

    for (size_t d = 0; d < square_depth; d += 4) {
        for (size_t r = 0; r < n; r += 4) {
            const size_t line = min_size(r, n - 4);

            vf_transpose_4x4(to + d * panel + line, panel, from + line * ld + d, ld);
        }
    }
    for (size_t d = square_depth; d < depth; d++) {
        for (size_t r = 0; r < n; r++)
            to[d * panel + r] = from[r * ld + d];
    }
    for (size_t d = 0; d < depth && n < panel; d++) {
        for (size_t r = n; r < panel; r++)
            to[d * panel + r] = 0.0f;
    }
}

/* Lines [begin, end) of `lines`, ld floats apart; begin is a multiple of `panel`. */
static inline void pack_lines(float *packed, const size_t panel, const float *lines, size_t ld,
                              size_t begin, size_t end, size_t depth)
{
    size_t i = begin;

    for (; i + panel <= end; i += panel)
        pack_panel(packed + i * depth, panel, lines + i * ld, ld, panel, depth);
    if (i < end)
        pack_panel(packed + i * depth, panel, lines + i * ld, ld, end - i, depth);
}

#endif
