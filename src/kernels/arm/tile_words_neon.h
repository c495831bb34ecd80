/* The micro-kernel of NEON for weights narrower than floats, without instructions made for them: a
 * word of weights is widened to the floats of WORD_NUMBERS steps, which are FMAs; rows are floats.
 * Widening costs 2 or 6 instructions a step, beside 24 FMAs. Included after the vector header,
 * WORD_NUMBERS and widen. */
#ifndef ED_TILE_WORDS_NEON_H
#define ED_TILE_WORDS_NEON_H

#include "kernels/loops/tile.h"

#define TILE_PREFETCH 16 /* a cache line per word */

/* Adds to `sums` the products of n_words words of each line. The depth rises, and each step is one
 * FMA, whatever `rows` and `panels` are; both are constants where this is inlined. */
ED_INLINE void multiply_words(const size_t rows, const size_t panels, vf *sums, const float *a,
                              const float *b, const float *next, size_t n_words, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS;

    ED_NO_UNROLL
    for (; n_words > 0; n_words--) {
        __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
        ED_UNROLL
        for (size_t at = 0; at < WORD_NUMBERS; at++) {
            vf x[TILE_ROWS / VF_LANES];

            ED_UNROLL
            for (size_t r = 0; r < rows; r += VF_LANES)
                x[r / VF_LANES] = vf_load(a + r);
            ED_UNROLL
            for (size_t c = 0; c < width; c++) {
                const float *words = b + c / TILE_VECTORS * t->b_step;
                const vf w = widen(vf_load(words + c % TILE_VECTORS * VF_LANES), at);

                ED_UNROLL
                for (size_t r = 0; r < rows; r++)
                    sums[r * width + c] =
                        vfmaq_n_f32(sums[r * width + c], w, x[r / VF_LANES][r % VF_LANES]);
            }
            a += t->a_step;
        }
        b += TILE_VECTORS * VF_LANES;
        next += TILE_PREFETCH;
    }
}

#endif
