/* Rows of a matrix into panels: `panel` lines side by side, depth-major. */
#ifndef ED_PACK_H
#define ED_PACK_H

#include "kernels/loops/tile.h"

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t panels_bytes(size_t n, size_t panel, size_t depth)
{
    return (n + panel - 1) / panel * panel * depth * sizeof(float);
}

/* Lines [begin, end) of `lines`, ld floats apart; begin is a multiple of `panel`. What the last
 * panel lacks is zero. */
static inline void pack_lines(float *packed, const size_t panel, const float *lines, size_t ld,
                              size_t begin, size_t end, size_t depth)
{
    for (size_t i = begin; i < end; i += panel) {
        const size_t n = min_size(panel, end - i);
        float *to = packed + i * depth;

        for (size_t d = 0; d < depth; d++) {
            for (size_t r = 0; r < n; r++)
                to[d * panel + r] = lines[(i + r) * ld + d];
            for (size_t r = n; r < panel; r++)
                to[d * panel + r] = 0.0f;
        }
    }
}

#endif
