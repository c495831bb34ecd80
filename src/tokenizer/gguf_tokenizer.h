/* The tokenizer that a GGUF file carries in its metadata. */
#ifndef ED_GGUF_TOKENIZER_H
#define ED_GGUF_TOKENIZER_H

#include "formats/gguf.h"
#include "tokenizer/tokenizer.h"

/* UNSUPPORTED (named), FORMAT (the metadata field), MEMORY. Keeps nothing of the file. */
embedd_status ed_tokenizer_open_gguf(ed_tokenizer **out, const ed_gguf *gguf, embedd_error *err);

#endif
