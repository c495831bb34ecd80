/* In: the "post_processor" of tokenizer.json. Out: ids before, between and after two texts. Never
 * refuses a file that is good for single texts. */
#include "tokenizer/pair_template.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "tokenizer/vocabulary.h"

#include <json-c/json.h>
#include <string.h>

#define SPECIALS_MAX 256

typedef enum place { BEFORE, BETWEEN, AFTER } place;

/* A template on its way: types may only go from 0 to 1, and not inside a text. */
typedef struct reading {
    ed_pair_template *pair;
    struct json_object *tokens; /* special_tokens */
    place place;
    size_t type; /* of the last piece */
    const char *where;
    embedd_error *err;
} reading;

static embedd_status read_template(ed_pair_template *pair, struct json_object *json,
                                   const char *where, embedd_error *err);
static embedd_status read_cls_sep(ed_pair_template *pair, struct json_object *json,
                                  size_t n_between, const char *where, embedd_error *err);
static embedd_status read_text(reading *r, struct json_object *sequence);
static embedd_status read_special(reading *r, struct json_object *special);
static embedd_status read_type(reading *r, struct json_object *piece);
static embedd_status add_id(ed_pair_template *pair, place at, struct json_object *number,
                            const char *name, const char *where, embedd_error *err);

embedd_status ed_pair_template_open(ed_pair_template *pair, struct json_object *json,
                                    const char *where, embedd_error *err)
{
    const char *type = json_object_get_string(json_object_object_get(json, "type"));

    *pair = (ed_pair_template){.ids = NULL};
    if (!json || !type)
        return EMBEDD_OK;
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_template(pair, json, where, err);
    if (strcmp(type, "BertProcessing") == 0) {
        pair->n_between_first = 1;
        return read_cls_sep(pair, json, 1, where, err);
    }
    pair->one_type = true;
    return read_cls_sep(pair, json, 2, where, err); /* RobertaProcessing */
}

void ed_pair_template_close(ed_pair_template *pair)
{
    ed_free(pair->ids);
    *pair = (ed_pair_template){.ids = NULL};
}

/* "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", ...}}, ...] */
static embedd_status read_template(ed_pair_template *pair, struct json_object *json,
                                   const char *where, embedd_error *err)
{
    struct json_object *pieces = NULL;
    reading r = {.pair = pair, .where = where, .err = err};
    embedd_status status = ed_json_get_array(json, "pair", &pieces, where, err);

    if (status == EMBEDD_OK)
        status = ed_json_get_object(json, "special_tokens", &r.tokens, where, err);
    if (status != EMBEDD_OK)
        return status;
    pair->one_type = true;
    for (size_t i = 0; pieces && i < json_object_array_length(pieces); i++) {
        struct json_object *piece = json_object_array_get_idx(pieces, i), *part = NULL;
        if (!json_object_is_type(piece, json_type_object))
            return ed_fail(err, EMBEDD_FORMAT, "%s: pair[%zu] is not an object", where, i);
        status = ed_json_get_object(piece, "Sequence", &part, where, err);
        if (status == EMBEDD_OK && part)
            status = read_text(&r, part);
        else if (status == EMBEDD_OK)
            status = ed_json_get_object(piece, "SpecialToken", &part, where, err);
        if (status == EMBEDD_OK && part && !json_object_object_get(piece, "Sequence"))
            status = read_special(&r, part);
        if (status != EMBEDD_OK)
            return status;
    }
    if (r.place != AFTER)
        pair->obstacle = "its template for pairs does not have both texts";
    return EMBEDD_OK;
}

static embedd_status read_text(reading *r, struct json_object *sequence)
{
    const char *id = NULL;
    embedd_status status = ed_json_get_string(sequence, "id", &id, r->where, r->err);

    if (status == EMBEDD_OK)
        status = read_type(r, sequence);
    if (!id || r->place == AFTER || strcmp(id, r->place == BEFORE ? "A" : "B") != 0)
        r->pair->obstacle = "its template for pairs has the texts in another order";
    if (r->place == BEFORE && r->type == 1)
        r->pair->obstacle = "its template for pairs begins with type 1";
    if (r->place == BETWEEN && r->type == 1)
        r->pair->one_type = false;
    r->place = r->place == BEFORE ? BETWEEN : AFTER;
    return status;
}

/* One name in a template may stand for several ids. */
static embedd_status read_special(reading *r, struct json_object *special)
{
    const char *name = NULL;
    struct json_object *token = NULL, *ids = NULL;
    embedd_status status = ed_json_get_string(special, "id", &name, r->where, r->err);

    if (status == EMBEDD_OK)
        status = read_type(r, special);
    if (status == EMBEDD_OK && name && r->tokens)
        status = ed_json_get_object(r->tokens, name, &token, r->where, r->err);
    if (status == EMBEDD_OK && token)
        status = ed_json_get_array(token, "ids", &ids, r->where, r->err);
    if (status == EMBEDD_OK && !ids)
        status = ed_fail(r->err, EMBEDD_FORMAT, "%s: special_tokens has no ids for pair", r->where);
    for (size_t i = 0; status == EMBEDD_OK && i < json_object_array_length(ids); i++) {
        status =
            add_id(r->pair, r->place, json_object_array_get_idx(ids, i), name, r->where, r->err);
        r->pair->n_between_first += r->place == BETWEEN && r->type == 0;
    }
    if (r->place == BEFORE && r->type == 1)
        r->pair->obstacle = "its template for pairs begins with type 1";
    if (r->place == AFTER && (r->type == 1) == r->pair->one_type)
        r->pair->obstacle = "its template for pairs changes the type after the second text";
    return status;
}

static embedd_status read_type(reading *r, struct json_object *piece)
{
    size_t type = 0;
    embedd_status status = ed_json_get_size(piece, "type_id", &type, r->where, r->err);

    if (type > 1 || type < r->type)
        r->pair->obstacle = "its template for pairs has other types than 0 and then 1";
    r->type = type;
    return status;
}

/* "cls": ["[CLS]", 101], "sep": ["[SEP]", 102] */
static embedd_status read_cls_sep(ed_pair_template *pair, struct json_object *json,
                                  size_t n_between, const char *where, embedd_error *err)
{
    struct json_object *cls = NULL, *sep = NULL;
    embedd_status status = ed_json_get_array(json, "cls", &cls, where, err);

    if (status == EMBEDD_OK)
        status = ed_json_get_array(json, "sep", &sep, where, err);
    if (status == EMBEDD_OK)
        status = add_id(pair, BEFORE, json_object_array_get_idx(cls, 1), "cls", where, err);
    for (size_t i = 0; status == EMBEDD_OK && i < n_between; i++)
        status = add_id(pair, BETWEEN, json_object_array_get_idx(sep, 1), "sep", where, err);
    if (status == EMBEDD_OK)
        status = add_id(pair, AFTER, json_object_array_get_idx(sep, 1), "sep", where, err);
    return status;
}

static embedd_status add_id(ed_pair_template *pair, place at, struct json_object *number,
                            const char *name, const char *where, embedd_error *err)
{
    int32_t id;
    size_t n = pair->n_before + pair->n_between + pair->n_after;
    embedd_status status = ed_read_id(number, &id, name, where, err);

    if (status != EMBEDD_OK)
        return status;
    if (n == SPECIALS_MAX)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: more than %d special tokens", where,
                       SPECIALS_MAX);
    int32_t *ids = ed_realloc(pair->ids, n + 1, sizeof *ids);
    if (!ids)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    ids[n] = id;
    pair->ids = ids;
    pair->n_before += at == BEFORE;
    pair->n_between += at == BETWEEN;
    pair->n_after += at == AFTER;
    return EMBEDD_OK;
}

void ed_pair_cut(size_t n_max, size_t *n_first, size_t *n_second)
{
    size_t *shorter = *n_first <= *n_second ? n_first : n_second;
    size_t *longer = shorter == n_first ? n_second : n_first;

    if (*longer <= n_max && *shorter <= n_max - *longer)
        return;
    if (*shorter <= n_max / 2) {
        *longer = n_max - *shorter;
        return;
    }
    *shorter = n_max / 2;
    *longer = n_max - n_max / 2;
}
