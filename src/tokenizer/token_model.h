/* The "model" of tokenizer.json: words to token ids. A new kind is a file and a row in
 * token_model.c. */
#ifndef ED_TOKEN_MODEL_H
#define ED_TOKEN_MODEL_H

#include "embedd.h"
#include "tokenizer/tokenizer_file.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_cache.h"

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

/* Memory of one thread's encoding, whatever the model needs; grows and is reused. */
typedef struct ed_model_scratch {
    void *block;
    size_t n_bytes;
    ed_word_cache_entry *cache; /* NULL until it is needed */
} ed_model_scratch;

/* At least n elements of `size` bytes, with any contents; NULL = out of memory. */
void *ed_model_scratch_take(ed_model_scratch *scratch, size_t n, size_t size);
void ed_model_scratch_clear(ed_model_scratch *scratch); /* a zeroed struct is allowed */

/* Adds the ids of one word. False = out of memory. */
typedef bool (*ed_encode_word)(const void *model, ed_model_scratch *scratch, embedd_text word,
                               ed_id_list *ids);
/* The same, by way of the cache: for models where a word's ids depend on nothing but its bytes. */
bool ed_encode_cached(ed_encode_word encode, const void *model, ed_model_scratch *scratch,
                      embedd_text word, ed_id_list *ids);

typedef struct ed_token_model_type {
    const char *name;
    /* From the file, which is not kept; `vocabulary` is, and is filled here. `json` is the file's
     * "model". */
    embedd_status (*open)(void **out, ed_vocabulary *vocabulary, const ed_tokenizer_file *file,
                          struct json_object *json, embedd_error *err);
    void (*close)(void *model); /* NULL is allowed */
    /* Time is linear in the words' bytes, or n log n of the longest. False = out of memory. */
    bool (*encode)(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                   size_t n_words, ed_id_list *ids);
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
extern const ed_token_model_type ed_bpe_type, ed_unigram_type, ed_wordlevel_type, ed_wordpiece_type;

#endif
