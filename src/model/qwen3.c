/* Qwen3 as an embedding model: a causal decoder with grouped key and value heads, each head normed
 * before the rotation; RMSNorm before each block.
 * Source: Zhang et al. 2025 (Qwen3 Embedding); names as in transformers' Qwen3Model. */
#include "base/error.h"
#include "formats/json.h"
#include "model/architectures.h"

static const ed_layer_names layer_names = {
    .list = "layers",
    .attention_input_norm = "input_layernorm",
    .query = "self_attn.q_proj",
    .key = "self_attn.k_proj",
    .value = "self_attn.v_proj",
    .query_norm = "self_attn.q_norm",
    .key_norm = "self_attn.k_norm",
    .attention_output = "self_attn.o_proj",
    .feed_forward_input_norm = "post_attention_layernorm",
    .gate = "mlp.gate_proj",
    .up = "mlp.up_proj",
    .down = "mlp.down_proj",
};

embedd_status ed_qwen3_load(ed_transformer *transformer, const ed_config *config,
                            ed_weights *weights)
{
    const ed_norm_style style = {.rms = true, .eps = config->norm_eps};
    size_t d = config->hidden_size;
    double theta = 10000;
    bool window = false;
    embedd_status status =
        ed_json_get_bool(config->root, "use_sliding_window", &window, config->path, weights->err);

    if (status == EMBEDD_OK && window)
        status = ed_fail(weights->err, EMBEDD_UNSUPPORTED, "%s: use_sliding_window", config->path);
    if (status == EMBEDD_OK)
        status = ed_config_rope_theta(config, NULL, "rope_theta", &theta, weights->err);
    if (status == EMBEDD_OK)
        status = ed_architecture_rotary(transformer, &transformer->rotary, theta, weights);
    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embed_tokens.weight", config,
                                            &transformer->token_embedding);
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++) {
        status = ed_layer_weights_read(weights, transformer, i, &layer_names, &style, config);
        transformer->layers[i].rotary = &transformer->rotary;
        transformer->layers[i].reach_ahead = 0;
    }
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->final_norm, "norm", d, &style);
    transformer->gated = true;
    return status;
}
