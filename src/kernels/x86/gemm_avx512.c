/* GEMM for AVX-512: the loops of gemm_loops.h around a tile of 12x32. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/x86/tile_x86.h"

#include "kernels/loops/pack_f32.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_init_avx512(ed_kernels *k)
{
    k->gemm_f32 = gemm_of("ed_f32_gemm_12x32_avx512");
}
