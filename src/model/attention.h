/* Self-attention of every text with itself. */
#ifndef ED_ATTENTION_H
#define ED_ATTENTION_H

#include "model/transformer.h"

/* qkv [T][(H + 2 G) K], heads side by side; the context of a head takes the place of its q. */
void ed_attention_run(const ed_transformer *transformer, const ed_layer *layer,
                      ed_workspace *workspace, const ed_batch *batch, float *qkv);

#endif
