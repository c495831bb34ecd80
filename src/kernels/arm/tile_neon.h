/* The micro-kernel of NEON: a tile of sums in registers; row values are loaded four at a time and
 * multiplied by lane. Included after the vector header. TILE_ADD_PRODUCT and TILE_STEPS may be
 * defined before, for words that are not floats. */
#ifndef ED_TILE_NEON_H
#define ED_TILE_NEON_H

#include "kernels/loops/tile.h"

#define TILE_PREFETCH 8 /* the weights of one step */

#ifndef TILE_ADD_PRODUCT
#define TILE_ADD_PRODUCT(sum, w, x, lane) vfmaq_n_f32(sum, w, (x)[lane])
#define TILE_STEPS(depth)                 (depth)
#endif

/* d rises and each step is one addition of a product, whatever `rows` and `panels` are, so that an
 * element's bits do not depend on the tile it is in. They are constants where this is inlined, with
 * rows * panels <= TILE_ROWS. Row values are read in fours: a_step leaves room for them. */
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
        vf x[TILE_ROWS / VF_LANES], w[TILE_ROWS * TILE_VECTORS];

        __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
        ED_UNROLL
        for (size_t r = 0; r < rows; r += VF_LANES)
            x[r / VF_LANES] = vf_load(a + r);
        ED_UNROLL
        for (size_t c = 0; c < width; c++)
            w[c] = vf_load(b + c / TILE_VECTORS * b_step + c % TILE_VECTORS * VF_LANES);
        ED_UNROLL
        for (size_t r = 0; r < rows; r++) {
            ED_UNROLL
            for (size_t c = 0; c < width; c++)
                sums[r * width + c] =
                    TILE_ADD_PRODUCT(sums[r * width + c], w[c], x[r / VF_LANES], r % VF_LANES);
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
