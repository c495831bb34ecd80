/* Named tensors of a file -> checked, packed weights. Used by the architectures' loaders. */
#ifndef ED_WEIGHTS_H
#define ED_WEIGHTS_H

#include "model/transformer.h"

typedef struct ed_weights {
    const ed_tensors *tensors;
    const ed_kernels *kernels;
    const char *where;   /* the folder, for messages */
    char prefix[64];     /* "", "bert.": what stands before every name in this file */
    size_t weight_bytes; /* memory taken so far */
    embedd_error *err;
} ed_weights;

/* The tensor prefix + name of shape [n_rows][n_cols], or [n_cols] if n_rows is 0. */
embedd_status ed_weights_find(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                              const ed_tensor **out);

/* float[n_rows * n_cols] in new memory (ed_free), every number finite. */
embedd_status ed_weights_read(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                              float **out);

/* The [V][D] table of token embeddings, left in the file's pages; every number finite. The first
 * call finds the prefix. */
embedd_status ed_weights_token_embedding(ed_weights *weights, const char *name,
                                         const ed_config *config, const ed_tensor **out);

/* `n_parts` linear layers stacked into one: names[i] + ".weight" [n_out][n_in], ".bias" [n_out]. */
embedd_status ed_weights_linear(ed_weights *weights, ed_linear *linear, size_t n_parts,
                                const char *const names[], size_t n_out, size_t n_in);

/* name + ".weight" and ".bias", [d]; ".gamma" and ".beta" in files from TensorFlow. */
embedd_status ed_weights_norm(ed_weights *weights, ed_norm *norm, const char *name, size_t d,
                              float eps);

/* What an architecture calls the tensors of a layer, below "<list>.<layer_index>.". */
typedef struct ed_layer_names {
    const char *list; /* "encoder.layer" */
    const char *query, *key, *value;
    const char *attention_output, *attention_norm;
    const char *up, *down, *output_norm;
} ed_layer_names;

embedd_status ed_weights_layer(ed_weights *weights, ed_layer *layer, size_t layer_index,
                               const ed_layer_names *names, const ed_config *config);

#endif
