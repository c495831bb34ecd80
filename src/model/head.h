/* What stands on the encoder of a model that makes no vectors: hidden states -> scores of labels,
 * or a weight for each token of the vocabulary.
 *
 *   score   out(norm(activation(dense(x)))), x = the first token, or the mean of all
 *   sparse  log(1 + max(0, max over tokens of out(norm(activation(dense(x))))))
 *
 * Source: transformers' ...ForSequenceClassification and ...ForMaskedLM; Formal et al. 2021
 * (SPLADE). */
#ifndef ED_HEAD_H
#define ED_HEAD_H

#include "model/batch.h"
#include "model/transformer.h"

#define ED_HEAD_ROWS ((size_t)64) /* rows that go through the head together */

typedef struct ed_head {
    embedd_task task; /* EMBEDD_TASK_VECTOR = there is no head */
    bool mean;
    ed_linear dense; /* [D][D] */
    ed_activation activation;
    ed_norm norm;  /* or none */
    ed_linear out; /* [labels or V][D] */
    size_t weight_bytes;
} ed_head;

/* True if config.json names an architecture that classifies sequences. */
bool ed_config_is_classifier(const ed_config *config);

/* Reads the weights of a task other than VECTOR, which are beside those of `transformer`. FORMAT
 * names the tensor, UNSUPPORTED the model_type. */
embedd_status ed_head_open(ed_head *head, embedd_task task, const ed_config *config,
                           const ed_transformer *transformer, const ed_tensors *tensors,
                           const char *where, embedd_error *err);
void ed_head_close(ed_head *head);

/* Floats that ed_head_run needs as scratch. */
size_t ed_head_scratch(const ed_head *head);

/* workspace->hidden of `batch` -> outs[text][n_out]; a text whose `outs` is NULL is left out. */
void ed_head_run(const ed_head *head, ed_workspace *workspace, const ed_batch *batch,
                 float *scratch, float *const *outs);

#endif
