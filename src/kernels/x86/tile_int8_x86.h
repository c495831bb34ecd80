/* The micro-kernel of x86 for bytes, without instructions made for them: weights are widened to 16
 * bits, row values are 16 bits wide already, and products of two are added up in 32. Whole numbers
 * are exact, so a block's sum is that of every other level. Included after the level's vector
 * header, which tells the words for whole numbers. */
#ifndef ED_TILE_INT8_X86_H
#define ED_TILE_INT8_X86_H

#define ROWS_INT16
#include "kernels/loops/int8_blocks.h"

#define TILE_PREFETCH 16 /* a cache line per word */

enum { BLOCK_STEPS = BLOCK_DEPTH / 4 };

/* A block's sums of whole numbers stay in registers, those of the blocks, in floats, in t->out:
 * there is no room for both. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS;
    const float *a = t->a, *b = t->b, *next = t->next;
    const size_t a_step = t->a_step, b_step = t->b_step;

    clear_out(rows, width, t);
    for (size_t block = n_blocks(t->depth); block > 0; block--) {
        vi sums[TILE_ROWS * TILE_VECTORS];

        ED_UNROLL
        for (size_t i = 0; i < rows * width; i++)
            sums[i] = vi_set(0);
        for (size_t step = 0; step < BLOCK_STEPS; step++) {
            __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
            ED_UNROLL
            for (size_t half = 0; half < 2; half++, a += a_step) {
                ED_UNROLL
                for (size_t p = 0; p < panels; p++) {
                    vi w[TILE_VECTORS];

                    ED_UNROLL
                    for (size_t c = 0; c < TILE_VECTORS; c++)
                        w[c] = vi_widen_int8(vi_load(b + p * b_step + c * VF_LANES), half);
                    ED_UNROLL
                    for (size_t r = 0; r < rows; r++) {
                        const vi x = vi_set_word(a + r);

                        ED_UNROLL
                        for (size_t c = 0; c < TILE_VECTORS; c++) {
                            vi *sum = &sums[r * width + p * TILE_VECTORS + c];

                            *sum = vi_add(*sum, vi_dot_int16(x, w[c]));
                        }
                    }
                }
            }
            b += TILE_VECTORS * VF_LANES;
            next += TILE_PREFETCH;
        }
        ED_UNROLL
        for (size_t c = 0; c < width; c++) {
            const float *ends = b + c / TILE_VECTORS * b_step + c % TILE_VECTORS * VF_LANES;
            const vf scale = vf_load(ends);
            const vf sum_of_weights = vf_load(ends + TILE_VECTORS * VF_LANES);

            ED_UNROLL
            for (size_t r = 0; r < rows; r++) {
                add_to_out(t->out + r * t->out_step + c * VF_LANES, vf_of_vi(sums[r * width + c]),
                           scale, sum_of_weights, a + r, a_step);
            }
        }
        a += 2 * a_step;
        b += 2 * TILE_VECTORS * VF_LANES;
        next += 2 * TILE_PREFETCH;
    }
}

#endif
