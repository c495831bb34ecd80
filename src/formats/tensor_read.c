/* In: the bytes of a tensor, at any alignment. Out: float32, the very numbers of the file: 16-bit
 * types fit into float32, and blocks of quantized numbers are what their format says they are.
 * Never loses a NaN's bits. */
#include "formats/tensors.h"

#include "formats/half.h"
#include "formats/quants.h"

#include <string.h>

#define BLOCK 64 /* elements; a fixed count is what compilers turn into vector code at -O2 */

static void read_halves(const ed_tensor *tensor, size_t begin, size_t n, float *out);
static void convert_f16(const uint16_t halves[BLOCK], float out[BLOCK]);
static void convert_bf16(const uint16_t halves[BLOCK], float out[BLOCK]);

bool ed_tensor_read_f32(const ed_tensor *tensor, size_t begin, size_t n, float *out)
{
    if (begin > tensor->n_elements || n > tensor->n_elements - begin)
        return false;
    if (tensor->type == ED_TENSOR_OTHER)
        return false;
    if (n == 0)
        return true;
    if (tensor->type == ED_TENSOR_F32)
        memcpy(out, tensor->data + begin * sizeof *out, n * sizeof *out);
    else if (tensor->type == ED_TENSOR_F16 || tensor->type == ED_TENSOR_BF16)
        read_halves(tensor, begin, n, out);
    else
        ed_quants_read(tensor, begin, n, out);
    return true;
}

static void read_halves(const ed_tensor *tensor, size_t begin, size_t n, float *out)
{
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
}

static void convert_bf16(const uint16_t halves[BLOCK], float out[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++)
        out[i] = ed_float_of_bf16(halves[i]);
}

static void convert_f16(const uint16_t halves[BLOCK], float out[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++)
        out[i] = ed_float_of_f16(halves[i]);
}
