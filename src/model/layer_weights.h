/* The weights of one layer, from the names that an architecture gives them. */
#ifndef ED_LAYER_WEIGHTS_H
#define ED_LAYER_WEIGHTS_H

#include "model/weights.h"

/* Names below "<list>.<layer_index>."; NULL = this architecture has no such thing. */
typedef struct ed_layer_names {
    const char *list; /* "encoder.layer" */
    const char *query, *key, *value;
    const char *qkv; /* the three in one tensor */
    const char *attention_output;
    const char *gate; /* the activated half of a gated feed-forward block */
    const char *up;
    const char *gate_up; /* both in one tensor, in the order of gate_first */
    const char *down;
    const char *moe; /* a block of experts instead of up and down: router, w1, w2, bias below it */
    bool gate_first;
    bool qkv_bias, attention_output_bias, up_bias, down_bias;

    const char *attention_input_norm, *query_norm, *key_norm, *attention_output_norm;
    const char *attention_norm, *second_attention_norm;
    const char *feed_forward_input_norm, *feed_forward_output_norm, *output_norm;
} ed_layer_names;

/* Layer layer_index, after the embedding's norm and the layers before it. It sees all and has no
 * rotation; the caller sets those. */
embedd_status ed_layer_weights_read(ed_weights *weights, ed_transformer *transformer,
                                    size_t layer_index, const ed_layer_names *names,
                                    const ed_norm_style *style, const ed_config *config);

#endif
