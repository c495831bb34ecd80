/* vocab.txt: the vocabulary of a BERT, one token a line. */
#ifndef ED_VOCAB_TEXT_H
#define ED_VOCAB_TEXT_H

#include "tokenizer/tokenizer_config.h"

/* Appends the tokenizer.json that `transformers` would make of it. UNSUPPORTED (the class is not
 * one that has a vocab.txt), FORMAT, MEMORY. */
embedd_status ed_vocab_text_write(ed_buf *json, embedd_text lines,
                                  const ed_tokenizer_config *config, const char *where,
                                  embedd_error *err);

#endif
