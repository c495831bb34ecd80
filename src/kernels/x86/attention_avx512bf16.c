/* Attention for CPUs that multiply bf16: both products in bf16 with sums in f32, softmax in f32. */
#include "kernels/x86/vector_avx512.h"

#define TILE_ADD_PRODUCT(x, w, sum) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(w))
#define TILE_STEPS(depth)           (depth) /* counted in words */

#include "kernels/x86/tile_x86.h"

/* Numbers 2 l and 2 l + 1 of the 32 in one word. */
static inline vf vf_round_bf16(vf low, vf high)
{
    return (vf)_mm512_cvtne2ps_pbh(high, low);
}

/* Lane l of both in one word. */
static inline vf vf_pair_bf16(vf first, vf second)
{
    const vi both = (vi)_mm512_cvtne2ps_pbh(second, first);

    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0),
        both));
}

#include "kernels/loops/attention_words_bf16.h"

#include "kernels/loops/attention_loops.h"

#include "kernels/levels.h"

void ed_attention_init_avx512bf16(ed_kernels *k)
{
    k->bf16_attention = attention; /* asks for no more scratch than that of f32 */
}
