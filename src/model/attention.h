/* Self-attention of every text with itself. */
#ifndef ED_ATTENTION_H
#define ED_ATTENTION_H

#include "model/transformer.h"

/* qkv [T][3 D] -> context [T][D]; heads lie side by side in each of q, k, v and context. */
void ed_attention_run(const ed_transformer *transformer, ed_workspace *workspace,
                      const ed_batch *batch, const float *qkv, float *context);

#endif
