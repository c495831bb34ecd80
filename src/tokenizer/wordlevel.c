/* In: words. Out: the id of each, or that of "unknown".
 * Source: huggingface/tokenizers, models/wordlevel/mod.rs. */
#include "tokenizer/token_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"

typedef struct wordlevel {
    ed_trie trie; /* the vocabulary's, which owns it */
    int32_t unknown;
} wordlevel;

static embedd_status open_wordlevel(void **out, ed_vocabulary *vocabulary,
                                    const ed_tokenizer_file *file, struct json_object *json,
                                    embedd_error *err);
static bool encode_words(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                         size_t n_words, ed_id_list *ids);

const ed_token_model_type ed_wordlevel_type = {"WordLevel", open_wordlevel, ed_free, encode_words};

static embedd_status open_wordlevel(void **out, ed_vocabulary *vocabulary,
                                    const ed_tokenizer_file *file, struct json_object *json,
                                    embedd_error *err)
{
    const char *where = file->where;
    wordlevel *model = ed_calloc(1, sizeof *model);
    *out = model;
    if (!model)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    embedd_status status = ed_vocabulary_open(vocabulary, file->vocab, where, err);
    if (status == EMBEDD_OK)
        status = ed_vocabulary_read_unknown(vocabulary, json, &model->unknown, where, err);
    if (status == EMBEDD_OK && model->unknown < 0)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: unk_token is missing", where);
    model->trie = vocabulary->trie;
    return status;
}

static bool encode_words(const void *model, ed_model_scratch *scratch, const embedd_text *words,
                         size_t n_words, ed_id_list *ids)
{
    const wordlevel *level = model;
    (void)scratch;
    for (size_t i = 0; i < n_words; i++) {
        uint32_t id = ed_trie_find(&level->trie, words[i].bytes, words[i].n_bytes);
        ed_id_list_add(ids, id == ED_TRIE_NONE ? level->unknown : (int32_t)id);
    }
    return true;
}
