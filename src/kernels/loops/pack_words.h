/* Rows and weights of the narrower types into panels, block by block. Included at the end of the
 * header that says what a block is: WEIGHT_WORDS, ROW_WORDS, write_weight and write_row. */
#ifndef ED_PACK_WORDS_H
#define ED_PACK_WORDS_H

#include "kernels/loops/pack_blocks.h"
#include "kernels/loops/tile_rows.h"

static inline size_t rows_words(size_t depth)
{
    return n_blocks(depth) * ROW_WORDS;
}

static inline size_t weights_words(size_t depth)
{
    return n_blocks(depth) * WEIGHT_WORDS;
}

static void pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    pack_blocks(packed, NR, weights, depth, 0, n_cols, depth, NULL, WEIGHT_WORDS, write_weight);
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
