/* GEMM in bf16 for CPUs that multiply 2x4 by 4x2 of them and add to sums in f32, in a tile of 8x12.
 * Four products along the depth are one step, which the CPU rounds to odd, twice. */
#include "kernels/arm/vector_neon.h"

#define ROWS_BF16
#define PAIRED_WORDS 32
#include "kernels/arm/tile_pairs_neon.h"

enum { BLOCK_STEPS = BLOCK_DEPTH / 4 };

/* The depth rises step by step, whatever `rows` and `panels` are. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t row_pairs = (rows + 1) / 2, col_pairs = panels * PANEL_PAIRS;
    const float *a = t->a, *b = t->b, *next = t->next;
    const size_t a_step = t->a_step, b_step = t->b_step;
    vf sums[TILE_SUMS];

    ED_UNROLL
    for (size_t i = 0; i < row_pairs * col_pairs; i++)
        sums[i] = vf_set(0.0f);
    for (size_t step = n_blocks(t->depth) * BLOCK_STEPS; step > 0; step--) {
        bfloat16x8_t x[TILE_ROWS / 2];

        __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
        ED_UNROLL
        for (size_t r = 0; r < row_pairs; r++)
            x[r] = vreinterpretq_bf16_f32(vf_load(a + r * VF_LANES));
        ED_UNROLL
        for (size_t c = 0; c < col_pairs; c++) {
            const bfloat16x8_t w = vreinterpretq_bf16_f32(load_weights(b, b_step, c));

            ED_UNROLL
            for (size_t r = 0; r < row_pairs; r++)
                sums[r * col_pairs + c] = vbfmmlaq_f32(sums[r * col_pairs + c], x[r], w);
            LOAD_NO_EARLIER();
        }
        a += 2 * a_step;
        b += STEP_WORDS;
        next += 2 * TILE_PREFETCH;
    }
    store_pairs(rows, col_pairs, sums, t);
}

#include "kernels/loops/pack_bf16.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_bf16_init_bf16(ed_kernels *k)
{
    k->gemm_bf16 = gemm_of("ed_bf16_gemm_8x12_bf16");
}
