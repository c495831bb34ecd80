/* The micro-kernel of x86 for bf16 weights and f32 rows: a word of weights is widened to the floats
 * of two steps, which are FMAs. Included after the level's vector header. */
#ifndef ED_TILE_BF16_X86_H
#define ED_TILE_BF16_X86_H

#include "kernels/loops/pack_blocks.h"

#define TILE_PREFETCH 16 /* a cache line per step */

/* As multiply_tile of tile_x86.h, two steps of depth at a time. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS;
    const float *a = t->a, *b = t->b, *next = t->next;
    const size_t a_step = t->a_step, b_step = t->b_step;
    vf sums[TILE_ROWS * TILE_VECTORS];

    ED_UNROLL
    for (size_t i = 0; i < rows * width; i++)
        sums[i] = vf_set(0.0f);

    for (size_t d = n_blocks(t->depth) * BLOCK_DEPTH / 2; d > 0; d--) {
        __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
        ED_UNROLL
        for (size_t half = 0; half < 2; half++, a += a_step) {
            if (panels == 1) {
                vf w[TILE_VECTORS];

                ED_UNROLL
                for (size_t c = 0; c < width; c++)
                    w[c] = vf_widen_bf16(vf_load(b + c * VF_LANES), half);
                ED_UNROLL
                for (size_t r = 0; r < rows; r++) {
                    const vf x = vf_set(a[r]);

                    ED_UNROLL
                    for (size_t c = 0; c < width; c++)
                        sums[r * width + c] = vf_fma(x, w[c], sums[r * width + c]);
                }
            } else { /* few rows: keep their values, take the weights one by one */
                vf x[TILE_ROWS];

                ED_UNROLL
                for (size_t r = 0; r < rows; r++)
                    x[r] = vf_set(a[r]);
                ED_UNROLL
                for (size_t c = 0; c < width; c++) {
                    const float *words = b + c / TILE_VECTORS * b_step;
                    const vf w = vf_widen_bf16(vf_load(words + c % TILE_VECTORS * VF_LANES), half);

                    ED_UNROLL
                    for (size_t r = 0; r < rows; r++)
                        sums[r * width + c] = vf_fma(x[r], w, sums[r * width + c]);
                }
            }
        }
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
