/* Activations for NEON. */
#include "kernels/arm/vector_neon.h"

#include "kernels/loops/activations_loops.h"

void ed_activations_init_neon(ed_kernels *k)
{
    activations_init(k);
}
