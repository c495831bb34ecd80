/* In: the "model" of tokenizer.json. Out: the model of its kind. */
#include "tokenizer/token_model.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <string.h>

static const ed_token_model_type *const types[] = {&ed_bpe_type, &ed_unigram_type,
                                                   &ed_wordlevel_type, &ed_wordpiece_type};

embedd_status ed_token_model_open(ed_token_model *model, const ed_tokenizer_file *file,
                                  embedd_error *err)
{
    struct json_object *json = json_object_object_get(file->json, "model");
    const char *where = file->where;
    *model = (ed_token_model){0};
    const char *name = NULL;
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: model is missing", where);
    embedd_status status = ed_json_get_string(json, "type", &name, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!name) /* files of early versions do not say it */
        name = json_object_object_get_ex(json, "max_input_chars_per_word", NULL) ? "WordPiece"
               : file->merges.bytes                                              ? "BPE"
                                                                                 : NULL;
    if (!name)
        return ed_fail(err, EMBEDD_FORMAT, "%s: model has no type", where);

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(name, types[i]->name) != 0)
            continue;
        model->type = types[i];
        return types[i]->open(&model->model, &model->vocabulary, file, json, err);
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: model %.64s is not supported", where, name);
}

void ed_token_model_close(ed_token_model *model)
{
    if (model->type)
        model->type->close(model->model);
    ed_vocabulary_close(&model->vocabulary);
    *model = (ed_token_model){0};
}

void *ed_model_scratch_take(ed_model_scratch *scratch, size_t n, size_t size)
{
    size_t n_bytes;
    if (!ed_mul_size(n, size, &n_bytes))
        return NULL;
    if (n_bytes > scratch->n_bytes || !scratch->block) {
        ed_free(scratch->block); /* nothing is worth copying */
        scratch->block = ed_realloc(NULL, n_bytes + n_bytes / 4, 1);
        scratch->n_bytes = scratch->block ? n_bytes + n_bytes / 4 : 0;
    }
    return scratch->block;
}

void ed_model_scratch_clear(ed_model_scratch *scratch)
{
    ed_free(scratch->block);
    ed_free(scratch->cache);
    *scratch = (ed_model_scratch){0};
}

bool ed_encode_cached(ed_encode_word encode, const void *model, ed_model_scratch *scratch,
                      embedd_text word, ed_id_list *ids)
{
    ed_word_key key;
    if (!scratch->cache)
        scratch->cache = ed_calloc(ED_WORD_CACHE_ENTRIES, sizeof *scratch->cache);
    if (!scratch->cache)
        return false;
    ed_word_cache_entry *entry = ed_word_cache_place(scratch->cache, word, &key);
    if (!entry)
        return encode(model, scratch, word, ids);
    if (ed_word_cache_holds(entry, word, &key)) {
        for (size_t i = 0; i < entry->n_ids; i++)
            ed_id_list_add(ids, entry->ids[i]);
        return true;
    }
    size_t n_before = ids->n;
    if (!encode(model, scratch, word, ids))
        return false;
    if (ids->n <= ids->n_max) /* all of them were kept */
        ed_word_cache_put(entry, word, &key, ids->ids + n_before, ids->n - n_before);
    return true;
}
