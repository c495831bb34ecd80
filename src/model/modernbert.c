/* ModernBERT: norms before each block (the first layer's attention has none), a gate with exact
 * GELU, and rotary positions with another base in the layers that see only a window. Source: Warner
 * et al. 2024; names as in transformers' ModernBertModel. */
#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "model/architectures.h"

static const ed_layer_names layer_names = {
    .list = "layers",
    .attention_input_norm = "attn_norm",
    .qkv = "attn.Wqkv",
    .attention_output = "attn.Wo",
    .feed_forward_input_norm = "mlp_norm",
    .gate_up = "mlp.Wi",
    .gate_first = true,
    .down = "mlp.Wo",
};

static embedd_status find_full_layers(const ed_config *config, bool *full, embedd_error *err)
{
    size_t every = 3;
    bool found = false;
    embedd_status status = ed_config_full_layers(config, full, &found, err);

    if (status == EMBEDD_OK && !found)
        status =
            ed_json_get_size(config->root, "global_attn_every_n_layers", &every, config->path, err);
    if (status == EMBEDD_OK && every == 0)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: global_attn_every_n_layers is 0", config->path);
    for (size_t i = 0; status == EMBEDD_OK && !found && i < config->n_layers; i++)
        full[i] = i % every == 0;
    return status;
}

static embedd_status read_layers(ed_transformer *transformer, const ed_config *config,
                                 const ed_norm_style *style, ed_weights *weights)
{
    bool *full = ed_calloc(config->n_layers, sizeof *full);
    ed_layer_names names = layer_names;
    size_t window = 128;
    embedd_status status;

    if (!full)
        return ed_fail(weights->err, EMBEDD_MEMORY, "out of memory");
    status = find_full_layers(config, full, weights->err);
    if (status == EMBEDD_OK)
        status =
            ed_json_get_size(config->root, "local_attention", &window, config->path, weights->err);
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++) {
        ed_layer *layer = &transformer->layers[i];
        names.attention_input_norm = i == 0 ? NULL : layer_names.attention_input_norm;
        status = ed_layer_weights_read(weights, transformer, i, &names, style, config);
        layer->rotary = full[i] ? &transformer->rotary : &transformer->local_rotary;
        if (!full[i]) /* half of the window on each side, the ends included */
            layer->reach_back = layer->reach_ahead = window / 2;
    }
    ed_free(full);
    return status;
}

embedd_status ed_modernbert_load(ed_transformer *transformer, const ed_config *config,
                                 ed_weights *weights)
{
    ed_norm_style style = {.eps = config->norm_eps};
    double full_theta = 160000, local_theta = 10000;
    size_t d = config->hidden_size;
    embedd_status status = ed_config_rope_theta(config, "full_attention", "global_rope_theta",
                                                &full_theta, weights->err);

    if (status == EMBEDD_OK)
        status = ed_config_rope_theta(config, "sliding_attention", "local_rope_theta", &local_theta,
                                      weights->err);
    if (status == EMBEDD_OK)
        status = ed_architecture_rotary(transformer, &transformer->rotary, full_theta, weights);
    if (status == EMBEDD_OK)
        status =
            ed_architecture_rotary(transformer, &transformer->local_rotary, local_theta, weights);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(config->root, "norm_bias", &style.has_beta, config->path,
                                  weights->err);
    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embeddings.tok_embeddings.weight", config,
                                            &transformer->token_embedding);
    if (status == EMBEDD_OK)
        status =
            ed_weights_norm(weights, &transformer->embedding_norm, "embeddings.norm", d, &style);
    if (status == EMBEDD_OK)
        status = read_layers(transformer, config, &style, weights);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->final_norm, "final_norm", d, &style);
    transformer->gated = true;
    return status;
}
