/* Activations for AVX2. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/loops/activations_loops.h"

void ed_activations_init_avx2(ed_kernels *k)
{
    activations_init(k);
}
