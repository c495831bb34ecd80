/* In: JSON text from files and requests. Out: json-c's tree. Never a tree of a text that RFC 8259
 * refuses: json-c alone is more generous (NaN, raw control characters, ...), so that the text first
 * goes through our own reader, which also knows the byte at fault. */
#include "formats/json.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json_reader.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static embedd_status build(const char *text, size_t n_bytes, const char *where,
                           struct json_object **out, embedd_error *err);
static embedd_status get_field(struct json_object *object, const char *field,
                               struct json_object **out, const char *where, embedd_error *err);
static embedd_status fail_type(const char *where, const char *field, const char *wanted,
                               embedd_error *err);

embedd_status ed_json_parse(const char *text, size_t n_bytes, const char *where,
                            struct json_object **out, embedd_error *err)
{
    ed_json_reader reader;
    ed_json_token token;
    *out = NULL;
    if (n_bytes > INT_MAX) /* json-c counts in int */
        return ed_fail(err, EMBEDD_LIMIT, "%s: %zu bytes of JSON are too many", where, n_bytes);
    ed_json_reader_init(&reader, text, n_bytes);
    do
        token = ed_json_next(&reader);
    while (token > ED_JSON_END);
    if (token == ED_JSON_ERROR)
        return ed_fail(err, EMBEDD_FORMAT, "%s: byte %zu: %s", where, reader.at, reader.reason);
    return build(text, reader.value_end, where, out, err);
}

static embedd_status build(const char *text, size_t n_bytes, const char *where,
                           struct json_object **out, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    /* Room for the depth of values inside the deepest container. */
    struct json_tokener *tokener = json_tokener_new_ex(ED_JSON_DEPTH_MAX + 2);
    if (!tokener)
        return ed_fail(err, EMBEDD_MEMORY, "%s: no memory to read JSON", where);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *tree = json_tokener_parse_ex(tokener, text, (int)n_bytes);
    enum json_tokener_error problem = json_tokener_get_error(tokener);
    if (problem == json_tokener_continue) { /* a number is open until something follows it */
        tree = json_tokener_parse_ex(tokener, "", 1);
        problem = json_tokener_get_error(tokener);
    }
    if (problem != json_tokener_success)
        status = ed_fail(err, EMBEDD_FORMAT, "%s: byte %zu: %s", where,
                         json_tokener_get_parse_end(tokener), json_tokener_error_desc(problem));
    else
        *out = tree;
    json_tokener_free(tokener);
    return status;
}

embedd_status ed_json_read_file(const char *path, size_t bytes_max, struct json_object **out,
                                embedd_error *err)
{
    char *text = NULL;
    size_t n_bytes = 0;
    *out = NULL;
    embedd_status status = ed_file_read(path, bytes_max, &text, &n_bytes, err);
    if (status == EMBEDD_OK)
        status = ed_json_parse(text, n_bytes, path, out, err);
    ed_free(text);
    return status;
}

/* ---- one field ------------------------------------------------------------------------------- */

embedd_status ed_json_get_size(struct json_object *object, const char *field, size_t *out,
                               const char *where, embedd_error *err)
{
    struct json_object *value;
    embedd_status status = get_field(object, field, &value, where, err);
    if (status != EMBEDD_OK || !value)
        return status;
    if (json_object_is_type(value, json_type_int)) {
        if (json_object_get_int64(value) < 0)
            return fail_type(where, field, "a whole number", err);
        uint64_t number = json_object_get_uint64(value);
        *out = number < SIZE_MAX ? (size_t)number : SIZE_MAX;
        return EMBEDD_OK;
    }
    double number = json_object_get_double(value);
    if (!json_object_is_type(value, json_type_double) || !(number >= 0) || floor(number) != number)
        return fail_type(where, field, "a whole number", err);
    *out = number < (double)SIZE_MAX ? (size_t)number : SIZE_MAX;
    return EMBEDD_OK;
}

embedd_status ed_json_get_double(struct json_object *object, const char *field, double *out,
                                 const char *where, embedd_error *err)
{
    struct json_object *value;
    embedd_status status = get_field(object, field, &value, where, err);
    if (status != EMBEDD_OK || !value)
        return status;
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return fail_type(where, field, "a number", err);
    double number = json_object_get_double(value);
    if (!isfinite(number)) /* 1e999 */
        return fail_type(where, field, "a finite number", err);
    *out = number;
    return EMBEDD_OK;
}

embedd_status ed_json_get_bool(struct json_object *object, const char *field, bool *out,
                               const char *where, embedd_error *err)
{
    struct json_object *value;
    embedd_status status = get_field(object, field, &value, where, err);
    if (status != EMBEDD_OK || !value)
        return status;
    if (!json_object_is_type(value, json_type_boolean))
        return fail_type(where, field, "true or false", err);
    *out = json_object_get_boolean(value);
    return EMBEDD_OK;
}

embedd_status ed_json_get_string(struct json_object *object, const char *field, const char **out,
                                 const char *where, embedd_error *err)
{
    struct json_object *value;
    embedd_status status = get_field(object, field, &value, where, err);
    if (status != EMBEDD_OK || !value)
        return status;
    if (!json_object_is_type(value, json_type_string))
        return fail_type(where, field, "a string", err);
    const char *text = json_object_get_string(value);
    if (strlen(text) != (size_t)json_object_get_string_len(value))
        return fail_type(where, field, "a string without NUL", err);
    *out = text;
    return EMBEDD_OK;
}

embedd_status ed_json_get_object(struct json_object *object, const char *field,
                                 struct json_object **out, const char *where, embedd_error *err)
{
    struct json_object *value;
    embedd_status status = get_field(object, field, &value, where, err);
    if (status != EMBEDD_OK || !value)
        return status;
    if (!json_object_is_type(value, json_type_object))
        return fail_type(where, field, "an object", err);
    *out = value;
    return EMBEDD_OK;
}

embedd_status ed_json_get_array(struct json_object *object, const char *field,
                                struct json_object **out, const char *where, embedd_error *err)
{
    struct json_object *value;
    embedd_status status = get_field(object, field, &value, where, err);
    if (status != EMBEDD_OK || !value)
        return status;
    if (!json_object_is_type(value, json_type_array))
        return fail_type(where, field, "a list", err);
    *out = value;
    return EMBEDD_OK;
}

/* NULL for a field that is absent or null. */
static embedd_status get_field(struct json_object *object, const char *field,
                               struct json_object **out, const char *where, embedd_error *err)
{
    *out = NULL;
    if (!json_object_is_type(object, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: not an object", where);
    json_object_object_get_ex(object, field, out);
    return EMBEDD_OK;
}

static embedd_status fail_type(const char *where, const char *field, const char *wanted,
                               embedd_error *err)
{
    return ed_fail(err, EMBEDD_FORMAT, "%s: %s is not %s", where, field, wanted);
}
