/* Attention for CPUs that multiply bf16: both products in bf16 with sums in f32, softmax in f32.
 * Dot products of two by lane fit the loops and the tile of f32, and its scratch. */
#include "kernels/arm/vector_neon.h"

#include "kernels/loops/tile.h"

/* The lane must be a constant where it is compiled, which it is once the loops have vanished. */
ED_INLINE vf add_dot(vf sum, vf words, vf rows, size_t lane)
{
    const bfloat16x8_t w = vreinterpretq_bf16_f32(words), x = vreinterpretq_bf16_f32(rows);

    switch (lane) {
    case 0:
        return vbfdotq_laneq_f32(sum, w, x, 0);
    case 1:
        return vbfdotq_laneq_f32(sum, w, x, 1);
    case 2:
        return vbfdotq_laneq_f32(sum, w, x, 2);
    default:
        return vbfdotq_laneq_f32(sum, w, x, 3);
    }
}

#define TILE_ADD_PRODUCT(sum, w, x, lane) add_dot(sum, w, x, lane)
#define TILE_STEPS(depth)                 (depth) /* counted in words */

#include "kernels/arm/tile_neon.h"

/* Numbers 2 l and 2 l + 1 of the 8 in one word. */
static inline vf vf_round_bf16(vf low, vf high)
{
    return vreinterpretq_f32_bf16(vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(low), high));
}

/* Lane l of both in one word. */
static inline vf vf_pair_bf16(vf first, vf second)
{
    const uint16x8_t both = vreinterpretq_u16_f32(vf_round_bf16(first, second));

    return vreinterpretq_f32_u16(vzip1q_u16(both, vextq_u16(both, both, 4)));
}

#include "kernels/loops/attention_words_bf16.h"

#include "kernels/loops/attention_loops.h"

#include "kernels/levels.h"

void ed_attention_init_bf16(ed_kernels *k)
{
    k->bf16_attention = attention; /* asks for no more scratch than that of f32 */
}
