/* DistilBERT: BERT without token types, under other names. Source: Sanh et al. 2019; names as in
 * transformers' DistilBertModel, where the norms' epsilon is fixed in the code. */
#include "base/error.h"
#include "formats/json.h"
#include "model/architectures.h"

static const ed_layer_names layer_names = {
    .list = "transformer.layer",
    .query = "attention.q_lin",
    .key = "attention.k_lin",
    .value = "attention.v_lin",
    .attention_output = "attention.out_lin",
    .attention_norm = "sa_layer_norm",
    .up = "ffn.lin1",
    .down = "ffn.lin2",
    .output_norm = "output_layer_norm",
    .qkv_bias = true,
    .attention_output_bias = true,
    .up_bias = true,
    .down_bias = true,
};

embedd_status ed_distilbert_load(ed_transformer *transformer, const ed_config *config,
                                 ed_weights *weights)
{
    const ed_norm_style style = {.has_beta = true, .eps = 1e-12F};
    size_t d = config->hidden_size;
    embedd_status status;

    status = ed_weights_token_embedding(weights, "embeddings.word_embeddings.weight", config,
                                        &transformer->token_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_read(weights, "embeddings.position_embeddings.weight",
                                 config->n_positions, d, &transformer->position_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->embedding_norm, "embeddings.LayerNorm", d,
                                 &style);
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++)
        status = ed_layer_weights_read(weights, transformer, i, &layer_names, &style, config);
    return status;
}
