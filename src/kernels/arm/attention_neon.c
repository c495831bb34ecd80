/* Attention for NEON. */
#include "kernels/arm/vector_neon.h"

#include "kernels/arm/tile_neon.h"

#include "kernels/loops/attention_words_f32.h"

#include "kernels/loops/attention_loops.h"

#include "kernels/levels.h"

void ed_attention_init_neon(ed_kernels *k)
{
    k->attention_scratch_bytes = attention_scratch_bytes;
    k->f32_attention = k->bf16_attention = attention;
}
