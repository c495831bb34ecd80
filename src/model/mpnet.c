/* MPNet: positions that skip pad tokens, and one bias per head and distance added to the scores.
 * Source: Song et al. 2020; names as in transformers' MPNetModel; buckets as in T5 (Raffel et al.
 * 2020, section 2.1). */
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/architectures.h"

/* Distances from here on share the last bucket; fixed in the reference, not in config.json. */
#define DISTANCE_MAX 128

static embedd_status load_relative_bias(ed_transformer *transformer, const ed_config *config,
                                        ed_weights *weights);
static size_t relative_bucket(ptrdiff_t distance, size_t n_buckets);

static const ed_layer_names layer_names = {
    .list = "encoder.layer",
    .query = "attention.attn.q",
    .key = "attention.attn.k",
    .value = "attention.attn.v",
    .attention_output = "attention.attn.o",
    .attention_norm = "attention.LayerNorm",
    .up = "intermediate.dense",
    .down = "output.dense",
    .output_norm = "output.LayerNorm",
    .qkv_bias = true,
    .attention_output_bias = true,
    .up_bias = true,
    .down_bias = true,
};

embedd_status ed_mpnet_load(ed_transformer *transformer, const ed_config *config,
                            ed_weights *weights)
{
    const ed_norm_style style = {.has_beta = true, .eps = config->norm_eps};
    size_t d = config->hidden_size;
    embedd_status status = ed_architecture_skip_pads(transformer, config, weights);

    if (status == EMBEDD_OK)
        status = ed_weights_token_embedding(weights, "embeddings.word_embeddings.weight", config,
                                            &transformer->token_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_read(weights, "embeddings.position_embeddings.weight",
                                 config->n_positions, d, &transformer->position_embedding);
    if (status == EMBEDD_OK)
        status = ed_weights_norm(weights, &transformer->embedding_norm, "embeddings.LayerNorm", d,
                                 &style);
    if (status == EMBEDD_OK)
        status = load_relative_bias(transformer, config, weights);
    for (size_t i = 0; status == EMBEDD_OK && i < config->n_layers; i++)
        status = ed_layer_weights_read(weights, transformer, i, &layer_names, &style, config);
    return status;
}

/* [buckets][H] of the file -> [H][2 reach - 1] by distance, so that attention only adds. */
static embedd_status load_relative_bias(ed_transformer *transformer, const ed_config *config,
                                        ed_weights *weights)
{
    size_t h = config->n_heads, n_buckets = config->n_relative_buckets;
    size_t reach = transformer->positions_max, n_distances = 2 * reach - 1;
    float *table = NULL; /* [buckets][H] */
    embedd_status status;

    if (n_buckets < 4 || n_buckets % 4 != 0)
        return ed_fail(weights->err, EMBEDD_FORMAT,
                       "%s: config.json: relative_attention_num_buckets must be a multiple of 4",
                       weights->where);
    status =
        ed_weights_read(weights, "encoder.relative_attention_bias.weight", n_buckets, h, &table);
    if (status != EMBEDD_OK)
        goto done;
    transformer->relative_reach = reach;
    transformer->relative_bias = ed_calloc(h * n_distances, sizeof(float));
    if (!transformer->relative_bias) {
        status = ed_fail(weights->err, EMBEDD_MEMORY, "out of memory");
        goto done;
    }
    for (size_t i = 0; i < n_distances; i++) {
        size_t bucket = relative_bucket((ptrdiff_t)i - (ptrdiff_t)(reach - 1), n_buckets);
        for (size_t head = 0; head < h; head++)
            transformer->relative_bias[head * n_distances + i] = table[bucket * h + head];
    }
done:
    ed_free(table);
    return status;
}

/* Half of the buckets for keys after the query, half for those before; in each half one bucket per
 * distance at first, then logarithmically wider ones up to DISTANCE_MAX. */
static size_t relative_bucket(ptrdiff_t distance, size_t n_buckets)
{
    size_t half = n_buckets / 2, n_exact = half / 2;
    size_t base = distance > 0 ? half : 0;
    size_t n = (size_t)(distance < 0 ? -distance : distance);

    if (n < n_exact)
        return base + n;
    /* In float32, as the reference: the truncation must fall on the same side. */
    float ratio =
        logf((float)n / (float)n_exact) / (float)log((double)DISTANCE_MAX / (double)n_exact);
    size_t bucket = n_exact + (size_t)(ratio * (float)(half - n_exact));
    return base + (bucket < half ? bucket : half - 1);
}
