/* GEMM for AVX2: the loops of gemm_loops.h around a tile of 6x16. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/x86/tile_x86.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_init_avx2(ed_kernels *k)
{
    k->gemm_f32 = (ed_gemm){.name = "ed_f32_gemm_6x16_avx2",
                            .mr = TILE_ROWS,
                            .nr = NR,
                            .weights_bytes = weights_bytes,
                            .pack_weights = pack_weights,
                            .rows_bytes = rows_bytes,
                            .pack_rows = pack_rows,
                            .run = run};
}
