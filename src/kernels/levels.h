/* What the level files offer to kernels.c, the ladder: each function sets the slots of its family
 * in a table that already holds the level below. */
#ifndef ED_LEVELS_H
#define ED_LEVELS_H

#include "kernels/kernels.h"

void ed_gemm_init_ref(ed_kernels *k);
void ed_attention_init_ref(ed_kernels *k);
void ed_rows_init_ref(ed_kernels *k);
void ed_activations_init_ref(ed_kernels *k);
void ed_heads_init_ref(ed_kernels *k);

void ed_gemm_init_avx2(ed_kernels *k);
void ed_gemm_bf16_init_avx2(ed_kernels *k);
void ed_gemm_int8_init_avx2(ed_kernels *k);
void ed_attention_init_avx2(ed_kernels *k);
void ed_rows_init_avx2(ed_kernels *k);
void ed_activations_init_avx2(ed_kernels *k);
void ed_heads_init_avx2(ed_kernels *k);

void ed_gemm_init_avx512(ed_kernels *k);
void ed_gemm_bf16_init_avx512(ed_kernels *k);
void ed_gemm_int8_init_avx512(ed_kernels *k);
void ed_attention_init_avx512(ed_kernels *k);
void ed_rows_init_avx512(ed_kernels *k);
void ed_activations_init_avx512(ed_kernels *k);
void ed_heads_init_avx512(ed_kernels *k);

void ed_gemm_int8_init_avx512vnni(ed_kernels *k);

void ed_gemm_bf16_init_avx512bf16(ed_kernels *k);
void ed_attention_init_avx512bf16(ed_kernels *k);

void ed_gemm_init_neon(ed_kernels *k);
void ed_gemm_bf16_init_neon(ed_kernels *k);
void ed_gemm_int8_init_neon(ed_kernels *k);
void ed_attention_init_neon(ed_kernels *k);
void ed_rows_init_neon(ed_kernels *k);
void ed_activations_init_neon(ed_kernels *k);
void ed_heads_init_neon(ed_kernels *k);

void ed_gemm_int8_init_dotprod(ed_kernels *k);

void ed_gemm_int8_init_i8mm(ed_kernels *k);

void ed_gemm_bf16_init_bf16(ed_kernels *k);
void ed_attention_init_bf16(ed_kernels *k);

#endif
