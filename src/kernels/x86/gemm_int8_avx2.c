/* GEMM in bytes for AVX2. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/x86/tile_int8_x86.h"

#include "kernels/loops/pack_int8.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_int8_init_avx2(ed_kernels *k)
{
    k->gemm_int8 = gemm_of("ed_int8_gemm_6x16_avx2");
}
