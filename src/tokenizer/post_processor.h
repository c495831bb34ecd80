/* The "post_processor" of tokenizer.json: the special tokens round one text, or round two. */
#ifndef ED_POST_PROCESSOR_H
#define ED_POST_PROCESSOR_H

#include "tokenizer/pair_template.h"

struct json_object;

typedef struct ed_post_processor {
    int32_t *ids; /* [n_before + n_after] */
    size_t n_before, n_after;
    ed_pair_template pair;
} ed_post_processor;

/* `json` NULL or null: nothing is added. UNSUPPORTED (named), FORMAT, MEMORY. Close after a
 * failure, too. */
embedd_status ed_post_processor_open(ed_post_processor *processor, struct json_object *json,
                                     const char *where, embedd_error *err);
void ed_post_processor_close(ed_post_processor *processor); /* a zeroed struct is allowed */

#endif
