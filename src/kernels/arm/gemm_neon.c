/* GEMM for NEON: the loops of gemm_loops.h around a tile of 12x8. */
#include "kernels/arm/vector_neon.h"

#include "kernels/arm/tile_neon.h"

#include "kernels/loops/pack_f32.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_init_neon(ed_kernels *k)
{
    k->gemm_f32 = gemm_of("ed_f32_gemm_12x8_neon");
}
