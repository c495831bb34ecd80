/* A tokenizer.json with a vocabulary of a few tokens, its parts replaceable. */
#ifndef SMALL_TOKENIZER_H
#define SMALL_TOKENIZER_H

#include "tokenizer/tokenizer.h"

/* JSON of the parts; NULL = BERT's, over the vocabulary
 * [UNK] 0, [CLS] 1, [SEP] 2, a 3, ##a 4, b 5, ##b 6, ab 7, ##ab 8, . 9, U+4E2D 10. */
typedef struct small_tokenizer {
    const char *added_tokens;
    const char *normalizer;
    const char *pre_tokenizer;
    const char *post_processor;
    const char *vocab;
    const char *unk_token;
    const char *prefix;
    const char *word_chars_max;
} small_tokenizer;

/* In new memory, release with free. */
char *small_tokenizer_json(const small_tokenizer *parts);
embedd_status small_tokenizer_try(ed_tokenizer **out, const small_tokenizer *parts,
                                  embedd_error *err);
/* Ends the program if it cannot be opened. */
ed_tokenizer *small_tokenizer_open(const small_tokenizer *parts);

/* The ids of a text, special tokens included, as "1 3 2". Ends the program on failure. */
const char *small_tokenizer_ids(const ed_tokenizer *tokenizer, const char *text);

#endif
