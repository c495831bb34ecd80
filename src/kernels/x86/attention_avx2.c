/* Attention for AVX2. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/x86/tile_x86.h"

#include "kernels/loops/attention_loops.h"

void ed_attention_init_avx2(ed_kernels *k)
{
    attention_init(k);
}
