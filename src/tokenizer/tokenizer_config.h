/* tokenizer_config.json: what a folder without a tokenizer.json says of its tokenizer. */
#ifndef ED_TOKENIZER_CONFIG_H
#define ED_TOKENIZER_CONFIG_H

#include "base/memory.h"
#include "embedd.h"

struct json_object;

typedef struct ed_tokenizer_config {
    struct json_object *json; /* NULL: there is no such file */
    char class[64];           /* "XLMRobertaTokenizer", without "Fast"; "" = none is named */
    char *where;              /* the file's path */
} ed_tokenizer_config;

/* Where the file names no class, that of config.json's model_type. IO, FORMAT, MEMORY. Close after
 * a failure, too. */
embedd_status ed_tokenizer_config_read(ed_tokenizer_config *config, const char *folder,
                                       embedd_error *err);
void ed_tokenizer_config_clear(ed_tokenizer_config *config); /* a zeroed struct is allowed */

/* A token such as "unk_token": a string, or an object with its content. *out stays what it is where
 * there is none, and belongs to the config. */
embedd_status ed_tokenizer_config_token(const ed_tokenizer_config *config, const char *field,
                                        const char **out, embedd_error *err);

/* Appends the items of "added_tokens": those of added_tokens_decoder, then the special tokens that
 * are not among them; `names` [n_names] are fields with `defaults` of the same length.
 * lstrip_mask: a mask_token that is a mere string takes the white space before it. */
embedd_status ed_tokenizer_config_write_added(const ed_tokenizer_config *config,
                                              const char *const *names, const char *const *defaults,
                                              size_t n_names, bool lstrip_mask, ed_buf *out,
                                              embedd_error *err);

#endif
