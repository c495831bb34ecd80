/* RMSNorm and rotation of heads for AVX-512. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/loops/heads_loops.h"

void ed_heads_init_avx512(ed_kernels *k)
{
    heads_init(k);
}
