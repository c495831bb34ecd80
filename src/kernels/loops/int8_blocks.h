/* The int8 product's blocks: short enough that few numbers share a scale, long enough that scales
 * cost little: 3 of 35 instructions of a block, with blocks of 64 3 of 19. Included after
 * the vector header.
 *
 * Where registers hold the sums of a block only, those of the blocks lie in the tile's `out`. */
#ifndef ED_INT8_BLOCKS_H
#define ED_INT8_BLOCKS_H

#define BLOCK_DEPTH 128
#include "kernels/loops/pack_blocks.h"

ED_INLINE void clear_out(const size_t rows, const size_t width, const ed_tile *t)
{
    ED_UNROLL
    for (size_t r = 0; r < rows; r++) {
        ED_UNROLL
        for (size_t c = 0; c < width; c++)
            vf_store(t->out + r * t->out_step + c * VF_LANES, vf_set(0.0f));
    }
}

/* A block's sum of one row and a vector of columns; `ends` has the row's scale, and a step behind
 * it its minimum. */
ED_INLINE void add_to_out(float *out, vf sum, vf scale, vf sum_of_weights, const float *ends,
                          size_t step)
{
    vf_store(out, vf_fma(vf_set(ends[step]), sum_of_weights,
                         vf_fma(vf_mul(sum, scale), vf_set(ends[0]), vf_load(out))));
}

#endif
