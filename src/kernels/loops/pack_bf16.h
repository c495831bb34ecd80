/* How the bf16 product packs weights: a word is two neighbours along the depth, the first in the
 * lower half; f32 cut to its upper half after rounding to the nearest, ties to even. Rows are
 * rounded likewise where the level multiplies bf16 (ROWS_BF16), else they stay floats. Included
 * before gemm_loops.h. */
#ifndef ED_PACK_BF16_H
#define ED_PACK_BF16_H

#include "kernels/loops/pack_blocks.h"
#include "kernels/loops/tile_rows.h"

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

static inline size_t rows_words(size_t depth)
{
    return n_blocks(depth) * ROW_WORDS;
}

static inline size_t weights_words(size_t depth)
{
    return n_blocks(depth) * WEIGHT_WORDS;
}

/* A NaN stays one: rounding could carry it over into a number. */
static inline uint16_t round_bf16(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u
                          ? bits >> 16 | 0x40u
                          : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline void write_bf16(float *words, const float *x)
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
    write_bf16(words, x);
#else
    memcpy(words, x, BLOCK_DEPTH * sizeof(float));
#endif
}

static void pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    pack_blocks(packed, NR, weights, depth, 0, n_cols, depth, NULL, WEIGHT_WORDS, write_bf16);
}

static void pack_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                      size_t row_end, size_t depth)
{
    pack_blocks(packed, TILE_ROWS, rows, ld_rows, row_begin, row_end, depth, NULL, ROW_WORDS,
                write_row);
}

/* Numbers [at, at + n) of n_rows rows of `depth`, the first of which is row `row`: a panel's, or
 * the last one's. `at` is a multiple of PACK_COLS. */
static void pack_part(float *packed, const float *rows, size_t ld, size_t row, size_t n_rows,
                      size_t at, size_t n, size_t depth)
{
    pack_panel_blocks(packed + row * rows_words(depth) + at / BLOCK_DEPTH * TILE_ROWS * ROW_WORDS,
                      TILE_ROWS, rows, ld, n_rows, n, NULL, ROW_WORDS, write_row);
}

#endif
