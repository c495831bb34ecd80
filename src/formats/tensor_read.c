/* In: the bytes of a tensor, at any alignment. Out: float32, the very numbers of the file. Never
 * rounds (both 16-bit types fit into float32) and never loses a NaN's bits. */
#include "formats/tensors.h"

#include <string.h>

#define BLOCK 64 /* elements; a fixed count is what compilers turn into vector code at -O2 */

static void convert_f16(const uint16_t halves[BLOCK], float out[BLOCK]);
static void convert_bf16(const uint16_t halves[BLOCK], float out[BLOCK]);

bool ed_tensor_read_f32(const ed_tensor *tensor, size_t begin, size_t n, float *out)
{
    if (begin > tensor->n_elements || n > tensor->n_elements - begin)
        return false;
    if (tensor->type == ED_TENSOR_OTHER)
        return false;
    if (tensor->type == ED_TENSOR_F32) {
        if (n > 0)
            memcpy(out, tensor->data + begin * sizeof *out, n * sizeof *out);
        return true;
    }
    void (*convert)(const uint16_t *, float *) =
        tensor->type == ED_TENSOR_F16 ? convert_f16 : convert_bf16;
    const unsigned char *data = tensor->data + begin * sizeof(uint16_t);
    uint16_t halves[BLOCK] = {0};
    float floats[BLOCK];
    for (; n >= BLOCK; n -= BLOCK, data += sizeof halves, out += BLOCK) {
        memcpy(halves, data, sizeof halves);
        convert(halves, out);
    }
    if (n > 0) {
        memcpy(halves, data, n * sizeof *halves);
        convert(halves, floats);
        memcpy(out, floats, n * sizeof *out);
    }
    return true;
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* bfloat16 is the upper half of a float32. */
static void convert_bf16(const uint16_t halves[BLOCK], float out[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++)
        out[i] = float_of_bits((uint32_t)halves[i] << 16);
}

/* A half is 1 + 5 + 10 bits with exponent bias 15; a float 1 + 8 + 23 with bias 127. Moved 13 bits
 * up, exponent and fraction stand in the float's places, 112 too low in the exponent: multiplying
 * by 2^112 mends that, also for subnormal halves, which are subnormal floats there. Infinity and
 * NaN (exponent 31) keep the fraction and get the float's largest exponent, all ones. */
static void convert_f16(const uint16_t halves[BLOCK], float out[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++) {
        uint32_t sign = (uint32_t)(halves[i] & 0x8000) << 16;
        uint32_t rest = (uint32_t)(halves[i] & 0x7FFF) << 13;
        float finite = float_of_bits(rest) * 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &finite, sizeof bits);
        bits |= rest >= 0x7C00u << 13 ? 0x7F800000u : 0;
        out[i] = float_of_bits(sign | bits);
    }
}
