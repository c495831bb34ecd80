/* The loops over rows of floats for NEON. */
#include "kernels/arm/vector_neon.h"

#include "kernels/loops/rows_loops.h"

void ed_rows_init_neon(ed_kernels *k)
{
    rows_init(k);
}
