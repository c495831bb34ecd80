/* Opening a transformer: find its architecture, set the sizes, let its file read the weights. */
#include "model/architectures.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static const ed_architecture architectures[] = {
    {"bert", ed_bert_load},
    {"camembert", ed_roberta_load},
    {"distilbert", ed_distilbert_load},
    {"gemma3_text", ed_gemma3_load},
    {"gte", ed_gte_load},
    {"modernbert", ed_modernbert_load},
    {"mpnet", ed_mpnet_load},
    {"new", ed_gte_load},
    {"nomic_bert", ed_nomic_bert_load},
    {"qwen3", ed_qwen3_load},
    {"roberta", ed_roberta_load},
    {"xlm-roberta", ed_roberta_load},
};
#define N_ARCHITECTURES (sizeof architectures / sizeof *architectures)

static const ed_architecture *find_architecture(const char *model_type)
{
    for (size_t i = 0; i < N_ARCHITECTURES; i++)
        if (strcmp(architectures[i].model_type, model_type) == 0)
            return &architectures[i];
    return NULL;
}

static embedd_status init(ed_transformer *transformer, const ed_config *config,
                          size_t text_tokens_max, const ed_kernels *kernels,
                          const ed_weights *weights)
{
    *transformer = (ed_transformer){
        .kernels = kernels,
        .gemm = weights->gemm,
        .attention =
            weights->gemm == &kernels->gemm_f32 ? kernels->f32_attention : kernels->bf16_attention,
        .hidden_size = config->hidden_size,
        .n_heads = config->n_heads,
        .n_kv_heads = config->n_kv_heads,
        .head_size = config->head_size,
        .intermediate_size = config->intermediate_size,
        .vocabulary = config->vocabulary,
        .n_positions = config->n_positions,
        .n_token_types = config->n_token_types,
        .positions_max =
            config->n_positions < text_tokens_max ? config->n_positions : text_tokens_max,
        .position_pad_id = ED_NO_PAD_ID,
        .token_scale = 1,
        .score_scale = (float)(1 / sqrt((double)config->head_size)),
        .activation = config->activation,
    };
    /* Each layer has many tensors: a count above the file's is a lie, and no reason to allocate. */
    if (config->n_layers > ed_tensors_count(weights->tensors))
        return ed_fail(weights->err, EMBEDD_FORMAT,
                       "%s: config.json has %zu layers, the file fewer", weights->where,
                       config->n_layers);
    transformer->layers = ed_calloc(config->n_layers, sizeof *transformer->layers);
    if (!transformer->layers)
        return ed_fail(weights->err, EMBEDD_MEMORY, "out of memory");
    transformer->n_layers = config->n_layers;
    return EMBEDD_OK;
}

embedd_status ed_transformer_open(ed_transformer *transformer, const ed_config *config,
                                  size_t text_tokens_max, const ed_tensors *tensors,
                                  const ed_kernels *kernels, const ed_gemm *gemm,
                                  ed_packed_store *packed, const char *where, embedd_error *err)
{
    const ed_architecture *architecture = find_architecture(config->architecture);
    ed_weights weights = {
        .tensors = tensors, .gemm = gemm, .packed = packed, .where = where, .err = err};
    embedd_status status;

    *transformer = (ed_transformer){0};
    if (!architecture)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: model_type \"%s\" is not supported", where,
                       config->architecture);
    status = init(transformer, config, text_tokens_max, kernels, &weights);
    if (status == EMBEDD_OK)
        status = architecture->load(transformer, config, &weights);
    ed_weights_clear(&weights);
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

static void close_layer(ed_layer *layer)
{
    ed_linear_clear(&layer->qkv);
    ed_linear_clear(&layer->attention_output);
    ed_linear_clear(&layer->up);
    ed_linear_clear(&layer->down);
    ed_moe_clear(&layer->moe);
    ed_norm_clear(&layer->attention_input_norm);
    ed_norm_clear(&layer->query_norm);
    ed_norm_clear(&layer->key_norm);
    ed_norm_clear(&layer->attention_output_norm);
    ed_norm_clear(&layer->attention_norm);
    ed_norm_clear(&layer->second_attention_norm);
    ed_norm_clear(&layer->feed_forward_input_norm);
    ed_norm_clear(&layer->feed_forward_output_norm);
    ed_norm_clear(&layer->output_norm);
}

void ed_transformer_close(ed_transformer *transformer)
{
    for (size_t i = 0; i < transformer->n_layers; i++)
        close_layer(&transformer->layers[i]);
    ed_free(transformer->layers);
    ed_free(transformer->position_embedding);
    ed_free(transformer->token_type_embedding);
    ed_free(transformer->relative_bias);
    ed_rotary_close(&transformer->rotary);
    ed_rotary_close(&transformer->local_rotary);
    ed_norm_clear(&transformer->embedding_norm);
    ed_norm_clear(&transformer->final_norm);
    *transformer = (ed_transformer){0};
}

embedd_status ed_architecture_skip_pads(ed_transformer *transformer, const ed_config *config,
                                        ed_weights *weights)
{
    if (config->n_positions <= config->pad_id + 1)
        return ed_fail(weights->err, EMBEDD_FORMAT,
                       "%s: max_position_embeddings leaves no position after pad_token_id",
                       config->path);
    size_t n_left = config->n_positions - config->pad_id - 1;

    transformer->position_pad_id = config->pad_id;
    if (transformer->positions_max > n_left)
        transformer->positions_max = n_left;
    return EMBEDD_OK;
}

embedd_status ed_architecture_rotary(ed_transformer *transformer, ed_rotary *rotary, double theta,
                                     ed_weights *weights)
{
    if (transformer->head_size % 2 != 0)
        return ed_fail(weights->err, EMBEDD_FORMAT, "%s: a head of odd size cannot be rotated",
                       weights->where);
    return ed_rotary_open(rotary, theta, transformer->positions_max, transformer->head_size,
                          weights->err);
}
