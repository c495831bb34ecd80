/* Jina-BERT v2: no position embeddings but a bias per head that falls with the distance (ALiBi),
 * and a gate with exact GELU. The one for code has norms over query and key, and a second norm
 * after attention. Source: Guenther et al. 2023 (Jina Embeddings 2), Press et al. 2021 (ALiBi);
 * names as published. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "model/architectures.h"

static const ed_layer_names layer_names = {
    .list = "encoder.layer",
    .query = "attention.self.query",
    .key = "attention.self.key",
    .value = "attention.self.value",
    .attention_output = "attention.output.dense",
    .attention_norm = "attention.output.LayerNorm",
    .gate_up = "mlp.gated_layers",
    .gate_first = true,
    .down = "mlp.wo",
    .output_norm = "mlp.layernorm",
    .qkv_bias = true,
    .attention_output_bias = true,
    .down_bias = true,
};

/* What the model for code has of its own. In GGUF its blocks are named as the others'. */
static void name_code_parts(ed_layer_names *names, const ed_weights *weights)
{
    if (ed_weights_has(weights, "encoder.layer.0.attention.self.layer_norm_q.weight")) {
        names->query_norm = "attention.self.layer_norm_q";
        names->key_norm = "attention.self.layer_norm_k";
        names->second_attention_norm = "layer_norm_1";
    }
    if (ed_weights_has(weights, "encoder.layer.0.mlp.up_gated_layer.weight")) {
        names->gate_up = "mlp.up_gated_layer";
        names->gate_first = false;
        names->down = "mlp.down_layer";
        names->output_norm = "layer_norm_2";
    }
}

/* Slopes are a geometric series for a power of two of heads; for other counts the next lower
 * power's series, filled up with every other slope of the next higher one (Press et al., their
 * code). */
static double slope_of(size_t head_index, size_t n_heads)
{
    size_t power = 1;

    while (power * 2 <= n_heads)
        power *= 2;
    if (head_index < power)
        return pow(2, -8.0 * (double)(head_index + 1) / (double)power);
    return pow(2, -8.0 * (double)(2 * (head_index - power) + 1) / (double)(2 * power));
}

static embedd_status make_bias(ed_transformer *transformer, embedd_error *err)
{
    size_t reach = transformer->positions_max, n_distances = 2 * reach - 1;

    transformer->relative_reach = reach;
    transformer->relative_bias = ed_calloc(transformer->n_heads * n_distances, sizeof(float));
    if (!transformer->relative_bias)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the ALiBi biases");
    for (size_t head = 0; head < transformer->n_heads; head++) {
        float slope = (float)slope_of(head, transformer->n_heads);
        for (size_t i = 0; i < n_distances; i++) {
            size_t distance = i < reach ? reach - 1 - i : i - (reach - 1);
            transformer->relative_bias[head * n_distances + i] = -slope * (float)distance;
        }
    }
    return EMBEDD_OK;
}

/* "geglu" says GELU whatever hidden_act says; a GGUF file says nothing. */
static embedd_status check_config(const ed_config *config, embedd_error *err)
{
    const char *kind = "geglu";
    embedd_status status =
        ed_json_get_string(config->root, "feed_forward_type", &kind, config->path, err);

    if (status == EMBEDD_OK && strcmp(kind, "geglu") != 0)
        status =
            ed_fail(err, EMBEDD_UNSUPPORTED, "%s: feed_forward_type \"%.40s\"", config->path, kind);
    return status;
}

embedd_status ed_jina_bert_load(ed_transformer *transformer, const ed_config *config,
                                ed_weights *weights)
{
    const ed_norm_style style = {.has_beta = true, .eps = config->norm_eps};
    ed_layer_names names = layer_names;
    size_t d = config->hidden_size;
    embedd_status status = check_config(config, weights->err);

    if (status == EMBEDD_OK)
        status = make_bias(transformer, weights->err);
    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embeddings.word_embeddings.weight", config,
                                            &transformer->token_embedding);
    if (status == EMBEDD_OK && config->n_token_types > 0)
        status = ed_weights_read(weights, "embeddings.token_type_embeddings.weight",
                                 config->n_token_types, d, &transformer->token_type_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->embedding_norm, "embeddings.LayerNorm", d,
                                 &style);
    name_code_parts(&names, weights);
    if (ed_weights_has(weights, "encoder.layer.0.mlp.gate_layer.weight")) {
        names.gate = "mlp.gate_layer"; /* the two halves apart, as some GGUF files have them */
        names.up = names.gate_up;
        names.gate_up = NULL;
    }
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++)
        status = ed_layer_weights_read(weights, transformer, i, &names, &style, config);
    transformer->gated = true;
    transformer->activation = ED_ACTIVATION_GELU;
    return status;
}
