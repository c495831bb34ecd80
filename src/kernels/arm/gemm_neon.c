/* GEMM for NEON: the loops of gemm_loops.h around a tile of 12x8. */
#include "kernels/arm/vector_neon.h"

#include "kernels/arm/tile_neon.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_init_neon(ed_kernels *k)
{
    k->gemm_f32 = (ed_gemm){.name = "ed_f32_gemm_12x8_neon",
                            .mr = TILE_ROWS,
                            .nr = NR,
                            .weights_bytes = weights_bytes,
                            .pack_weights = pack_weights,
                            .rows_bytes = rows_bytes,
                            .pack_rows = pack_rows,
                            .run = run};
}
