/* A SentencePiece model file (sentencepiece.bpe.model, spiece.model, tokenizer.model): a protobuf
 * message. */
#ifndef ED_SENTENCEPIECE_H
#define ED_SENTENCEPIECE_H

#include "tokenizer/tokenizer_config.h"

typedef struct ed_sentencepiece {
    embedd_text *pieces; /* [n_pieces], by id; in the file's bytes */
    float *scores;       /* [n_pieces] */
    int32_t *types;      /* [n_pieces] ED_PARTS_NORMAL .. */
    size_t n_pieces;
    embedd_text charsmap;
    int32_t model_type; /* 1: Unigram, 2: BPE */
} ed_sentencepiece;

/* Keeps pointers to `bytes`. FORMAT, MEMORY. Close after a failure, too. */
embedd_status ed_sentencepiece_open(ed_sentencepiece *model, embedd_text bytes, const char *where,
                                    embedd_error *err);
void ed_sentencepiece_close(ed_sentencepiece *model); /* a zeroed struct is allowed */

/* Appends the tokenizer.json that `transformers` would make of it, by the class that config names;
 * in sentencepiece_json.c. UNSUPPORTED, FORMAT, MEMORY. */
embedd_status ed_sentencepiece_write(ed_buf *json, const ed_sentencepiece *model,
                                     const ed_tokenizer_config *config, const char *where,
                                     embedd_error *err);

#endif
