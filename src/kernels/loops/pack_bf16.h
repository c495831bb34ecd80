/* How the bf16 product packs weights: a word is two neighbours along the depth, the first in the
 * lower half; f32 cut to its upper half after rounding to the nearest, ties to even. Rows are
 * rounded likewise where the level multiplies bf16 (ROWS_BF16), else they stay floats. Included
 * before gemm_loops.h. */
#ifndef ED_PACK_BF16_H
#define ED_PACK_BF16_H

#include "kernels/loops/pack_blocks.h"

#define GEMM_GELU             vf_gelu_rounded
#define GEMM_PACK_SCALED_ROWS NULL

enum {
    WEIGHT_WORDS = BLOCK_DEPTH / 2,
#ifdef ROWS_BF16
    ROW_WORDS = BLOCK_DEPTH / 2
#else
    ROW_WORDS = BLOCK_DEPTH
#endif
};

/* A NaN stays one: rounding could carry it over into a number. */
static inline uint16_t round_bf16(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u
                          ? bits >> 16 | 0x40u
                          : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline void write_weight(float *words, const float *x)
{
    uint16_t halves[BLOCK_DEPTH];

    for (size_t i = 0; i < BLOCK_DEPTH; i++)
        halves[i] = round_bf16(x[i]);
    memcpy(words, halves, sizeof(halves));
}

static inline void write_row(float *words, const float *x)
{
#if defined(WRITE_BF16_ROW)
    WRITE_BF16_ROW(words, x);
#elif defined(ROWS_BF16)
    write_weight(words, x);
#else
    memcpy(words, x, BLOCK_DEPTH * sizeof(float));
#endif
}

#include "kernels/loops/pack_words.h"

#endif
