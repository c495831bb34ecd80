/* The "pre_tokenizer" of tokenizer.json: cuts normalized text into words. */
#ifndef ED_PRE_TOKENIZER_H
#define ED_PRE_TOKENIZER_H

#include "embedd.h"

struct json_object;

/* The next words of `text` from *at on, at most n_max; *at is where to go on. 0 = no more words.
 * Words are not empty, and point into the text, which is valid UTF-8. */
typedef size_t (*ed_next_words)(embedd_text text, size_t *at, embedd_text *words, size_t n_max);

/* `json` NULL or null: the whole text is one word. UNSUPPORTED (named), FORMAT. */
embedd_status ed_pre_tokenizer_open(ed_next_words *out, struct json_object *json, const char *where,
                                    embedd_error *err);

/* One file each. */
size_t ed_next_words_bert(embedd_text text, size_t *at, embedd_text *words, size_t n_max);

#endif
