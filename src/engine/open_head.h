/* Which task a model is made for, and the head it needs. */
#ifndef ED_OPEN_HEAD_H
#define ED_OPEN_HEAD_H

#include "engine/model_handle.h"

/* Before ed_model_open_head. */
embedd_task ed_model_find_task(const embedd_model *model, const ed_config *config);
/* After the transformer is open. Reads the head and the names of its labels; a folder that says
 * nothing about pooling, and has no head, gets mean pooling, as in sentence-transformers. */
embedd_status ed_model_open_head(embedd_model *model, const ed_config *config, embedd_error *err);
void ed_model_close_head(embedd_model *model);

#endif
