/* GEMM for AVX2: the loops of gemm_loops.h around a tile of 6x16. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/x86/tile_x86.h"

#include "kernels/loops/pack_f32.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_init_avx2(ed_kernels *k)
{
    k->gemm_f32 = gemm_of("ed_f32_gemm_6x16_avx2");
}
