/* What a model is for, as text-embeddings-inference's /info tells it. */
#ifndef ED_MODEL_TYPE_H
#define ED_MODEL_TYPE_H

#include "base/memory.h"
#include "embedd.h"

/* {"embedding":{"pooling":"mean"}}, also with "splade"; {"reranker":{"id2label","label2id"}} of a
 * model with one label, {"classifier":...} with several. */
void ed_put_model_type(ed_buf *reply, const embedd_model_info *info);

#endif
