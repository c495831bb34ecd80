/* The loops over rows of floats for AVX2. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/loops/rows_loops.h"

void ed_rows_init_avx2(ed_kernels *k)
{
    rows_init(k);
}
