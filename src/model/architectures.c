/* Opening a transformer: find its architecture, set the sizes, let its file read the weights. */
#include "model/architectures.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static const ed_architecture architectures[] = {
    {"bert", ed_bert_load},
    {"mpnet", ed_mpnet_load},
};
#define N_ARCHITECTURES (sizeof architectures / sizeof *architectures)

static const ed_architecture *find_architecture(const char *model_type)
{
    for (size_t i = 0; i < N_ARCHITECTURES; i++)
        if (strcmp(architectures[i].model_type, model_type) == 0)
            return &architectures[i];
    return NULL;
}

embedd_status ed_transformer_open(ed_transformer *transformer, const ed_config *config,
                                  const ed_tensors *tensors, const ed_kernels *kernels,
                                  const char *where, embedd_error *err)
{
    const ed_architecture *architecture = find_architecture(config->architecture);
    ed_weights weights = {.tensors = tensors, .kernels = kernels, .where = where, .err = err};

    *transformer = (ed_transformer){
        .kernels = kernels,
        .hidden_size = config->hidden_size,
        .n_heads = config->n_heads,
        .head_size = config->hidden_size / config->n_heads,
        .intermediate_size = config->intermediate_size,
        .vocabulary = config->vocabulary,
        .n_positions = config->n_positions,
        .position_pad_id = ED_NO_PAD_ID,
        .activation = config->activation,
    };
    if (!architecture)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: model_type \"%s\" is not supported", where,
                       config->architecture);
    /* Each layer has many tensors: a count above the file's is a lie, and no reason to allocate. */
    if (config->n_layers > ed_tensors_count(tensors))
        return ed_fail(err, EMBEDD_FORMAT, "%s: config.json has %zu layers, the file fewer", where,
                       config->n_layers);
    transformer->layers = ed_calloc(config->n_layers, sizeof *transformer->layers);
    if (!transformer->layers)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    transformer->n_layers = config->n_layers;

    embedd_status status = architecture->load(transformer, config, &weights);
    if (status != EMBEDD_OK) {
        ed_transformer_close(transformer);
        return status;
    }
    for (size_t i = 0; i < ed_tensors_count(tensors); i++) {
        const ed_tensor *tensor = ed_tensors_at(tensors, i);
        if (tensor->type != ED_TENSOR_OTHER)
            transformer->n_parameters += tensor->n_elements;
    }
    transformer->weight_bytes = weights.weight_bytes + transformer->token_embedding->n_bytes;
    return EMBEDD_OK;
}

static void clear_norm(ed_norm *norm)
{
    ed_free(norm->gamma);
    ed_free(norm->beta);
}

void ed_transformer_close(ed_transformer *transformer)
{
    for (size_t i = 0; i < transformer->n_layers; i++) {
        ed_layer *layer = &transformer->layers[i];
        ed_linear_clear(&layer->qkv);
        ed_linear_clear(&layer->attention_output);
        ed_linear_clear(&layer->up);
        ed_linear_clear(&layer->down);
        clear_norm(&layer->attention_norm);
        clear_norm(&layer->output_norm);
    }
    ed_free(transformer->layers);
    ed_free(transformer->position_embedding);
    ed_free(transformer->token_type_embedding);
    ed_free(transformer->relative_bias);
    clear_norm(&transformer->embedding_norm);
    *transformer = (ed_transformer){0};
}
