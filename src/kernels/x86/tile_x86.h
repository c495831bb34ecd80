/* The micro-kernel of x86: a tile of sums in registers, one row value broadcast at a time. Included
 * after the level's vector header. TILE_ADD_PRODUCT and TILE_STEPS may be defined before, for words
 * that are not floats. */
#ifndef ED_TILE_X86_H
#define ED_TILE_X86_H

#include "kernels/loops/tile.h"

#define TILE_PREFETCH 16 /* a cache line per step */

#ifndef TILE_ADD_PRODUCT
#define TILE_ADD_PRODUCT(x, w, sum) vf_fma(x, w, sum)
#define TILE_STEPS(depth)           (depth)
#endif

/* d rises and each step is one addition of a product, whatever `rows` and `panels` are, so that an
 * element's bits do not depend on the tile it is in. They are constants where this is inlined, with
 * rows * panels <= TILE_ROWS. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS;
    const float *a = t->a, *b = t->b, *next = t->next;
    const size_t a_step = t->a_step, b_step = t->b_step;
    vf sums[TILE_ROWS * TILE_VECTORS];

    ED_UNROLL
    for (size_t i = 0; i < rows * width; i++)
        sums[i] = vf_set(0.0f);

    for (size_t d = TILE_STEPS(t->depth); d > 0; d--) {
        __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
        if (panels == 1) {
            vf w[TILE_VECTORS];

            ED_UNROLL
            for (size_t c = 0; c < width; c++)
                w[c] = vf_load(b + c * VF_LANES);
            ED_UNROLL
            for (size_t r = 0; r < rows; r++) {
                const vf x = vf_set(a[r]);

                ED_UNROLL
                for (size_t c = 0; c < width; c++)
                    sums[r * width + c] = TILE_ADD_PRODUCT(x, w[c], sums[r * width + c]);
            }
        } else { /* few rows: keep their values, take the weights one by one */
            vf x[TILE_ROWS];

            ED_UNROLL
            for (size_t r = 0; r < rows; r++)
                x[r] = vf_set(a[r]);
            ED_UNROLL
            for (size_t c = 0; c < width; c++) {
                const vf w = vf_load(b + c / TILE_VECTORS * b_step + c % TILE_VECTORS * VF_LANES);

                ED_UNROLL
                for (size_t r = 0; r < rows; r++)
                    sums[r * width + c] = TILE_ADD_PRODUCT(x[r], w, sums[r * width + c]);
            }
        }
        a += a_step;
        b += TILE_VECTORS * VF_LANES;
        next += TILE_PREFETCH;
    }

    ED_UNROLL
    for (size_t r = 0; r < rows; r++) {
        ED_UNROLL
        for (size_t c = 0; c < width; c++)
            vf_store(t->out + r * t->out_step + c * VF_LANES, sums[r * width + c]);
    }
}

#endif
