/* Named tensors of a file -> checked, packed weights. Used by the architectures' loaders. */
#ifndef ED_WEIGHTS_H
#define ED_WEIGHTS_H

#include "model/packed_store.h"
#include "model/transformer.h"

typedef struct ed_weights {
    const ed_tensors *tensors;
    const ed_gemm *gemm;     /* the product that linear layers are packed for */
    ed_packed_store *packed; /* where packed weights come from or go to, or NULL */
    const char *where;       /* the folder, for messages */
    char prefix[64];         /* "", "bert.": what stands before every name in this file */
    size_t weight_bytes;     /* memory taken so far */
    float *rows;             /* [rows_cap], one matrix on its way into packed form */
    size_t rows_cap;
    size_t n_read_bytes; /* of float32, since the pages of the file were last dropped */
    embedd_error *err;
} ed_weights;

/* Frees what reading needed. */
void ed_weights_clear(ed_weights *weights);

/* The tensor prefix + name of shape [n_rows][n_cols], or [n_cols] if n_rows is 0. */
embedd_status ed_weights_find(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                              const ed_tensor **out);
bool ed_weights_has(const ed_weights *weights, const char *name);

/* float[n_rows * n_cols] in new memory (ed_free), every number finite. */
embedd_status ed_weights_read(ed_weights *weights, const char *name, size_t n_rows, size_t n_cols,
                              float **out);

/* The [V][D] table of token embeddings, left in the file's pages; every number finite. The first
 * call: it finds the prefix. */
embedd_status ed_weights_token_embedding(ed_weights *weights, const char *name,
                                         const ed_config *config, const ed_tensor **out);

/* A run of rows of name + ".weight" [n_rows_total][n_in] (or of `name` itself, where there is no
 * such tensor), and of name + ".bias" [n_rows_total]. */
typedef struct ed_weight_part {
    const char *name;
    size_t row_begin, n_rows, n_rows_total;
} ed_weight_part;

/* Where the rows that a linear layer multiplies come from, for model/row_scale.h. */
typedef struct ed_weights_input {
    const float *gamma; /* [n_in], of the norm before it, or NULL */
    size_t n_deciding;  /* the last rows of weights, which decide; 0 = all */
} ed_weights_input;

/* Linear layers, or runs of their rows, stacked into one. `input` NULL = unknown. */
embedd_status ed_weights_linear(ed_weights *weights, ed_linear *linear, const ed_weight_part *parts,
                                size_t n_parts, size_t n_in, bool has_bias,
                                const ed_weights_input *input);

/* One layer from a run of rows that hold it transposed: name [n_rows_total][n_out], no bias; the
 * run is [n_in][n_out]. */
embedd_status ed_weights_linear_transposed(ed_weights *weights, ed_linear *linear,
                                           const ed_weight_part *part, size_t n_out);

/* How an architecture writes its norms. */
typedef struct ed_norm_style {
    bool rms;
    bool has_beta;
    float gamma_offset; /* 1 where the file holds gamma - 1 */
    float eps;
} ed_norm_style;

/* name + ".weight" and ".bias", [d]; ".gamma" and ".beta" in files from TensorFlow. */
embedd_status ed_weights_norm(ed_weights *weights, ed_norm *norm, const char *name, size_t d,
                              const ed_norm_style *style);

#endif
