/* RMSNorm and rotation of heads for AVX2. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/loops/heads_loops.h"

void ed_heads_init_avx2(ed_kernels *k)
{
    heads_init(k);
}
