/* The encoder: weights and forward pass, from token ids to hidden states.
 *
 *   x = embedding_norm(token[id] * token_scale + position[p] + token_type)
 *   repeat L times:
 *       y = attention_norm(x + attention_output_norm(attention(attention_input_norm(x))))
 *       x = second_attention_norm(x + y), or without that norm y
 *       x = output_norm(x + feed_forward_output_norm(feed_forward(feed_forward_input_norm(x))))
 *   x = final_norm(x)
 *
 * where any norm may be absent: BERT has the two outer ones, ModernBERT the two inner ones, Gemma
 * those before and after each block. feed_forward(x) = down(activation(up(x))), or with a gate
 * down(activation(gate(x)) * up(x)). What differs between architectures is data in these structs,
 * filled by the architecture's own file. */
#ifndef ED_TRANSFORMER_H
#define ED_TRANSFORMER_H

#include "formats/tensors.h"
#include "model/batch.h"
#include "model/config.h"
#include "model/linear.h"
#include "model/moe.h"
#include "model/norm.h"
#include "model/packed_store.h"
#include "model/rotary.h"
#include "model/workspace.h"

#define ED_NO_PAD_ID SIZE_MAX
#define ED_REACH_ALL SIZE_MAX

typedef struct ed_layer {
    ed_norm attention_input_norm;
    ed_linear qkv; /* [(H + 2 G) K][D]: query, key and value rows one after another */
    ed_norm query_norm, key_norm;   /* RMS: [K], over each head; else [H K], over all */
    const ed_rotary *rotary;        /* or NULL */
    size_t reach_back, reach_ahead; /* a token sees this far; ED_REACH_ALL */
    ed_linear attention_output;     /* [D][H K] */
    ed_norm attention_output_norm;
    ed_norm attention_norm;
    ed_norm second_attention_norm;

    ed_norm feed_forward_input_norm;
    ed_linear up;   /* [F][D]; gated: [2 F][D], the activated half first */
    ed_linear down; /* [D][F] */
    ed_moe moe;     /* instead of up and down */
    ed_norm feed_forward_output_norm;
    ed_norm output_norm;
} ed_layer;

typedef struct ed_transformer {
    const ed_kernels *kernels;
    const ed_gemm *gemm; /* of the layers' products: their number type */
    void (*attention)(const ed_attention_call *call); /* likewise */
    size_t hidden_size;                               /* D */
    size_t n_heads;                                   /* H */
    size_t n_kv_heads;                                /* G */
    size_t head_size;                                 /* K */
    size_t intermediate_size;                         /* F */
    size_t vocabulary;                                /* V */
    size_t positions_max; /* longest text that the position tables allow */
    ed_activation activation;
    bool gated;
    float score_scale; /* of q.k, usually 1 / sqrt(K) */

    const ed_tensor *token_embedding; /* [V][D], read from the file's own pages */
    float token_scale;
    float *position_embedding; /* [n_positions][D], or NULL */
    size_t n_positions;
    /* Where set, positions count the other tokens only, from pad_id + 1, and the pad token itself
     * has position pad_id (RoBERTa and MPNet, create_position_ids_from_input_ids). */
    size_t position_pad_id;
    float *token_type_embedding; /* [n_token_types][D], or NULL */
    size_t n_token_types;
    ed_norm embedding_norm;
    ed_norm final_norm;
    float *relative_bias;   /* [H][2 reach - 1] by distance, or NULL */
    size_t relative_reach;  /* distances -(reach - 1) .. reach - 1 */
    ed_rotary rotary;       /* of layers that see all */
    ed_rotary local_rotary; /* of layers with a window, where they differ */

    ed_layer *layers; /* [L] */
    size_t n_layers;
    size_t n_parameters;
    size_t weight_bytes; /* packed weights, vectors and the token table */
} ed_transformer;

/* Reads the weights of `config` from `tensors`, which must outlive the transformer; tables of
 * positions are made for texts of text_tokens_max; `gemm` is one of the kernels' products; `packed`
 * NULL = packed weights are in memory only. FORMAT names the tensor that is missing or of the wrong
 * shape, UNSUPPORTED the architecture, NONFINITE the tensor. */
embedd_status ed_transformer_open(ed_transformer *transformer, const ed_config *config,
                                  size_t text_tokens_max, const ed_tensors *tensors,
                                  const ed_kernels *kernels, const ed_gemm *gemm,
                                  ed_packed_store *packed, const char *where, embedd_error *err);
void ed_transformer_close(ed_transformer *transformer);

/* Columns of a row of q, k and v together; and of the feed-forward's inside. */
size_t ed_transformer_qkv_width(const ed_transformer *transformer);
size_t ed_transformer_inner_width(const ed_transformer *transformer);

/* workspace->hidden[T][D] = the last layer's states. Ids must be below `vocabulary`, texts at most
 * positions_max long, the batch at most the workspace's size: the engine checks. */
void ed_transformer_forward(const ed_transformer *transformer, ed_workspace *workspace,
                            const ed_batch *batch);

#endif
