/* GEMM of f32 rows and bf16 weights for AVX2. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/x86/tile_bf16_x86.h"

#include "kernels/loops/pack_bf16.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_bf16_init_avx2(ed_kernels *k)
{
    k->gemm_bf16 = gemm_of("ed_bf16_gemm_6x16_avx2");
}
