/* GEMM in bytes for NEON, in a tile of 12x8. Without dot products of bytes no way of multiplying
 * them does more at once than floats, which hold a block's sums exactly: 128 products below 2^15
 * are below 2^22. So weights take a quarter of the memory, at nearly the speed of f32. */
#include "kernels/arm/vector_neon.h"

#define ROWS_F32
#include "kernels/loops/int8_blocks.h"

enum { WORD_NUMBERS = 4, BLOCK_STEPS = BLOCK_DEPTH / WORD_NUMBERS };

/* The byte `at` of each word. */
static inline vf widen(vf words, size_t at)
{
    const int32x4_t shift = vdupq_n_s32(24 - 8 * (int)at);
    const int32x4_t high = vshlq_s32(vreinterpretq_s32_f32(words), shift);

    return vcvtq_f32_s32(vshrq_n_s32(high, 24));
}

#include "kernels/arm/tile_words_neon.h"

/* A block's sums stay in registers, those of the blocks in t->out: there is no room for both. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS, line = TILE_VECTORS * VF_LANES;
    const float *a = t->a, *b = t->b, *next = t->next;

    clear_out(rows, width, t);
    for (size_t block = n_blocks(t->depth); block > 0; block--) {
        vf sums[TILE_ROWS * TILE_VECTORS];

        ED_UNROLL
        for (size_t i = 0; i < rows * width; i++)
            sums[i] = vf_set(0.0f);
        multiply_words(rows, panels, sums, a, b, next, BLOCK_STEPS, t);
        a += BLOCK_DEPTH * t->a_step;
        b += BLOCK_STEPS * line;
        ED_UNROLL
        for (size_t c = 0; c < width; c++) {
            const float *ends = b + c / TILE_VECTORS * t->b_step + c % TILE_VECTORS * VF_LANES;
            const vf scale = vf_load(ends), sum_of_weights = vf_load(ends + line);

            ED_UNROLL
            for (size_t r = 0; r < rows; r++) {
                add_to_out(t->out + r * t->out_step + c * VF_LANES, sums[r * width + c], scale,
                           sum_of_weights, a + r, t->a_step);
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

void ed_gemm_int8_init_neon(ed_kernels *k)
{
    k->gemm_int8 = gemm_of("ed_int8_gemm_12x8_neon");
}
