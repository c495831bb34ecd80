/* Activations for AVX-512. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/loops/activations_loops.h"

void ed_activations_init_avx512(ed_kernels *k)
{
    activations_init(k);
}
