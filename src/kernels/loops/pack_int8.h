/* How the int8 product packs, block by block of BLOCK_DEPTH numbers of a line. Included before
 * gemm_loops.h.
 *
 *     weights  scale * q, q from -127 to 127: 32 words of four neighbours along the depth, then the
 *              scale, then the scale times the sum of the q
 *     rows     minimum + scale * q, q from 0 to 255: 32 words, or with ROWS_INT16 64 words of two
 *              numbers of 16 bits, those at 0 and 2 and those at 1 and 3 of each four; then the
 *              scale, then the minimum
 *
 * With ROWS_F32 the q of rows are floats, 128 words. With ROWS_SIGNED, for CPUs that multiply
 * signed bytes only, rows hold q - 128, and the last word of weights is 128 times the sum of the q,
 * a whole number, which such a product falls short by.
 *
 * Activations are rarely as large below zero as above, so a scale from zero would waste a bit. The
 * product of two blocks is scale * scale * sum(q q) + minimum * (scale * sum(q)). */
#ifndef ED_PACK_INT8_H
#define ED_PACK_INT8_H

#include "kernels/loops/int8_blocks.h"

#include <math.h>
#include <stdbool.h>

#define GEMM_GELU             vf_gelu_rounded
#define GEMM_PACK_SCALED_ROWS pack_scaled_rows

enum {
    WEIGHT_WORDS = BLOCK_DEPTH / 4 + 2,
#if defined(ROWS_F32)
    ROW_WORDS = BLOCK_DEPTH + 2
#elif defined(ROWS_INT16)
    ROW_WORDS = BLOCK_DEPTH / 2 + 2
#else
    ROW_WORDS = BLOCK_DEPTH / 4 + 2
#endif
};

/* A float's bits as a whole number that rises with it, and back. A NaN lies beyond infinity. */
static inline int32_t rising(int32_t bits)
{
    return bits ^ (bits >> 31 & 0x7fffffff);
}

typedef struct block_range {
    float min, max;
    bool finite;
} block_range;

/* Among whole numbers, because those may be compared in any order: a compiler makes vectors of it.
 */
static inline block_range find_range(const float *x)
{
    int32_t min = INT32_MAX, max = INT32_MIN;
    block_range range;

    for (size_t i = 0; i < BLOCK_DEPTH; i++) {
        int32_t bits;

        memcpy(&bits, &x[i], sizeof(bits));
        bits = rising(bits);
        min = bits < min ? bits : min;
        max = bits > max ? bits : max;
    }
    range.finite = max < 0x7f800000 && min > rising((int32_t)0xff800000u);
    min = rising(min);
    max = rising(max);
    memcpy(&range.min, &min, sizeof(min));
    memcpy(&range.max, &max, sizeof(max));
    return range;
}

/* q[i] = (x[i] - origin) / step, rounded, as the low byte; `range` is `steps` of them. A range too
 * small to divide by is no step at all. Returns the step. */
static inline float quantize(uint8_t q[BLOCK_DEPTH], const float *x, float origin, float range,
                             float steps)
{
    const float inverse = range < 1e-30f ? 0.0f : steps / range;

    for (size_t i = 0; i < BLOCK_DEPTH; i++) {
        /* Adding 1.5 * 2^23 rounds to a whole number, and leaves it in the lowest bits. */
        const float shifted = (x[i] - origin) * inverse + 12582912.0f;
        uint32_t bits;

        memcpy(&bits, &shifted, sizeof(bits));
        q[i] = (uint8_t)bits;
    }
    return range < 1e-30f ? 0.0f : range / steps;
}

static inline void write_weight(float *words, const float *x)
{
    const block_range range = find_range(x);
    uint8_t q[BLOCK_DEPTH];
    const float scale =
        quantize(q, x, 0.0f, range.max > -range.min ? range.max : -range.min, 127.0f);
    int32_t sum = 0;

    for (size_t i = 0; i < BLOCK_DEPTH; i++)
        sum += (int8_t)q[i];
    memcpy(words, q, sizeof(q));
    words[WEIGHT_WORDS - 2] = scale;
#ifdef ROWS_SIGNED
    sum *= 128;
    memcpy(&words[WEIGHT_WORDS - 1], &sum, sizeof(sum));
#else
    words[WEIGHT_WORDS - 1] = scale * (float)sum;
#endif
}

/* What is not finite in the block makes its minimum NaN. */
static inline void write_row(float *words, const float *x)
{
    uint8_t q[BLOCK_DEPTH];
    const block_range range = find_range(x);

    words[ROW_WORDS - 2] = quantize(q, x, range.min, range.max - range.min, 255.0f);
    words[ROW_WORDS - 1] = range.finite ? range.min : NAN;
#if defined(ROWS_F32)
    for (size_t i = 0; i < BLOCK_DEPTH; i++)
        words[i] = (float)q[i];
#elif defined(ROWS_INT16)
    int16_t wide[BLOCK_DEPTH];

    for (size_t i = 0; i < BLOCK_DEPTH; i += 4) {
        wide[i] = q[i];
        wide[i + 1] = q[i + 2];
        wide[i + 2] = q[i + 1];
        wide[i + 3] = q[i + 3];
    }
    memcpy(words, wide, sizeof(wide));
#else
#ifdef ROWS_SIGNED
    for (size_t i = 0; i < BLOCK_DEPTH; i++)
        q[i] ^= 0x80;
#endif
    memcpy(words, q, sizeof(q));
#endif
}

#include "kernels/loops/pack_words.h"

static void pack_scaled_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                             size_t row_end, size_t depth, const float *scale)
{
    pack_blocks(packed, TILE_ROWS, rows, ld_rows, row_begin, row_end, depth, scale, ROW_WORDS,
                write_row);
}

#endif
