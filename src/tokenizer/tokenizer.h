/* Text to token ids, equal to Hugging Face `tokenizers` on the same tokenizer.json.
 *
 * The pipeline is the file's: added tokens are cut out, the rest is normalized, pre-tokenized,
 * modelled, and the template puts the special tokens round it. Truncation and padding
 * inside tokenizer.json do not count. What is not supported is refused at open, by name. */
#ifndef ED_TOKENIZER_H
#define ED_TOKENIZER_H

#include "base/memory.h"
#include "embedd.h"

typedef struct ed_tokenizer ed_tokenizer; /* immutable, shared by threads */

typedef struct ed_tokenizer_options {
    bool lower_case;    /* texts are lowered before all else, if the file does not say so itself:
                           do_lower_case of sentence_bert_config.json */
    bool exact_numbers; /* the JSON was written by this program: scores are read exactly, and not
                           the way the reference reads them */
} ed_tokenizer_options;

/* From a folder's tokenizer.json; where there is none, from its vocab.txt (BERT, DistilBERT, MPNet,
 * ELECTRA) or sentencepiece.bpe.model (XLM-RoBERTa, CamemBERT), as tokenizer_config.json says.
 * `options` may be NULL. NOT_FOUND, UNSUPPORTED, FORMAT, IO, LIMIT, MEMORY. */
embedd_status ed_tokenizer_open(ed_tokenizer **out, const char *folder,
                                const ed_tokenizer_options *options, embedd_error *err);
/* From the bytes of a tokenizer.json; `where` names them in errors. */
embedd_status ed_tokenizer_open_json(ed_tokenizer **out, embedd_text json,
                                     const ed_tokenizer_options *options, const char *where,
                                     embedd_error *err);
embedd_status ed_tokenizer_open_bytes(ed_tokenizer **out, const char *bytes, size_t n_bytes,
                                      const char *where, embedd_error *err);
void ed_tokenizer_close(ed_tokenizer *tokenizer);

/* One more than the largest id that can come out. */
size_t ed_tokenizer_ids_max(const ed_tokenizer *tokenizer);
/* How many special tokens the template adds to one text. */
size_t ed_tokenizer_n_special(const ed_tokenizer *tokenizer);
/* The same, before the text and after it. */
void ed_tokenizer_special_counts(const ed_tokenizer *tokenizer, size_t *n_before, size_t *n_after);
/* As it decodes: an added token may be normalized. NULL if the id has no token. */
const char *ed_tokenizer_token(const ed_tokenizer *tokenizer, int32_t id);
/* Whether a token of this text is an added one that stands for no text, such as [SEP]. */
bool ed_tokenizer_is_special(const ed_tokenizer *tokenizer, const char *token);

/* Appends to `out` what Hugging Face's `decode` makes of ids [n_ids]; those that have no token are
 * left out, and with skip_special the special tokens, too. UNSUPPORTED (the file's decoder),
 * MEMORY, LIMIT (a regular expression of the decoder takes too long). */
embedd_status ed_tokenizer_decode(const ed_tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                                  bool skip_special, ed_buf *out, embedd_error *err);

/* Memory of one thread's encoding; grows to what the longest text needed and is reused. */
typedef struct ed_tokenizer_scratch ed_tokenizer_scratch;
embedd_status ed_tokenizer_scratch_open(ed_tokenizer_scratch **out, const ed_tokenizer *tokenizer,
                                        embedd_error *err);
void ed_tokenizer_scratch_close(ed_tokenizer_scratch *scratch);

/* Ids of `text`, special tokens included, cut so that at most tokens_max come out (the text is cut,
 * the specials stay; tokens_max >= n_special). *n_total is the length without the cut. Linear in
 * the size of the text. UTF8 (err: byte offset), ARGUMENT, MEMORY, LIMIT (a
 * regular expression of the file takes too long). */
embedd_status ed_tokenizer_encode(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                  embedd_text text, size_t tokens_max, int32_t *ids, size_t *n_ids,
                                  size_t *n_total, embedd_error *err);

/* Ids of two texts as the template for pairs joins them, cut so that at most tokens_max come out
 * (ed_pair_cut). *n_first: ids before those of type 1, 0 if all are of type 0. Otherwise as above;
 * UNSUPPORTED: there is no such template. */
embedd_status ed_tokenizer_encode_pair(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                       const embedd_text texts[2], size_t tokens_max, int32_t *ids,
                                       size_t *n_ids, size_t *n_total, size_t *n_first,
                                       embedd_error *err);

#endif
