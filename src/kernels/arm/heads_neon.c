/* RMSNorm and rotation of heads for NEON. */
#include "kernels/arm/vector_neon.h"

#include "kernels/loops/heads_loops.h"

void ed_heads_init_neon(ed_kernels *k)
{
    heads_init(k);
}
