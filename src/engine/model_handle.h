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
};

#endif
