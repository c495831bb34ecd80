/* nomic-bert: rotary positions, SwiGLU, norms after each block, no biases but the norms'.
 * Source: Nussbaum et al. 2024 (Nomic Embed). Names as published, where activation(fc12) gates
 * fc11. */
#include "base/error.h"
#include "formats/json.h"
#include "model/architectures.h"

static const ed_layer_names gated_names = {
    .list = "encoder.layers",
    .qkv = "attn.Wqkv",
    .attention_output = "attn.out_proj",
    .attention_norm = "norm1",
    .gate = "mlp.fc12",
    .up = "mlp.fc11",
    .down = "mlp.fc2",
    .output_norm = "norm2",
};

/* Version 2: plain GELU blocks, and every other layer a block of experts. */
static const ed_layer_names plain_names = {
    .list = "encoder.layers",
    .qkv = "attn.Wqkv",
    .attention_output = "attn.out_proj",
    .attention_norm = "norm1",
    .up = "mlp.fc1",
    .down = "mlp.fc2",
    .output_norm = "norm2",
};

static embedd_status read_layers(ed_transformer *transformer, const ed_config *config,
                                 const ed_norm_style *style, ed_weights *weights)
{
    ed_layer_names names = transformer->gated ? gated_names : plain_names;
    size_t experts_every = 0;
    bool renormalize = false;
    embedd_status status = ed_json_get_size(config->root, "moe_every_n_layers", &experts_every,
                                            config->path, weights->err);

    if (status == EMBEDD_OK)
        status = ed_json_get_bool(config->root, "moe_normalize_expert_weights", &renormalize,
                                  config->path, weights->err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(config->root, "qkv_proj_bias", &names.qkv_bias, config->path,
                                  weights->err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(config->root, "mlp_fc1_bias", &names.up_bias, config->path,
                                  weights->err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(config->root, "mlp_fc2_bias", &names.down_bias, config->path,
                                  weights->err);
    names.attention_output_bias = names.qkv_bias;
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++) {
        bool experts = experts_every > 0 && config->n_experts > 0 && i % experts_every == 1;
        names.moe = experts ? "mlp" : NULL;
        status = ed_layer_weights_read(weights, transformer, i, &names, style, config);
        transformer->layers[i].rotary = &transformer->rotary;
        transformer->layers[i].moe.renormalize = renormalize;
    }
    return status;
}

/* What the published config can switch on and this file does not do. */
static embedd_status check_config(const ed_config *config, embedd_error *err)
{
    static const char *const flags[] = {"prenorm",      "parallel_block", "rotary_emb_interleaved",
                                        "use_rms_norm", "causal",         "expert_choice_router"};
    double fraction = 1, scaling = 1;
    size_t n_shared = 0;
    embedd_status status = EMBEDD_OK;

    for (size_t i = 0; status == EMBEDD_OK && i < sizeof flags / sizeof *flags; i++) {
        bool on = false;
        status = ed_json_get_bool(config->root, flags[i], &on, config->path, err);
        if (on)
            status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: %s", config->path, flags[i]);
    }
    if (status == EMBEDD_OK)
        status =
            ed_json_get_double(config->root, "rotary_emb_fraction", &fraction, config->path, err);
    if (status == EMBEDD_OK)
        status =
            ed_json_get_double(config->root, "rotary_scaling_factor", &scaling, config->path, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_size(config->root, "num_shared_experts", &n_shared, config->path, err);
    if (status == EMBEDD_OK && n_shared > 0)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: num_shared_experts", config->path);
    if (status == EMBEDD_OK && (fraction < 1 || fraction > 1))
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: rotary_emb_fraction", config->path);
    if (status == EMBEDD_OK && (scaling < 1 || scaling > 1))
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: rotary_scaling_factor", config->path);
    return status;
}

embedd_status ed_nomic_bert_load(ed_transformer *transformer, const ed_config *config,
                                 ed_weights *weights)
{
    const ed_norm_style style = {.has_beta = true, .eps = config->norm_eps};
    size_t d = config->hidden_size;
    double theta = 10000;
    embedd_status status = check_config(config, weights->err);

    if (status == EMBEDD_OK)
        status = ed_config_rope_theta(config, NULL, "rotary_emb_base", &theta, weights->err);
    if (status == EMBEDD_OK)
        status = ed_architecture_rotary(transformer, &transformer->rotary, theta, weights);
    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embeddings.word_embeddings.weight", config,
                                            &transformer->token_embedding);
    if (status == EMBEDD_OK && config->n_token_types > 0)
        status = ed_weights_read(weights, "embeddings.token_type_embeddings.weight",
                                 config->n_token_types, d, &transformer->token_type_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->embedding_norm, "emb_ln", d, &style);
    transformer->gated = config->activation == ED_ACTIVATION_SILU; /* "swiglu" or "silu" */
    if (status == EMBEDD_OK)
        status = read_layers(transformer, config, &style, weights);
    return status;
}
