/* BERT, RoBERTa, XLM-RoBERTa and CamemBERT: learned absolute positions, token type 0.
 * Source: Devlin et al. 2018, Liu et al. 2019; names as in transformers' BertModel. */
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
    .up = "intermediate.dense",
    .down = "output.dense",
    .output_norm = "output.LayerNorm",
    .qkv_bias = true,
    .attention_output_bias = true,
    .up_bias = true,
    .down_bias = true,
};

static embedd_status read_positions(ed_transformer *transformer, const ed_config *config,
                                    ed_weights *weights);

static embedd_status load(ed_transformer *transformer, const ed_config *config, ed_weights *weights)
{
    const ed_norm_style style = {.has_beta = true, .eps = config->norm_eps};
    const char *token_types = "embeddings.token_type_embeddings.weight";
    const char *positions = "absolute";
    size_t d = config->hidden_size;
    embedd_status status = ed_json_get_string(config->root, "position_embedding_type", &positions,
                                              config->path, weights->err);

    if (status == EMBEDD_OK && strcmp(positions, "alibi") == 0) /* Jina's own, under BERT's name */
        return ed_jina_bert_load(transformer, config, weights);
    if (status == EMBEDD_OK && strcmp(positions, "absolute") != 0)
        status = ed_fail(weights->err, EMBEDD_UNSUPPORTED, "%s: position_embedding_type \"%.40s\"",
                         config->path, positions);
    if (status == EMBEDD_OK && config->n_token_types == 0 &&
        ed_tensors_find(weights->tensors, token_types)) /* a DistilBERT in GGUF has none */
        status =
            ed_fail(weights->err, EMBEDD_FORMAT, "%s: type_vocab_size is missing", config->path);
    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embeddings.word_embeddings.weight", config,
                                            &transformer->token_embedding);
    if (status == EMBEDD_OK)
        status = read_positions(transformer, config, weights);
    if (status == EMBEDD_OK && config->n_token_types > 0)
        status = ed_weights_read(weights, token_types, config->n_token_types, d,
                                 &transformer->token_type_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->embedding_norm, "embeddings.LayerNorm", d,
                                 &style);
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++)
        status = ed_layer_weights_read(weights, transformer, i, &layer_names, &style, config);
    return status;
}

/* A file may leave out the rows before the first position in use; those are zero. */
static embedd_status read_positions(ed_transformer *transformer, const ed_config *config,
                                    ed_weights *weights)
{
    const char *name = "embeddings.position_embeddings.weight";
    size_t d = config->hidden_size, n = config->n_positions, first = 0;
    float *rows = NULL;
    embedd_status status =
        ed_json_get_size(config->root, "first_position_row", &first, config->path, weights->err);

    if (status == EMBEDD_OK && first >= n)
        status = ed_fail(weights->err, EMBEDD_FORMAT, "%s: first_position_row", config->path);
    if (status == EMBEDD_OK)
        status = ed_weights_read(weights, name, n - first, d, &rows);
    if (status == EMBEDD_OK && first > 0) {
        float *moved = ed_realloc(rows, n * d, sizeof *rows);
        rows = moved ? moved : rows;
        if (!moved)
            status = ed_fail(weights->err, EMBEDD_MEMORY, "out of memory");
        else {
            memmove(rows + first * d, rows, (n - first) * d * sizeof *rows);
            memset(rows, 0, first * d * sizeof *rows);
        }
    }
    transformer->position_embedding = rows;
    return status;
}

embedd_status ed_bert_load(ed_transformer *transformer, const ed_config *config,
                           ed_weights *weights)
{
    return load(transformer, config, weights);
}

embedd_status ed_roberta_load(ed_transformer *transformer, const ed_config *config,
                              ed_weights *weights)
{
    embedd_status status = ed_architecture_skip_pads(transformer, config, weights);

    return status == EMBEDD_OK ? load(transformer, config, weights) : status;
}
