/* Attention for NEON. */
#include "kernels/arm/vector_neon.h"

#include "kernels/arm/tile_neon.h"

#include "kernels/loops/attention_loops.h"

void ed_attention_init_neon(ed_kernels *k)
{
    attention_init(k);
}
