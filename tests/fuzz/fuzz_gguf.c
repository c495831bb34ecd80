/* GGUF files: of one that is accepted, each tensor's bytes are the file's and its own, and all
 * numbers and fields can be read; a refusal says where. Then the same file as a model: metadata,
 * names, weights and tokenizer, with whatever the bytes claim. */
#include "formats/gguf.h"
#include "model/gguf_model.h"
#include "model/transformer.h"
#include "tokenizer/gguf_tokenizer.h"

#include <stdlib.h>
#include <string.h>

static void check_tensor(const ed_tensor *tensor, const unsigned char *bytes, size_t n_bytes)
{
    float out[100];
    size_t n_elements = 1;

    if (tensor->data < bytes || tensor->data + tensor->n_bytes > bytes + n_bytes)
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
}

static void check_field(const ed_gguf_field *field, const unsigned char *bytes, size_t n_bytes)
{
    ed_gguf_array values = field->values;
    embedd_text text;

    if (values.data < bytes || values.data + values.n_bytes > bytes + n_bytes)
        abort();
    while (values.type == ED_GGUF_STRING && ed_gguf_next_string(&values, &text))
        if (text.bytes + text.n_bytes > (const char *)bytes + n_bytes)
            abort();
}

static void open_weights(const ed_config *config, const ed_tensors *tensors)
{
    static ed_kernels kernels;
    embedd_error err;
    ed_transformer transformer;

    if (!kernels.level && ed_kernels_open(&kernels, "ref", &err) != EMBEDD_OK)
        abort();
    if (ed_transformer_open(&transformer, config, 64, tensors, &kernels, &kernels.gemm_f32, NULL,
                            "fuzz", &err) == EMBEDD_OK)
        ed_transformer_close(&transformer);
}

static void open_as_model(const ed_gguf *gguf)
{
    embedd_error err;
    ed_config config = {.root = NULL};
    ed_modules modules;
    ed_tensors *tensors = NULL;
    ed_tokenizer *tokenizer = NULL;

    if (ed_gguf_modules_read(&modules, gguf, &err) == EMBEDD_OK)
        ed_modules_clear(&modules);
    else if (strncmp(err.message, "fuzz: ", 6) != 0)
        abort();
    if (ed_gguf_tensors_open(&tensors, gguf, &err) == EMBEDD_OK &&
        ed_gguf_config_read(&config, gguf, &err) == EMBEDD_OK)
        open_weights(&config, tensors);
    else if (strncmp(err.message, "fuzz: ", 6) != 0)
        abort();
    ed_config_clear(&config);
    ed_tensors_close(tensors);
    if (ed_tokenizer_open_gguf(&tokenizer, gguf, &err) == EMBEDD_OK)
        ed_tokenizer_close(tokenizer);
    else if (strncmp(err.message, "fuzz: ", 6) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    ed_gguf gguf;
    embedd_error err;

    if (ed_gguf_parse(&gguf, data, n_bytes, "fuzz", &err) != EMBEDD_OK) {
        if (strncmp(err.message, "fuzz: ", 6) != 0)
            abort();
        return 0;
    }
    for (size_t i = 0; i < gguf.n_tensors; i++) {
        check_tensor(&gguf.tensors[i], data, n_bytes);
        if (i > 0 && gguf.tensors[i - 1].data + gguf.tensors[i - 1].n_bytes > gguf.tensors[i].data)
            abort();
    }
    for (size_t i = 0; i < gguf.n_fields; i++)
        check_field(&gguf.fields[i], data, n_bytes);
    open_as_model(&gguf);
    ed_gguf_close(&gguf);
    return 0;
}
