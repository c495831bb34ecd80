/* In: the "post_processor" of tokenizer.json. Out: the ids before and after a single text. What it
 * does with pairs of texts is read in pair_template.c. */
#include "tokenizer/post_processor.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "tokenizer/vocabulary.h"

#include <json-c/json.h>
#include <string.h>

#define SPECIALS_MAX 256 /* a template may name one list of ids many times */

static embedd_status read_template(ed_post_processor *processor, struct json_object *json,
                                   const char *where, embedd_error *err);
static embedd_status read_cls_sep(ed_post_processor *processor, struct json_object *json,
                                  const char *where, embedd_error *err);
static embedd_status add_special(ed_post_processor *processor, struct json_object *special,
                                 struct json_object *tokens, bool after, const char *where,
                                 embedd_error *err);
static embedd_status add_id(ed_post_processor *processor, struct json_object *number,
                            const char *name, bool after, const char *where, embedd_error *err);

typedef embedd_status single_reader(ed_post_processor *processor, struct json_object *json,
                                    const char *where, embedd_error *err);

static embedd_status read_both(ed_post_processor *processor, struct json_object *json,
                               single_reader *read, const char *where, embedd_error *err);
static embedd_status read_one(ed_post_processor *processor, struct json_object *json,
                              const char *where, embedd_error *err);
static embedd_status read_nothing(ed_post_processor *processor, struct json_object *json,
                                  const char *where, embedd_error *err);

/* Sequence is not here: it is unfolded by ed_post_processor_open. */
static const struct {
    const char *name;
    single_reader *read;
} types[] = {
    {"BertProcessing", read_cls_sep},
    {"ByteLevel", read_nothing}, /* is about places in the text */
    {"RobertaProcessing", read_cls_sep},
    {"TemplateProcessing", read_template},
};

embedd_status ed_post_processor_open(ed_post_processor *processor, struct json_object *json,
                                     const char *where, embedd_error *err)
{
    *processor = (ed_post_processor){0};
    if (!json)
        return EMBEDD_OK;
    const char *type = json_object_get_string(json_object_object_get(json, "type"));
    if (!type || strcmp(type, "Sequence") != 0)
        return read_one(processor, json, where, err);

    struct json_object *parts = NULL;
    size_t n_adding = 0;
    embedd_status status = ed_json_get_array(json, "processors", &parts, where, err);
    if (status == EMBEDD_OK && !parts)
        return ed_fail(err, EMBEDD_FORMAT, "%s: processors is missing", where);
    for (size_t i = 0; status == EMBEDD_OK && i < json_object_array_length(parts); i++) {
        size_t n_before = processor->n_before + processor->n_after;
        status = read_one(processor, json_object_array_get_idx(parts, i), where, err);
        n_adding += processor->n_before + processor->n_after > n_before;
    }
    if (status == EMBEDD_OK && n_adding > 1)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: two post-processors that add tokens", where);
    return status;
}

static embedd_status read_one(ed_post_processor *processor, struct json_object *json,
                              const char *where, embedd_error *err)
{
    const char *type = NULL;
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: post_processor is not an object", where);
    embedd_status status = ed_json_get_string(json, "type", &type, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!type)
        return ed_fail(err, EMBEDD_FORMAT, "%s: post_processor has no type", where);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i].name) == 0)
            return read_both(processor, json, types[i].read, where, err);
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: post_processor %.64s is not supported", where,
                   type);
}

static embedd_status read_both(ed_post_processor *processor, struct json_object *json,
                               single_reader *read, const char *where, embedd_error *err)
{
    embedd_status status = read(processor, json, where, err);

    if (status != EMBEDD_OK || read == read_nothing)
        return status;
    ed_pair_template_close(&processor->pair);
    return ed_pair_template_open(&processor->pair, json, where, err);
}

static embedd_status read_nothing(ed_post_processor *processor, struct json_object *json,
                                  const char *where, embedd_error *err)
{
    (void)processor;
    (void)json;
    (void)where;
    (void)err;
    return EMBEDD_OK;
}

void ed_post_processor_close(ed_post_processor *processor)
{
    ed_free(processor->ids);
    ed_pair_template_close(&processor->pair);
    *processor = (ed_post_processor){0};
}

/* "single": [{"SpecialToken": {"id": "[CLS]"}}, {"Sequence": {"id": "A"}}, ...] */
static embedd_status read_template(ed_post_processor *processor, struct json_object *json,
                                   const char *where, embedd_error *err)
{
    struct json_object *single = NULL, *tokens = NULL;
    embedd_status status = ed_json_get_array(json, "single", &single, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_object(json, "special_tokens", &tokens, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!json_object_is_type(single, json_type_array) ||
        !json_object_is_type(tokens, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: TemplateProcessing lacks single or special_tokens",
                       where);

    size_t n_texts = 0;
    for (size_t i = 0; i < json_object_array_length(single); i++) {
        struct json_object *piece = json_object_array_get_idx(single, i), *part = NULL;
        if (!json_object_is_type(piece, json_type_object))
            return ed_fail(err, EMBEDD_FORMAT, "%s: single[%zu] is not an object", where, i);
        if (json_object_object_get_ex(piece, "SpecialToken", &part)) {
            status = add_special(processor, part, tokens, n_texts > 0, where, err);
            if (status != EMBEDD_OK)
                return status;
            continue;
        }
        const char *id = NULL;
        status = ed_json_get_object(piece, "Sequence", &part, where, err);
        if (status == EMBEDD_OK && part)
            status = ed_json_get_string(part, "id", &id, where, err);
        if (status != EMBEDD_OK)
            return status;
        if (!id || strcmp(id, "A") != 0)
            return ed_fail(err, EMBEDD_FORMAT, "%s: single[%zu] is not a token or the text", where,
                           i);
        n_texts++;
    }
    if (n_texts != 1)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: single has the text %zu times, not once",
                       where, n_texts);
    return EMBEDD_OK;
}

/* One name in a template may stand for several ids. */
static embedd_status add_special(ed_post_processor *processor, struct json_object *special,
                                 struct json_object *tokens, bool after, const char *where,
                                 embedd_error *err)
{
    const char *name = NULL;
    struct json_object *token = NULL, *ids = NULL;
    if (!json_object_is_type(special, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: SpecialToken is not an object", where);
    embedd_status status = ed_json_get_string(special, "id", &name, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!name)
        return ed_fail(err, EMBEDD_FORMAT, "%s: SpecialToken has no id", where);
    status = ed_json_get_object(tokens, name, &token, where, err);
    if (status == EMBEDD_OK && token)
        status = ed_json_get_array(token, "ids", &ids, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!ids)
        return ed_fail(err, EMBEDD_FORMAT, "%s: special_tokens has no ids for %.64s", where, name);
    for (size_t i = 0; i < json_object_array_length(ids) && status == EMBEDD_OK; i++)
        status = add_id(processor, json_object_array_get_idx(ids, i), name, after, where, err);
    return status;
}

/* "cls": ["[CLS]", 101], "sep": ["[SEP]", 102] */
static embedd_status read_cls_sep(ed_post_processor *processor, struct json_object *json,
                                  const char *where, embedd_error *err)
{
    static const char *const names[] = {"cls", "sep"};
    embedd_status status = EMBEDD_OK;
    for (size_t i = 0; i < 2 && status == EMBEDD_OK; i++) {
        struct json_object *pair = NULL;
        status = ed_json_get_array(json, names[i], &pair, where, err);
        if (status != EMBEDD_OK)
            return status;
        if (!pair || json_object_array_length(pair) != 2)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %s is not a token and its id", where, names[i]);
        status =
            add_id(processor, json_object_array_get_idx(pair, 1), names[i], i == 1, where, err);
    }
    return status;
}

static embedd_status add_id(ed_post_processor *processor, struct json_object *number,
                            const char *name, bool after, const char *where, embedd_error *err)
{
    int32_t id;
    embedd_status status = ed_read_id(number, &id, name, where, err);
    if (status != EMBEDD_OK)
        return status;
    size_t n = processor->n_before + processor->n_after;
    if (n == SPECIALS_MAX)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: more than %d special tokens", where,
                       SPECIALS_MAX);
    int32_t *ids = ed_realloc(processor->ids, n + 1, sizeof *ids);
    if (!ids)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    ids[n] = id;
    processor->ids = ids;
    processor->n_before += !after;
    processor->n_after += after;
    return EMBEDD_OK;
}
