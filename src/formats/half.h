/* One 16-bit number -> float32, exactly. */
#ifndef ED_HALF_H
#define ED_HALF_H

#include <stdint.h>
#include <string.h>

static inline float ed_float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* bfloat16 is the upper half of a float32. */
static inline float ed_float_of_bf16(uint16_t half)
{
    return ed_float_of_bits((uint32_t)half << 16);
}

/* A half is 1 + 5 + 10 bits with exponent bias 15; a float 1 + 8 + 23 with bias 127. Moved 13 bits
 * up, exponent and fraction stand in the float's places, 112 too low in the exponent: multiplying
 * by 2^112 mends that, also for subnormal halves, which are subnormal floats there. Infinity and
 * NaN (exponent 31) keep the fraction and get the float's largest exponent, all ones. */
static inline float ed_float_of_f16(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t rest = (uint32_t)(half & 0x7FFF) << 13;
    float finite = ed_float_of_bits(rest) * 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &finite, sizeof bits);
    bits |= rest >= 0x7C00u << 13 ? 0x7F800000u : 0;
    return ed_float_of_bits(sign | bits);
}

#endif
