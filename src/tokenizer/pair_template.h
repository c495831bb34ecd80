/* The special tokens round two texts that are read together: what the "post_processor" of
 * tokenizer.json does with a pair. */
#ifndef ED_PAIR_TEMPLATE_H
#define ED_PAIR_TEMPLATE_H

#include "embedd.h"

struct json_object;

typedef struct ed_pair_template {
    const char *obstacle; /* why pairs cannot be encoded, or NULL; static memory */
    int32_t *ids;         /* [n_before + n_between + n_after] */
    size_t n_before, n_between, n_after;
    bool one_type;          /* all tokens are of type 0; else those of the second text are of 1 */
    size_t n_between_first; /* of the ones between, how many are of type 0 */
} ed_pair_template;

/* `json` is the post_processor that adds tokens, NULL where there is none. Only what is malformed
 * is an error; what is not supported is an obstacle, since few models read pairs. */
embedd_status ed_pair_template_open(ed_pair_template *pair, struct json_object *json,
                                    const char *where, embedd_error *err);
void ed_pair_template_close(ed_pair_template *pair);

/* How many ids of each text are kept, so that there are at most n_max in all: the longer one is cut
 * first, then both to halves. As "longest_first" of Hugging Face tokenizers. */
void ed_pair_cut(size_t n_max, size_t *n_first, size_t *n_second);

#endif
