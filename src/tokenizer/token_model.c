/* In: the "model" of tokenizer.json. Out: the model of its kind. */
#include "tokenizer/token_model.h"

#include "base/error.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <string.h>

static const ed_token_model_type *const types[] = {&ed_wordpiece_type};

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
    if (!name && json_object_object_get_ex(json, "max_input_chars_per_word", NULL))
        name = "WordPiece"; /* files of early versions do not say it */
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
