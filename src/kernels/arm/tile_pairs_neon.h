/* What the micro-kernels share whose instruction multiplies two rows by two columns, each 8 bytes
 * deep, and adds the four products to a vector: row 0 times columns 0 and 1, then row 1. Two words
 * of a line lie side by side (PAIRED_WORDS), so a vector of packed words is two such rows. Included
 * after the vector header and PAIRED_WORDS.
 *
 * A tile of 8x12 is 4x6 such sums; 4 vectors of rows and one or two of weights fill 32 registers.
 * By Arm's guides, not by measurements: a product takes 3 (bytes) to 5 cycles (bf16) and follows
 * itself earlier, on two (Neoverse N2) to four (V1) units, so that 24 sums are more than enough; 10
 * loads feed 24 products, where 8x8 would need 8 for 16 and two loads a cycle would just do. */
#ifndef ED_TILE_PAIRS_NEON_H
#define ED_TILE_PAIRS_NEON_H

#undef TILE_ROWS
#undef TILE_VECTORS
#define TILE_ROWS     8
#define TILE_VECTORS  3
#define TILE_PREFETCH 8 /* a cache line per two words */

#include "kernels/loops/pack_blocks.h"

enum {
    PANEL_PAIRS = TILE_VECTORS * VF_LANES / 2, /* of columns */
    TILE_SUMS = TILE_ROWS / 2 * PANEL_PAIRS,   /* at most, whatever the tile's shape */
    STEP_WORDS = 2 * TILE_VECTORS * VF_LANES   /* of a panel of weights */
};

/* Columns 2 c and 2 c + 1 of a step, of a panel after panel. */
static inline vf load_weights(const float *b, size_t b_step, size_t c)
{
    return vf_load(b + c / PANEL_PAIRS * b_step + c % PANEL_PAIRS * VF_LANES);
}

/* sums[row pair][column pair] -> the tile's rows */
ED_INLINE void store_pairs(const size_t rows, const size_t col_pairs, const vf *sums,
                           const ed_tile *t)
{
    ED_UNROLL
    for (size_t r = 0; r < rows; r++) {
        ED_UNROLL
        for (size_t c = 0; c < col_pairs; c += 2) {
            const vf s0 = sums[r / 2 * col_pairs + c], s1 = sums[r / 2 * col_pairs + c + 1];

            vf_store(t->out + r * t->out_step + 2 * c,
                     r % 2 == 0 ? vcombine_f32(vget_low_f32(s0), vget_low_f32(s1))
                                : vcombine_f32(vget_high_f32(s0), vget_high_f32(s1)));
        }
    }
}

#endif
