/* The encoder: weights and forward pass of the BERT family, from token ids to hidden states.
 *
 *   hidden = norm(token_embedding[id] + position_embedding[p] + token_type_embedding[0])
 *   repeat L times:
 *       hidden = norm(hidden + output(attention(hidden)))
 *       hidden = norm(hidden + down(gelu(up(hidden))))
 *
 * Source: Devlin et al. 2018 (BERT); Song et al. 2020 (MPNet) with the relative position buckets of
 * Raffel et al. 2020 (T5). What differs between architectures is data in this struct, filled by the
 * architecture's own file (bert.c, mpnet.c). */
#ifndef ED_TRANSFORMER_H
#define ED_TRANSFORMER_H

#include "formats/tensors.h"
#include "model/batch.h"
#include "model/config.h"
#include "model/linear.h"
#include "model/workspace.h"

#define ED_NO_PAD_ID SIZE_MAX

typedef struct ed_norm {
    float *gamma; /* [D] */
    float *beta;  /* [D] */
    float eps;
} ed_norm;

typedef struct ed_layer {
    ed_linear qkv; /* [3 D][D]: query, key and value rows one after another */
    ed_linear attention_output;
    ed_norm attention_norm;
    ed_linear up;   /* [F][D] */
    ed_linear down; /* [D][F] */
    ed_norm output_norm;
} ed_layer;

typedef struct ed_transformer {
    const ed_kernels *kernels;
    size_t hidden_size;       /* D */
    size_t n_heads;           /* H */
    size_t head_size;         /* K = D / H */
    size_t intermediate_size; /* F */
    size_t vocabulary;        /* V */
    size_t positions_max;     /* longest text that the position table allows */
    ed_activation activation;

    const ed_tensor *token_embedding; /* [V][D], read from the file's own pages */
    float *position_embedding;        /* [n_positions][D] */
    size_t n_positions;
    /* Where set, positions count the other tokens only, from pad_id + 1, and the pad token itself
     * has position pad_id (RoBERTa and MPNet, create_position_ids_from_input_ids). */
    size_t position_pad_id;
    float *token_type_embedding; /* [D] of type 0, or NULL */
    ed_norm embedding_norm;
    float *relative_bias;  /* [H][2 text_max - 1] by distance, or NULL */
    size_t relative_reach; /* text_max: distances -(text_max - 1) .. text_max - 1 */

    ed_layer *layers; /* [L] */
    size_t n_layers;
    size_t n_parameters;
    size_t weight_bytes; /* packed weights, vectors and the token table */
} ed_transformer;

/* Reads the weights of `config` from `tensors`, which must outlive the transformer. FORMAT names
 * the tensor that is missing or of the wrong shape, UNSUPPORTED the architecture, NONFINITE the
 * tensor. */
embedd_status ed_transformer_open(ed_transformer *transformer, const ed_config *config,
                                  const ed_tensors *tensors, const ed_kernels *kernels,
                                  const char *where, embedd_error *err);
void ed_transformer_close(ed_transformer *transformer);

/* workspace->hidden[T][D] = the last layer's states. Ids must be below `vocabulary`, texts at most
 * positions_max long, the batch at most the workspace's size: the engine checks. */
void ed_transformer_forward(const ed_transformer *transformer, ed_workspace *workspace,
                            const ed_batch *batch);

#endif
