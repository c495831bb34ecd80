/* Token ids -> the sum of token, position and token type embeddings, before the norm. */
#ifndef ED_EMBEDDING_H
#define ED_EMBEDDING_H

#include "model/transformer.h"

/* Writes workspace->hidden[T][D]. */
void ed_embedding_run(const ed_transformer *transformer, ed_workspace *workspace,
                      const ed_batch *batch);

#endif
