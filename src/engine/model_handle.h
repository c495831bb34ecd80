/* What an open model consists of; shared by the engine's files only. */
#ifndef ED_MODEL_HANDLE_H
#define ED_MODEL_HANDLE_H

#include "embedd.h"
#include "engine/packed_cache.h"
#include "formats/gguf.h"
#include "formats/tensors.h"
#include "kernels/kernels.h"
#include "model/head.h"
#include "model/modules.h"
#include "model/post_modules.h"
#include "model/transformer.h"
#include "tokenizer/tokenizer.h"

struct embedd_model {
    ed_kernels kernels;
    ed_modules modules;
    ed_gguf gguf; /* what the tensors point into; empty for a folder */
    ed_tensors *tensors;
    ed_tokenizer *tokenizer;
    ed_packed_cache packed; /* what the transformer's weights lie in; empty = in memory */
    ed_transformer transformer;
    ed_post_modules post;
    ed_head head;
    char **labels;     /* [info.dimensions] of a head that scores, or NULL */
    bool standardizes; /* layer norm before a vector is cut, see EMBEDD_CUT_MODEL */
    embedd_model_info info;
    char *folder;
    char architecture[32];
    char pooling[96];
    char dtype_reason[320]; /* of EMBEDD_DTYPE_AUTO, or empty */
};

/* What the transformer is opened from; gemm and dtype are still to be set. */
ed_packed_source ed_model_source(const embedd_model *model, const ed_config *config);

/* What computes: transformer in one number type, modules after it, head. Everything that was read
 * from the model's own files must be there; fills model->info. */
embedd_status ed_model_open_parts(embedd_model *model, const ed_config *config, embedd_dtype dtype,
                                  const embedd_model_options *options, embedd_error *err);
void ed_model_close_parts(embedd_model *model); /* also what failed to open */

#endif
