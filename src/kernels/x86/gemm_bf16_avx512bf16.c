/* GEMM in bf16 for CPUs that multiply it: a tile of 12x32 whose step takes two numbers along the
 * depth, rounded to bf16, and adds their products to a sum in f32. */
#include "kernels/x86/vector_avx512.h"

#define ROWS_BF16
#define TILE_ADD_PRODUCT(x, w, sum) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(w))
#define TILE_STEPS(depth)           (n_blocks(depth) * BLOCK_DEPTH / 2)

#include "kernels/loops/pack_blocks.h"

#include "kernels/x86/tile_x86.h"

#define WRITE_BF16_ROW write_row_avx512bf16

/* words[BLOCK_DEPTH / 2]; rounds like round_bf16, but makes zeros of denormals, as the product does
 */
ED_INLINE void write_row_avx512bf16(float *words, const float *x)
{
    ED_UNROLL
    for (size_t i = 0; i < BLOCK_DEPTH; i += 2 * VF_LANES) {
        const __m512bh halves = _mm512_cvtne2ps_pbh(vf_load(x + i + VF_LANES), vf_load(x + i));

        vf_store(words + i / 2, (vf)halves);
    }
}

#include "kernels/loops/pack_bf16.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_bf16_init_avx512bf16(ed_kernels *k)
{
    k->gemm_bf16 = gemm_of("ed_bf16_gemm_12x32_avx512bf16");
}
