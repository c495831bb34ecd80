/* EmbeddingGemma: Gemma 3 with attention in both directions; RMSNorm before and after each block,
 * whose gamma is stored minus 1; a window on most layers, with another rotary base.
 * Source: Schechter Vera et al. 2025; names as in transformers' Gemma3TextModel. */
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
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
    .attention_output_norm = "post_attention_layernorm",
    .feed_forward_input_norm = "pre_feedforward_layernorm",
    .gate = "mlp.gate_proj",
    .up = "mlp.up_proj",
    .down = "mlp.down_proj",
    .feed_forward_output_norm = "post_feedforward_layernorm",
};

static embedd_status find_full_layers(const ed_config *config, bool *full, embedd_error *err)
{
    size_t every = 6;
    bool found = false;
    embedd_status status = ed_config_full_layers(config, full, &found, err);

    if (status == EMBEDD_OK && !found)
        status =
            ed_json_get_size(config->root, "_sliding_window_pattern", &every, config->path, err);
    if (status == EMBEDD_OK && every == 0)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: _sliding_window_pattern is 0", config->path);
    for (size_t i = 0; status == EMBEDD_OK && !found && i < config->n_layers; i++)
        full[i] = (i + 1) % every == 0;
    return status;
}

static embedd_status read_layers(ed_transformer *transformer, const ed_config *config,
                                 const ed_norm_style *style, ed_weights *weights)
{
    bool *full = ed_calloc(config->n_layers, sizeof *full);
    size_t window = 4096;
    embedd_status status;

    if (!full)
        return ed_fail(weights->err, EMBEDD_MEMORY, "out of memory");
    status = find_full_layers(config, full, weights->err);
    if (status == EMBEDD_OK)
        status =
            ed_json_get_size(config->root, "sliding_window", &window, config->path, weights->err);
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++) {
        ed_layer *layer = &transformer->layers[i];
        status = ed_layer_weights_read(weights, transformer, i, &layer_names, style, config);
        layer->rotary = full[i] ? &transformer->rotary : &transformer->local_rotary;
        if (!full[i]) /* in both directions the window lies half on each side */
            layer->reach_back = layer->reach_ahead = window / 2;
    }
    ed_free(full);
    return status;
}

/* The causal Gemma is another model; and capped scores have no kernel. */
static embedd_status check_config(ed_transformer *transformer, const ed_config *config,
                                  embedd_error *err)
{
    bool both_directions = false;
    double cap = 0, scalar = 256;
    embedd_status status = ed_json_get_bool(config->root, "use_bidirectional_attention",
                                            &both_directions, config->path, err);

    if (status == EMBEDD_OK && !both_directions)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: use_bidirectional_attention is not true",
                         config->path);
    if (status == EMBEDD_OK)
        status =
            ed_json_get_double(config->root, "attn_logit_softcapping", &cap, config->path, err);
    if (status == EMBEDD_OK && cap > 0)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: attn_logit_softcapping", config->path);
    if (status == EMBEDD_OK)
        status =
            ed_json_get_double(config->root, "query_pre_attn_scalar", &scalar, config->path, err);
    if (status == EMBEDD_OK && !(scalar > 0))
        status = ed_fail(err, EMBEDD_FORMAT, "%s: query_pre_attn_scalar", config->path);
    transformer->score_scale = (float)(1 / sqrt(scalar));
    return status;
}

embedd_status ed_gemma3_load(ed_transformer *transformer, const ed_config *config,
                             ed_weights *weights)
{
    const ed_norm_style style = {
        .rms = true, .gamma_offset = config->whole_gamma ? 0 : 1, .eps = config->norm_eps};
    double full_theta = 1000000, local_theta = 10000;
    size_t d = config->hidden_size;
    embedd_status status = check_config(transformer, config, weights->err);

    if (status == EMBEDD_OK)
        status =
            ed_config_rope_theta(config, "full_attention", "rope_theta", &full_theta, weights->err);
    if (status == EMBEDD_OK)
        status = ed_config_rope_theta(config, "sliding_attention", "rope_local_base_freq",
                                      &local_theta, weights->err);
    if (status == EMBEDD_OK)
        status = ed_architecture_rotary(transformer, &transformer->rotary, full_theta, weights);
    if (status == EMBEDD_OK)
        status =
            ed_architecture_rotary(transformer, &transformer->local_rotary, local_theta, weights);
    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embed_tokens.weight", config,
                                            &transformer->token_embedding);
    if (status == EMBEDD_OK)
        status = read_layers(transformer, config, &style, weights);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->final_norm, "norm", d, &style);
    transformer->token_scale = (float)sqrt((double)d);
    transformer->gated = true;
    return status;
}
