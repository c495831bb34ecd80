/* Packing of the narrower types: a line is cut into blocks of BLOCK_DEPTH numbers (the last one
 * filled up with zeros), a block is written as a fixed number of words, and the words are laid into
 * panels like floats. What a block's words are: write_weight and write_row of a type.
 *
 * With PAIRED_WORDS, for products that take two words of a line at once, the two lie side by side:
 * the first PAIRED_WORDS words of a block as [PAIRED_WORDS / 2][panel][2]. */
#ifndef ED_PACK_BLOCKS_H
#define ED_PACK_BLOCKS_H

#include "kernels/loops/pack.h"

#include <stdint.h>
#include <string.h>

#ifndef BLOCK_DEPTH
#define BLOCK_DEPTH 64
#endif

enum {
    BLOCK_WORDS_MAX = BLOCK_DEPTH + 2, /* bytes as floats, and what stands behind them */
    PANEL_LINES_MAX = 32
};

/* x[BLOCK_DEPTH] -> words */
typedef void (*block_writer)(float *words, const float *x);

static inline size_t n_blocks(size_t depth)
{
    return (depth + BLOCK_DEPTH - 1) / BLOCK_DEPTH;
}

#ifdef PAIRED_WORDS
/* [PAIRED_WORDS][panel] -> [PAIRED_WORDS / 2][panel][2] */
static inline void pair_words(float *block, const size_t panel)
{
    for (size_t w = 0; w < PAIRED_WORDS; w += 2, block += 2 * panel) {
        float both[2 * PANEL_LINES_MAX];

        memcpy(both, block, 2 * panel * sizeof(float));
        for (size_t r = 0; r < panel; r++) {
            block[2 * r] = both[r];
            block[2 * r + 1] = both[panel + r];
        }
    }
}
#endif

/* filled[BLOCK_DEPTH] = x[depth] * scale[depth], then zeros; NULL = no scale */
static inline void fill_block(float *filled, const float *x, size_t depth, const float *scale)
{
    for (size_t d = depth; d < BLOCK_DEPTH; d++)
        filled[d] = 0.0f;
    if (scale == NULL)
        memcpy(filled, x, depth * sizeof(float));
    else
        for (size_t d = 0; d < depth; d++)
            filled[d] = x[d] * scale[d];
}

/* One block of depth of n lines: `depth` numbers of each, at most BLOCK_DEPTH. */
ED_INLINE void pack_block(float *to, const size_t panel, const float *from, size_t ld, size_t n,
                          size_t depth, const float *scale, const size_t words, block_writer write)
{
    float lines[PANEL_LINES_MAX * BLOCK_WORDS_MAX];

    for (size_t r = 0; r < n; r++) {
        float filled[BLOCK_DEPTH];
        const float *x = from + r * ld;

        if (depth < BLOCK_DEPTH || scale != NULL) {
            fill_block(filled, x, depth, scale);
            x = filled;
        }
        write(lines + r * words, x);
    }
    pack_panel(to, panel, lines, words, n, words);
#ifdef PAIRED_WORDS
    pair_words(to, panel);
#endif
}

/* `depth` numbers of each of n lines, block by block. */
ED_INLINE void pack_panel_blocks(float *to, const size_t panel, const float *from, size_t ld,
                                 size_t n, size_t depth, const float *scale, const size_t words,
                                 block_writer write)
{
    for (size_t d = 0; d < depth; d += BLOCK_DEPTH, to += panel * words)
        pack_block(to, panel, from + d, ld, n, min_size(BLOCK_DEPTH, depth - d),
                   scale == NULL ? NULL : scale + d, words, write);
}

/* Lines [begin, end) of `lines`, ld floats apart, their numbers multiplied by scale[depth] unless
 * that is NULL; begin is a multiple of `panel`. */
ED_INLINE void pack_blocks(float *packed, const size_t panel, const float *lines, size_t ld,
                           size_t begin, size_t end, size_t depth, const float *scale,
                           const size_t words, block_writer write)
{
    for (size_t i = begin; i < end; i += panel)
        pack_panel_blocks(packed + i * n_blocks(depth) * words, panel, lines + i * ld, ld,
                          min_size(panel, end - i), depth, scale, words, write);
}

#endif
