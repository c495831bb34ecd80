/* GTE (new): rotary positions, a gate with exact GELU, norms after each block, no token types.
 * Source: Zhang et al. 2024 (mGTE); names as in transformers' GteModel, and as published with
 * model_type "new". */
#include "base/error.h"
#include "formats/json.h"
#include "model/architectures.h"

static const ed_layer_names layer_names = {
    .list = "encoder.layer",
    .qkv = "attention.qkv_proj",
    .attention_output = "attention.o_proj",
    .attention_norm = "attn_ln",
    .gate_up = "mlp.up_gate_proj",
    .gate_first = false,
    .down = "mlp.down_proj",
    .output_norm = "mlp_ln",
    .qkv_bias = true,
    .attention_output_bias = true,
    .down_bias = true,
};

embedd_status ed_gte_load(ed_transformer *transformer, const ed_config *config, ed_weights *weights)
{
    const ed_norm_style style = {.has_beta = true, .eps = config->norm_eps};
    size_t d = config->hidden_size;
    double theta = 10000;
    embedd_status status = ed_config_rope_theta(config, NULL, "rope_theta", &theta, weights->err);
    struct json_object *scaling = NULL;

    if (status == EMBEDD_OK)
        status =
            ed_json_get_object(config->root, "rope_scaling", &scaling, config->path, weights->err);
    if (status == EMBEDD_OK && scaling)
        status = ed_fail(weights->err, EMBEDD_UNSUPPORTED, "%s: rope_scaling", config->path);
    if (status == EMBEDD_OK)
        status = ed_architecture_rotary(transformer, &transformer->rotary, theta, weights);
    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embeddings.word_embeddings.weight", config,
                                            &transformer->token_embedding);
    if (status == EMBEDD_OK && config->n_token_types > 0)
        status = ed_weights_read(weights, "embeddings.token_type_embeddings.weight",
                                 config->n_token_types, d, &transformer->token_type_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->embedding_norm, "embeddings.LayerNorm", d,
                                 &style);
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++) {
        status = ed_layer_weights_read(weights, transformer, i, &layer_names, &style, config);
        transformer->layers[i].rotary = &transformer->rotary;
    }
    transformer->gated = true;
    return status;
}
