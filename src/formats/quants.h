/* Numbers stored in blocks: a scale or two, and a few bits for each number.
 * Source: github.com/ggml-org/ggml, the structs of ggml-common.h. */
#ifndef ED_QUANTS_H
#define ED_QUANTS_H

#include "formats/tensors.h"

#define ED_QUANTS_BLOCK_MAX 256 /* numbers in a block */

typedef struct ed_quant {
    const char *name;
    size_t block_elements;
    size_t block_bytes;
    void (*decode)(const unsigned char *block, float *out); /* one block */
} ed_quant;

/* NULL if the type has no blocks. */
const ed_quant *ed_quants_of(ed_tensor_type type);

/* Elements [begin, begin + n) of a tensor with blocks; the caller has checked the range. */
void ed_quants_read(const ed_tensor *tensor, size_t begin, size_t n, float *out);

#endif
