/* GEMM of f32 rows and bf16 weights for NEON, in a tile of 12x8. */
#include "kernels/arm/vector_neon.h"

#include "kernels/loops/pack_blocks.h"

enum { WORD_NUMBERS = 2 };

/* The floats of the lower or the upper bf16 of each word. */
static inline vf widen(vf words, size_t at)
{
    const uint32x4_t x = vreinterpretq_u32_f32(words);

    return vreinterpretq_f32_u32(at == 0 ? vshlq_n_u32(x, 16)
                                         : vandq_u32(x, vdupq_n_u32(0xffff0000u)));
}

#include "kernels/arm/tile_words_neon.h"

ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS;
    vf sums[TILE_ROWS * TILE_VECTORS];

    ED_UNROLL
    for (size_t i = 0; i < rows * width; i++)
        sums[i] = vf_set(0.0f);
    multiply_words(rows, panels, sums, t->a, t->b, t->next,
                   n_blocks(t->depth) * BLOCK_DEPTH / WORD_NUMBERS, t);
    ED_UNROLL
    for (size_t r = 0; r < rows; r++) {
        ED_UNROLL
        for (size_t c = 0; c < width; c++)
            vf_store(t->out + r * t->out_step + c * VF_LANES, sums[r * width + c]);
    }
}

#include "kernels/loops/pack_bf16.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_bf16_init_neon(ed_kernels *k)
{
    k->gemm_bf16 = gemm_of("ed_bf16_gemm_12x8_neon");
}
