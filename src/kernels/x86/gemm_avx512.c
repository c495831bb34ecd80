/* GEMM for AVX-512: the loops of gemm_loops.h around a tile of 12x32. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/x86/tile_x86.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_init_avx512(ed_kernels *k)
{
    k->gemm_f32 = (ed_gemm){.name = "ed_f32_gemm_12x32_avx512",
                            .mr = TILE_ROWS,
                            .nr = NR,
                            .weights_bytes = weights_bytes,
                            .pack_weights = pack_weights,
                            .rows_bytes = rows_bytes,
                            .pack_rows = pack_rows,
                            .run = run};
}
