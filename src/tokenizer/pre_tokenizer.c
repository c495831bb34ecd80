/* In: the "pre_tokenizer" of tokenizer.json. Out: the function that does it. */
#include "tokenizer/pre_tokenizer.h"

#include "base/error.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <string.h>

static const struct {
    const char *name;
    ed_next_words next_words;
} types[] = {
    {"BertPreTokenizer", ed_next_words_bert},
};

static size_t next_words_whole(embedd_text text, size_t *at, embedd_text *words, size_t n_max);

embedd_status ed_pre_tokenizer_open(ed_next_words *out, struct json_object *json, const char *where,
                                    embedd_error *err)
{
    *out = next_words_whole;
    if (!json)
        return EMBEDD_OK;
    const char *type = NULL;
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: pre_tokenizer is not an object", where);
    embedd_status status = ed_json_get_string(json, "type", &type, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!type)
        return ed_fail(err, EMBEDD_FORMAT, "%s: pre_tokenizer has no type", where);

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].name) == 0) {
            *out = types[i].next_words;
            return EMBEDD_OK;
        }
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: pre_tokenizer %.64s is not supported", where,
                   type);
}

static size_t next_words_whole(embedd_text text, size_t *at, embedd_text *words, size_t n_max)
{
    if (*at == text.n_bytes || n_max == 0)
        return 0;
    words[0] = (embedd_text){text.bytes + *at, text.n_bytes - *at};
    *at = text.n_bytes;
    return 1;
}
