/* A tokenizer.json as a tree, without its big lists: those stay text, to be read as a stream. As a
 * tree, a vocabulary takes twenty times its size and most of the time to open a model. */
#ifndef ED_TOKENIZER_FILE_H
#define ED_TOKENIZER_FILE_H

#include "embedd.h"

struct json_object;

typedef struct ed_tokenizer_file {
    const char *where; /* names the file in errors */
    struct json_object *json;
    /* JSON of model.vocab and model.merges, null in the tree; bytes NULL = there is none. */
    embedd_text vocab, merges;
    bool exact_numbers, lower_case; /* see ed_tokenizer_options */
} ed_tokenizer_file;

/* Keeps pointers to `where` and `bytes`. FORMAT, MEMORY. Close after a failure, too. */
embedd_status ed_tokenizer_file_open(ed_tokenizer_file *file, const char *bytes, size_t n_bytes,
                                     const char *where, embedd_error *err);
void ed_tokenizer_file_close(ed_tokenizer_file *file); /* a zeroed struct is allowed */

#endif
