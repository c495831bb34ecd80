/* Attention for AVX-512. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/x86/tile_x86.h"

#include "kernels/loops/attention_loops.h"

void ed_attention_init_avx512(ed_kernels *k)
{
    attention_init(k);
}
