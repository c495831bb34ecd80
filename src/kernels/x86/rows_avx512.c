/* The loops over rows of floats for AVX-512. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/loops/rows_loops.h"

void ed_rows_init_avx512(ed_kernels *k)
{
    rows_init(k);
}
