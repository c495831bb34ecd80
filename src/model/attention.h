/* Self-attention of every text with itself. */
#ifndef ED_ATTENTION_H
#define ED_ATTENTION_H

#include "model/transformer.h"

/* qkv [T][3 D], heads side by side in each of q, k and v; the context takes the place of q. */
void ed_attention_run(const ed_transformer *transformer, ed_workspace *workspace,
                      const ed_batch *batch, float *qkv);

#endif
