/* GEMM in bytes for CPUs with dot products of bytes: one instruction multiplies four signed bytes
 * of each of four columns of weights by four of one row. A tile of 12x8: 24 sums in whole numbers,
 * 2 vectors of weights and 3 of row values of 32 registers.
 *
 * The tile is for Arm's guides, not from measurements: sdot takes 3 to 4 cycles where it is slow to
 * follow itself, on two (Neoverse N1, N2) to four (V1, Apple M) units, so 16 independent sums fill
 * all; 24 sums need 5 loads per step, fewer than those cores can do in the time. */
#include "kernels/arm/vector_neon.h"

#define ROWS_SIGNED
#include "kernels/loops/int8_blocks.h"

#define TILE_PREFETCH 16 /* a cache line per word */

enum { BLOCK_STEPS = BLOCK_DEPTH / 4 };

/* The lane must be a constant where it is compiled, which it is once the loops have vanished. */
ED_INLINE int32x4_t add_dot(int32x4_t sum, int8x16_t w, int8x16_t x, size_t lane)
{
    switch (lane) {
    case 0:
        return vdotq_laneq_s32(sum, w, x, 0);
    case 1:
        return vdotq_laneq_s32(sum, w, x, 1);
    case 2:
        return vdotq_laneq_s32(sum, w, x, 2);
    default:
        return vdotq_laneq_s32(sum, w, x, 3);
    }
}

/* The sums of a block, which begin with what signed rows lack. */
ED_INLINE void multiply_block(const size_t rows, const size_t width, int32x4_t *sums,
                              const float *a, const ed_tile *t, const float *b, const float *next)
{
    ED_UNROLL
    for (size_t c = 0; c < width; c++) {
        const float *start = b + c / TILE_VECTORS * t->b_step + c % TILE_VECTORS * VF_LANES +
                             (BLOCK_STEPS + 1) * TILE_VECTORS * VF_LANES;

        ED_UNROLL
        for (size_t r = 0; r < rows; r++)
            sums[r * width + c] = vreinterpretq_s32_f32(vf_load(start));
    }
    ED_NO_UNROLL
    for (size_t step = 0; step < BLOCK_STEPS; step++) {
        int8x16_t x[TILE_ROWS / VF_LANES], w[TILE_ROWS * TILE_VECTORS];

        __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
        ED_UNROLL
        for (size_t r = 0; r < rows; r += VF_LANES)
            x[r / VF_LANES] = vreinterpretq_s8_f32(vf_load(a + r));
        ED_UNROLL
        for (size_t c = 0; c < width; c++)
            w[c] = vreinterpretq_s8_f32(
                vf_load(b + c / TILE_VECTORS * t->b_step + c % TILE_VECTORS * VF_LANES));
        ED_UNROLL
        for (size_t r = 0; r < rows; r++) {
            ED_UNROLL
            for (size_t c = 0; c < width; c++)
                sums[r * width + c] =
                    add_dot(sums[r * width + c], w[c], x[r / VF_LANES], r % VF_LANES);
        }
        a += t->a_step;
        b += TILE_VECTORS * VF_LANES;
        next += TILE_PREFETCH;
    }
}

/* A block's sums of whole numbers stay in registers, those of the blocks, in floats, in t->out:
 * there is no room for both. The order of an element's sums is that of the blocks. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS, line = TILE_VECTORS * VF_LANES;
    const float *a = t->a, *b = t->b, *next = t->next;

    clear_out(rows, width, t);
    for (size_t block = n_blocks(t->depth); block > 0; block--) {
        int32x4_t sums[TILE_ROWS * TILE_VECTORS];

        multiply_block(rows, width, sums, a, t, b, next);
        a += BLOCK_STEPS * t->a_step;
        b += BLOCK_STEPS * line;
        ED_UNROLL
        for (size_t c = 0; c < width; c++) {
            const float *ends = b + c / TILE_VECTORS * t->b_step + c % TILE_VECTORS * VF_LANES;
            const int32x4_t sum_128 = vreinterpretq_s32_f32(vf_load(ends + line));
            const vf scale = vf_load(ends);
            const vf sum_of_weights = vf_mul(scale, vcvtq_n_f32_s32(sum_128, 7));

            ED_UNROLL
            for (size_t r = 0; r < rows; r++) {
                add_to_out(t->out + r * t->out_step + c * VF_LANES,
                           vcvtq_f32_s32(sums[r * width + c]), scale, sum_of_weights, a + r,
                           t->a_step);
            }
        }
        a += 2 * t->a_step;
        b += 2 * line;
        next += (BLOCK_STEPS + 2) * TILE_PREFETCH;
    }
}

#include "kernels/loops/pack_int8.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_int8_init_dotprod(ed_kernels *k)
{
    k->gemm_int8 = gemm_of("ed_int8_gemm_12x8_dotprod");
}
