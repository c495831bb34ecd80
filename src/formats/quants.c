/* In: blocks of a checked tensor, at any alignment. Out: float32, each number by the same float32
 * operations in the same order as ggml's own decoder, so that the bits agree. Never reads outside
 * the block it is given. */
#include "formats/quants.h"

#include "formats/half.h"

#include <string.h>

static void decode_q4_0(const unsigned char *block, float *out);
static void decode_q4_1(const unsigned char *block, float *out);
static void decode_q5_0(const unsigned char *block, float *out);
static void decode_q5_1(const unsigned char *block, float *out);
static void decode_q8_0(const unsigned char *block, float *out);
static void decode_q2_k(const unsigned char *block, float *out);
static void decode_q3_k(const unsigned char *block, float *out);
static void decode_q4_k(const unsigned char *block, float *out);
static void decode_q5_k(const unsigned char *block, float *out);
static void decode_q6_k(const unsigned char *block, float *out);

const ed_quant *ed_quants_of(ed_tensor_type type)
{
    static const ed_quant quants[] = {
        [ED_TENSOR_Q4_0] = {"Q4_0", 32, 18, decode_q4_0},
        [ED_TENSOR_Q4_1] = {"Q4_1", 32, 20, decode_q4_1},
        [ED_TENSOR_Q5_0] = {"Q5_0", 32, 22, decode_q5_0},
        [ED_TENSOR_Q5_1] = {"Q5_1", 32, 24, decode_q5_1},
        [ED_TENSOR_Q8_0] = {"Q8_0", 32, 34, decode_q8_0},
        [ED_TENSOR_Q2_K] = {"Q2_K", 256, 84, decode_q2_k},
        [ED_TENSOR_Q3_K] = {"Q3_K", 256, 110, decode_q3_k},
        [ED_TENSOR_Q4_K] = {"Q4_K", 256, 144, decode_q4_k},
        [ED_TENSOR_Q5_K] = {"Q5_K", 256, 176, decode_q5_k},
        [ED_TENSOR_Q6_K] = {"Q6_K", 256, 210, decode_q6_k},
    };

    if ((size_t)type >= sizeof quants / sizeof *quants || !quants[type].decode)
        return NULL;
    return &quants[type];
}

void ed_quants_read(const ed_tensor *tensor, size_t begin, size_t n, float *out)
{
    const ed_quant *quant = ed_quants_of(tensor->type);
    size_t block_elements = quant->block_elements;
    const unsigned char *block = tensor->data + begin / block_elements * quant->block_bytes;
    size_t skip = begin % block_elements;
    float part[ED_QUANTS_BLOCK_MAX];

    for (; n > 0; block += quant->block_bytes, skip = 0) {
        size_t n_here = block_elements - skip < n ? block_elements - skip : n;
        if (n_here == block_elements) {
            quant->decode(block, out);
        } else {
            quant->decode(block, part);
            memcpy(out, part + skip, n_here * sizeof *out);
        }
        out += n_here;
        n -= n_here;
    }
}

/* Little-endian, as the whole file. */
static uint16_t u16_at(const unsigned char *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static float half_at(const unsigned char *bytes)
{
    return ed_float_of_f16(u16_at(bytes));
}

/* ---- blocks of 32 ---------------------------------------------------------------------------- */

/* half d; 16 bytes of two numbers each, i in the low and i + 16 in the high half. */
static void decode_q4_0(const unsigned char *block, float *out)
{
    float d = half_at(block);
    const unsigned char *pairs = block + 2;

    for (size_t i = 0; i < 16; i++) {
        out[i] = (float)((pairs[i] & 15) - 8) * d;
        out[i + 16] = (float)((pairs[i] >> 4) - 8) * d;
    }
}

/* half d, half min; 16 pairs. */
static void decode_q4_1(const unsigned char *block, float *out)
{
    float d = half_at(block), min = half_at(block + 2);
    const unsigned char *pairs = block + 4;

    for (size_t i = 0; i < 16; i++) {
        out[i] = (float)(pairs[i] & 15) * d + min;
        out[i + 16] = (float)(pairs[i] >> 4) * d + min;
    }
}

/* The fifth bit of number i is bit i of the four bytes before the pairs. */
static int fifth_bit(const unsigned char *high, size_t i)
{
    return (high[i / 8] >> (i % 8) & 1) << 4;
}

/* half d; 4 bytes of high bits; 16 pairs. */
static void decode_q5_0(const unsigned char *block, float *out)
{
    float d = half_at(block);
    const unsigned char *high = block + 2, *pairs = block + 6;

    for (size_t i = 0; i < 16; i++) {
        out[i] = (float)(((pairs[i] & 15) | fifth_bit(high, i)) - 16) * d;
        out[i + 16] = (float)(((pairs[i] >> 4) | fifth_bit(high, i + 16)) - 16) * d;
    }
}

/* half d, half min; 4 bytes of high bits; 16 pairs. */
static void decode_q5_1(const unsigned char *block, float *out)
{
    float d = half_at(block), min = half_at(block + 2);
    const unsigned char *high = block + 4, *pairs = block + 8;

    for (size_t i = 0; i < 16; i++) {
        out[i] = (float)((pairs[i] & 15) | fifth_bit(high, i)) * d + min;
        out[i + 16] = (float)((pairs[i] >> 4) | fifth_bit(high, i + 16)) * d + min;
    }
}

/* half d; 32 signed bytes. */
static void decode_q8_0(const unsigned char *block, float *out)
{
    float d = half_at(block);

    for (size_t i = 0; i < 32; i++)
        out[i] = (float)(signed char)block[2 + i] * d;
}

/* ---- blocks of 256: 8 or 16 groups with scales of their own, times the block's ----------------
 */

/* 16 bytes of (min 4 bits, scale 4 bits) for groups of 16; 64 bytes of 2-bit numbers, of which the
 * same 32 bytes serve four times; half d, half min. */
static void decode_q2_k(const unsigned char *block, float *out)
{
    const unsigned char *scales = block, *twos = block + 16;
    float d = half_at(block + 80), min = half_at(block + 82);

    for (size_t i = 0; i < 256; i++) {
        unsigned char scale = scales[i / 16];
        int number = twos[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
        out[i] = d * (float)(scale & 15) * (float)number - min * (float)(scale >> 4);
    }
}

/* 32 bytes of third bits; 64 bytes of 2-bit numbers; 12 bytes of 6-bit scales: 8 bytes of low
 * halves, 4 of high quarters; half d. */
static void decode_q3_k(const unsigned char *block, float *out)
{
    const unsigned char *thirds = block, *twos = block + 32, *scales = block + 96;
    float d = half_at(block + 108), group[16];

    for (size_t i = 0; i < 16; i++) {
        int low = i < 8 ? scales[i] & 15 : scales[i - 8] >> 4;
        int high = scales[8 + i % 4] >> (i / 4 * 2) & 3;
        group[i] = d * (float)((low | high << 4) - 32);
    }
    for (size_t i = 0; i < 256; i++) {
        int number = twos[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
        int third = thirds[i % 32] >> (i / 32) & 1;
        out[i] = group[i / 16] * (float)(number - (third ? 0 : 4));
    }
}

/* Scale and min of a group of 32, 6 bits each, in 12 bytes: those of the first four groups lie in
 * the low 6 bits, those of the others are split over half bytes and the top bits left over. */
static void scale_and_min(const unsigned char packed[12], size_t i, int *scale, int *min)
{
    if (i < 4) {
        *scale = packed[i] & 63;
        *min = packed[i + 4] & 63;
    } else {
        *scale = (packed[i + 4] & 15) | packed[i - 4] >> 6 << 4;
        *min = packed[i + 4] >> 4 | packed[i] >> 6 << 4;
    }
}

/* half d, half min; 12 bytes of scales; 128 bytes of pairs, 32 for two groups. */
static void decode_q4_k(const unsigned char *block, float *out)
{
    float d = half_at(block), min = half_at(block + 2);
    const unsigned char *pairs = block + 16;

    for (size_t i = 0; i < 8; i++) {
        int scale, offset;
        scale_and_min(block + 4, i, &scale, &offset);
        float group = d * (float)scale, group_min = min * (float)offset;
        for (size_t j = 0; j < 32; j++) {
            int number = pairs[i / 2 * 32 + j] >> (i % 2 * 4) & 15;
            out[i * 32 + j] = group * (float)number - group_min;
        }
    }
}

/* As Q4_K with 32 bytes of fifth bits, bit i for group i, before the pairs. */
static void decode_q5_k(const unsigned char *block, float *out)
{
    float d = half_at(block), min = half_at(block + 2);
    const unsigned char *fifths = block + 16, *pairs = block + 48;

    for (size_t i = 0; i < 8; i++) {
        int scale, offset;
        scale_and_min(block + 4, i, &scale, &offset);
        float group = d * (float)scale, group_min = min * (float)offset;
        for (size_t j = 0; j < 32; j++) {
            int number = pairs[i / 2 * 32 + j] >> (i % 2 * 4) & 15;
            number |= (fifths[j] >> i & 1) << 4;
            out[i * 32 + j] = group * (float)number - group_min;
        }
    }
}

/* 128 bytes of low halves; 64 bytes of high quarters; 16 signed scales; half d. Half a block of 128
 * has 64 bytes of pairs, whose low halves are its first 64 numbers, and 32 bytes of quarters. */
static void decode_q6_k(const unsigned char *block, float *out)
{
    const unsigned char *pairs = block, *quarters = block + 128, *scales = block + 192;
    float d = half_at(block + 208);

    for (size_t i = 0; i < 256; i++) {
        size_t half = i / 128, at = i % 128;
        int low = pairs[half * 64 + at % 64] >> (at / 64 * 4) & 15;
        int high = quarters[half * 32 + at % 32] >> (at / 32 * 2) & 3;
        out[i] = d * (float)(signed char)scales[i / 16] * (float)((low | high << 4) - 32);
    }
}
