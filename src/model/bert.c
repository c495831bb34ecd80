/* BERT: learned absolute positions, token type 0.
 * Source: Devlin et al. 2018; names as in transformers' BertModel. */
#include "base/error.h"
#include "model/architectures.h"

static const ed_layer_names layer_names = {
    .list = "encoder.layer",
    .query = "attention.self.query",
    .key = "attention.self.key",
    .value = "attention.self.value",
    .attention_output = "attention.output.dense",
    .attention_norm = "attention.output.LayerNorm",
    .up = "intermediate.dense",
    .down = "output.dense",
    .output_norm = "output.LayerNorm",
};

static embedd_status load_embeddings(ed_transformer *transformer, const ed_config *config,
                                     ed_weights *weights)
{
    size_t d = config->hidden_size;
    embedd_status status;

    if (config->n_token_types == 0)
        return ed_fail(weights->err, EMBEDD_FORMAT, "%s: config.json: type_vocab_size is missing",
                       weights->where);
    transformer->positions_max = config->n_positions;
    status = ed_weights_token_embedding(weights, "embeddings.word_embeddings.weight", config,
                                        &transformer->token_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_read(weights, "embeddings.position_embeddings.weight",
                                 config->n_positions, d, &transformer->position_embedding);
    if (status == EMBEDD_OK) /* the first row is type 0, the type of a single text */
        status = ed_weights_read(weights, "embeddings.token_type_embeddings.weight",
                                 config->n_token_types, d, &transformer->token_type_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->embedding_norm, "embeddings.LayerNorm", d,
                                 config->layer_norm_eps);
    return status;
}

embedd_status ed_bert_load(ed_transformer *transformer, const ed_config *config,
                           ed_weights *weights)
{
    embedd_status status = load_embeddings(transformer, config, weights);

    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++)
        status = ed_weights_layer(weights, &transformer->layers[i], i, &layer_names, config);
    return status;
}
