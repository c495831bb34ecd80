/* How the int8 product packs: each block of BLOCK_DEPTH numbers of a line, of weights as of rows,
 * is whole numbers from -127 to 127 times a scale of its own. Included before gemm_loops.h.
 *
 *     weights  16 words of four neighbours along the depth, then the scale; the bytes are q, or
 *              q + 128 with WEIGHTS_UNSIGNED
 *     rows     the same; or with ROWS_INT16 32 words of two numbers of 16 bits, those at 0 and 2
 * and those at 1 and 3 of each four, then the scale; and with WEIGHTS_UNSIGNED a last word, -128
 * times the sum of the q: what the sum of products must begin with, to be that of signed weights */
#ifndef ED_PACK_INT8_H
#define ED_PACK_INT8_H

#include "kernels/loops/pack_blocks.h"
#include "kernels/loops/tile_rows.h"

enum {
    WEIGHT_WORDS = BLOCK_DEPTH / 4 + 1,
#if defined(ROWS_INT16)
    ROW_WORDS = BLOCK_DEPTH / 2 + 1
#elif defined(WEIGHTS_UNSIGNED)
    ROW_WORDS = BLOCK_DEPTH / 4 + 2
#else
    ROW_WORDS = BLOCK_DEPTH / 4 + 1
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

/* Fills q and returns the scale. The largest magnitude is found among the bits as whole numbers, so
 * that a NaN is the largest and makes the scale NaN. Numbers too small to divide by are zero. */
static inline float quantize(int8_t q[BLOCK_DEPTH], const float *x)
{
    uint32_t max_bits = 0;
    float max, inverse;

    for (size_t i = 0; i < BLOCK_DEPTH; i++) {
        uint32_t bits;

        memcpy(&bits, &x[i], sizeof(bits));
        bits &= 0x7fffffffu;
        max_bits = bits > max_bits ? bits : max_bits;
    }
    memcpy(&max, &max_bits, sizeof(max));
    if (max < 1e-30f)
        max = 0.0f;
    inverse = max > 0.0f ? 127.0f / max : 0.0f;
    for (size_t i = 0; i < BLOCK_DEPTH; i++) {
        const float shifted =
            x[i] * inverse + 12582912.0f; /* rounds, and leaves q in the low bits */
        uint32_t bits;

        memcpy(&bits, &shifted, sizeof(bits));
        q[i] = (int8_t)(uint8_t)bits;
    }
    return max / 127.0f;
}

static inline void write_weight(float *words, const float *x)
{
    int8_t q[BLOCK_DEPTH];
    const float scale = quantize(q, x);

#ifdef WEIGHTS_UNSIGNED
    uint8_t shifted[BLOCK_DEPTH];

    for (size_t i = 0; i < BLOCK_DEPTH; i++)
        shifted[i] = (uint8_t)((uint8_t)q[i] ^ 0x80u);
    memcpy(words, shifted, sizeof(shifted));
#else
    memcpy(words, q, sizeof(q));
#endif
    words[WEIGHT_WORDS - 1] = scale;
}

static inline void write_row(float *words, const float *x)
{
    int8_t q[BLOCK_DEPTH];
    const float scale = quantize(q, x);

#ifdef ROWS_INT16
    int16_t wide[BLOCK_DEPTH];

    for (size_t i = 0; i < BLOCK_DEPTH; i += 4) {
        wide[i] = q[i];
        wide[i + 1] = q[i + 2];
        wide[i + 2] = q[i + 1];
        wide[i + 3] = q[i + 3];
    }
    memcpy(words, wide, sizeof(wide));
    words[ROW_WORDS - 1] = scale;
#else
    memcpy(words, q, sizeof(q));
    words[BLOCK_DEPTH / 4] = scale;
#endif
#ifdef WEIGHTS_UNSIGNED
    int32_t start = 0;

    for (size_t i = 0; i < BLOCK_DEPTH; i++)
        start += q[i];
    start *= -128;
    memcpy(&words[ROW_WORDS - 1], &start, sizeof(start));
#endif
}

static void pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    pack_blocks(packed, NR, weights, depth, 0, n_cols, depth, WEIGHT_WORDS, write_weight);
}

static void pack_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                      size_t row_end, size_t depth)
{
    pack_blocks(packed, TILE_ROWS, rows, ld_rows, row_begin, row_end, depth, ROW_WORDS, write_row);
}

#endif
