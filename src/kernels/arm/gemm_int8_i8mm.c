/* GEMM in bytes for CPUs that multiply 2x8 unsigned by 8x2 signed ones, in a tile of 8x12. */
#include "kernels/arm/vector_neon.h"

#define PAIRED_WORDS 32
#include "kernels/loops/int8_blocks.h"

#include "kernels/arm/tile_pairs_neon.h"

enum { BLOCK_STEPS = BLOCK_DEPTH / 8 };

ED_INLINE void multiply_block(const size_t row_pairs, const size_t col_pairs, int32x4_t *sums,
                              const float *a, const ed_tile *t, const float *b, const float *next)
{
    ED_UNROLL
    for (size_t i = 0; i < row_pairs * col_pairs; i++)
        sums[i] = vdupq_n_s32(0);
    ED_NO_UNROLL
    for (size_t step = 0; step < BLOCK_STEPS; step++) {
        uint8x16_t x[TILE_ROWS / 2];

        __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
        ED_UNROLL
        for (size_t r = 0; r < row_pairs; r++)
            x[r] = vreinterpretq_u8_f32(vf_load(a + r * VF_LANES));
        ED_UNROLL
        for (size_t c = 0; c < col_pairs; c++) {
            const int8x16_t w = vreinterpretq_s8_f32(load_weights(b, t->b_step, c));

            ED_UNROLL
            for (size_t r = 0; r < row_pairs; r++)
                sums[r * col_pairs + c] = vusmmlaq_s32(sums[r * col_pairs + c], x[r], w);
            LOAD_NO_EARLIER();
        }
        a += 2 * t->a_step;
        b += STEP_WORDS;
        next += 2 * TILE_PREFETCH;
    }
}

/* x0 x0 x1 x1, for the rows of a pair */
static inline vf load_row_pair(const float *x)
{
    return vcombine_f32(vdup_n_f32(x[0]), vdup_n_f32(x[1]));
}

/* x0 x1 x0 x1, for the columns of a pair */
static inline vf load_col_pair(const float *x)
{
    const float32x2_t both = vld1_f32(x);

    return vcombine_f32(both, both);
}

/* A block's sums of whole numbers stay in registers, those of the blocks, in floats, in t->out, in
 * pairs until the end: there is no room for both. The order of an element's sums is that of the
 * blocks, whatever `rows` and `panels` are. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t row_pairs = (rows + 1) / 2, col_pairs = panels * PANEL_PAIRS;
    const float *a = t->a, *b = t->b, *next = t->next;
    vf all[TILE_SUMS];

    ED_UNROLL
    for (size_t i = 0; i < row_pairs * col_pairs; i++)
        vf_store(t->out + i * VF_LANES, vf_set(0.0f));
    for (size_t block = n_blocks(t->depth); block > 0; block--) {
        int32x4_t sums[TILE_SUMS];

        multiply_block(row_pairs, col_pairs, sums, a, t, b, next);
        a += 2 * BLOCK_STEPS * t->a_step;
        b += BLOCK_STEPS * STEP_WORDS;
        ED_UNROLL
        for (size_t c = 0; c < col_pairs; c++) {
            const float *ends = b + c / PANEL_PAIRS * t->b_step + c % PANEL_PAIRS * 2;
            const vf scale = load_col_pair(ends);
            const vf sum_of_weights = load_col_pair(ends + STEP_WORDS / 2);

            ED_UNROLL
            for (size_t r = 0; r < row_pairs; r++) {
                float *out = t->out + (r * col_pairs + c) * VF_LANES;
                const vf sum = vf_mul(vcvtq_f32_s32(sums[r * col_pairs + c]), scale);

                vf_store(out, vf_fma(load_row_pair(a + t->a_step + 2 * r), sum_of_weights,
                                     vf_fma(sum, load_row_pair(a + 2 * r), vf_load(out))));
            }
        }
        a += 2 * t->a_step;
        b += STEP_WORDS;
        next += (2 * BLOCK_STEPS + 2) * TILE_PREFETCH;
    }

    ED_UNROLL
    for (size_t i = 0; i < row_pairs * col_pairs; i++)
        all[i] = vf_load(t->out + i * VF_LANES);
    store_pairs(rows, col_pairs, all, t);
}

#include "kernels/loops/pack_int8.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_int8_init_i8mm(ed_kernels *k)
{
    k->gemm_int8 = gemm_of("ed_int8_gemm_8x12_i8mm");
}
