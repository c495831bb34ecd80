/* Attention for AVX-512. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/x86/tile_x86.h"

#include "kernels/loops/attention_words_f32.h"

#include "kernels/loops/attention_loops.h"

#include "kernels/levels.h"

void ed_attention_init_avx512(ed_kernels *k)
{
    k->attention_scratch_bytes = attention_scratch_bytes;
    k->f32_attention = k->bf16_attention = attention;
}
