/* Weight files: of a file that is accepted, the tensors' bytes are the file's, each belongs to one
 * tensor, and all numbers can be read; a refusal says where. */
#include "formats/safetensors.h"

#include <stdlib.h>
#include <string.h>

static void check_tensor(const ed_tensor *tensor, const unsigned char *bytes, size_t n_bytes)
{
    float out[100];
    size_t n_elements = 1;
    if (tensor->data < bytes || tensor->data + tensor->n_bytes > bytes + n_bytes ||
        tensor->n_dims > ED_TENSOR_DIMS_MAX)
        abort();
    for (size_t i = 0; i < tensor->n_dims; i++)
        n_elements *= tensor->shape[i];
    if (n_elements != tensor->n_elements)
        abort();
    for (size_t begin = 0; begin < tensor->n_elements; begin += 100) {
        size_t n_left = tensor->n_elements - begin;
        bool read = ed_tensor_read_f32(tensor, begin, n_left < 100 ? n_left : 100, out);
        if (read != (tensor->type != ED_TENSOR_OTHER))
            abort();
    }
    if (ed_tensor_read_f32(tensor, tensor->n_elements, 1, out))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    ed_safetensors file;
    embedd_error err;
    uint64_t header_bytes;
    size_t n_used = 0;
    if (ed_safetensors_parse(&file, data, n_bytes, "fuzz", &err) != EMBEDD_OK) {
        if (strncmp(err.message, "fuzz: ", 6) != 0)
            abort();
        return 0;
    }
    for (size_t i = 0; i < file.n_tensors; i++) {
        check_tensor(&file.tensors[i], data, n_bytes);
        n_used += file.tensors[i].n_bytes;
        if (i > 0 && strcmp(file.tensors[i - 1].name, file.tensors[i].name) >= 0)
            abort();
    }
    memcpy(&header_bytes, data, sizeof header_bytes);
    if (n_used != n_bytes - sizeof header_bytes - header_bytes)
        abort();
    ed_safetensors_close(&file);
    return 0;
}
