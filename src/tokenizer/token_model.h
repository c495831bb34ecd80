/* The "model" of tokenizer.json: words to token ids. A new kind is a file and a row in
 * token_model.c. */
#ifndef ED_TOKEN_MODEL_H
#define ED_TOKEN_MODEL_H

#include "embedd.h"
#include "tokenizer/tokenizer_file.h"
#include "tokenizer/vocabulary.h"

/* Ids on their way out: all are counted, those that fit are kept. */
typedef struct ed_id_list {
    int32_t *ids; /* [n_max] */
    size_t n_max;
    size_t n;
} ed_id_list;

static inline void ed_id_list_add(ed_id_list *list, int32_t id)
{
    if (list->n < list->n_max)
        list->ids[list->n] = id;
    list->n++;
}

typedef struct ed_token_model_type {
    const char *name;
    /* From the file, which is not kept; `vocabulary` is, and is filled here. `json` is the file's
     * "model". */
    embedd_status (*open)(void **out, ed_vocabulary *vocabulary, const ed_tokenizer_file *file,
                          struct json_object *json, embedd_error *err);
    void (*close)(void *model); /* NULL is allowed */
    void (*encode)(const void *model, const embedd_text *words, size_t n_words, ed_id_list *ids);
} ed_token_model_type;

typedef struct ed_token_model {
    const ed_token_model_type *type;
    void *model;
    ed_vocabulary vocabulary;
} ed_token_model;

/* UNSUPPORTED (named), FORMAT, MEMORY. Close after a failure, too. */
embedd_status ed_token_model_open(ed_token_model *model, const ed_tokenizer_file *file,
                                  embedd_error *err);
void ed_token_model_close(ed_token_model *model); /* a zeroed struct is allowed */

/* One file each. */
extern const ed_token_model_type ed_wordpiece_type;

#endif
