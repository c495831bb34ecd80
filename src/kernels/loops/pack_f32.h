/* How the f32 product packs: a word is a float. Included before gemm_loops.h. */
#ifndef ED_PACK_F32_H
#define ED_PACK_F32_H

#include "kernels/loops/pack.h"
#include "kernels/loops/tile_rows.h"

#define GEMM_GELU             vf_gelu
#define GEMM_PACK_SCALED_ROWS NULL

static inline size_t rows_words(size_t depth)
{
    return depth;
}

static inline size_t weights_words(size_t depth)
{
    return depth;
}

static void pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    pack_lines(packed, NR, weights, depth, 0, n_cols, depth);
}

static void pack_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                      size_t row_end, size_t depth)
{
    pack_lines(packed, TILE_ROWS, rows, ld_rows, row_begin, row_end, depth);
}

/* Numbers [at, at + n) of n_rows rows of `depth`, the first of which is row `row`: a panel's, or
 * the last one's. `at` is a multiple of PACK_COLS. */
static void pack_part(float *packed, const float *rows, size_t ld, size_t row, size_t n_rows,
                      size_t at, size_t n, size_t depth)
{
    pack_panel(packed + row * depth + at * TILE_ROWS, TILE_ROWS, rows, ld, n_rows, n);
}

#endif
