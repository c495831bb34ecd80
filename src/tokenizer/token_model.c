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
        ed_model_scratch_clear(scratch); /* nothing is worth copying */
        scratch->block = ed_realloc(NULL, n_bytes + n_bytes / 4, 1);
        scratch->n_bytes = scratch->block ? n_bytes + n_bytes / 4 : 0;
    }
    return scratch->block;
}

void ed_model_scratch_clear(ed_model_scratch *scratch)
{
    ed_free(scratch->block);
    *scratch = (ed_model_scratch){0};
}
