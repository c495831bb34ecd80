/* In: JSON text from files. Out: json-c's tree. Never a tree of a text that RFC 8259 refuses, and
 * never one that is out of proportion: json-c's own parser is not used, since it accepts more (NaN,
 * raw control characters, ...), reads some surrogate pairs wrongly (0.16: U+1D800 .. U+1DFFF) and
 * lets the three bytes "{}," take 800. */
#include "formats/json.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "base/number.h"
#include "formats/json_reader.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* What json-c takes (measured), strings not counted. */
#define OBJECT_BYTES 800
#define ARRAY_BYTES  160
#define SCALAR_BYTES 80
#define KEY_BYTES    90

/* What a tree may take: in files there are, tokenizers and configs, less than 30 times the text. */
#define TREE_TIMES_MAX 64
#define TREE_BYTES_MIN ((size_t)1 << 20)
#define TREE_BYTES_MAX ((size_t)1 << 30)

typedef struct builder {
    ed_json_reader reader;
    struct json_object *open[ED_JSON_DEPTH_MAX + 1]; /* the containers around, from the root */
    struct json_object *root;
    ed_buf key;  /* of the value to come, in an object; with NUL */
    ed_buf text; /* of a string */
    size_t tree_bytes;
    size_t tree_bytes_max;
    const char *where;
    embedd_error *err;
} builder;

static embedd_status build(builder *b);
static embedd_status read_key(builder *b);
static embedd_status add_value(builder *b, ed_json_token token);
static bool make_value(builder *b, ed_json_token token, struct json_object **out);
static struct json_object *make_number(const ed_json_reader *reader);
static embedd_status get_field(struct json_object *object, const char *field,
                               struct json_object **out, const char *where, embedd_error *err);
static embedd_status fail_type(const char *where, const char *field, const char *wanted,
                               embedd_error *err);

embedd_status ed_json_parse(const char *text, size_t n_bytes, const char *where,
                            struct json_object **out, embedd_error *err)
{
    builder b = {.where = where, .err = err};
    *out = NULL;
    if (n_bytes > INT_MAX) /* json-c counts in int */
        return ed_fail(err, EMBEDD_LIMIT, "%s: %zu bytes of JSON are too many", where, n_bytes);
    b.tree_bytes_max = TREE_BYTES_MAX;
    if (n_bytes < (TREE_BYTES_MAX - TREE_BYTES_MIN) / TREE_TIMES_MAX)
        b.tree_bytes_max = TREE_BYTES_MIN + n_bytes * TREE_TIMES_MAX;
    ed_json_reader_init(&b.reader, text, n_bytes);
    ed_buf_init(&b.key, n_bytes + 1);
    ed_buf_init(&b.text, n_bytes);
    embedd_status status = build(&b);
    ed_buf_clear(&b.key);
    ed_buf_clear(&b.text);
    if (status == EMBEDD_OK)
        *out = b.root;
    else
        json_object_put(b.root);
    return status;
}

static embedd_status build(builder *b)
{
    for (;;) {
        embedd_status status = EMBEDD_OK;
        ed_json_token token = ed_json_next(&b->reader);
        switch (token) {
        case ED_JSON_END:
            return EMBEDD_OK;
        case ED_JSON_ERROR:
            return ed_fail(b->err, EMBEDD_FORMAT, "%s: byte %zu: %s", b->where, b->reader.at,
                           b->reader.reason);
        case ED_JSON_OBJECT_END:
        case ED_JSON_ARRAY_END:
            break;
        case ED_JSON_KEY:
            status = read_key(b);
            break;
        case ED_JSON_OBJECT:
        case ED_JSON_ARRAY:
        case ED_JSON_STRING:
        case ED_JSON_NUMBER:
        case ED_JSON_TRUE:
        case ED_JSON_FALSE:
        case ED_JSON_NULL:
            status = add_value(b, token);
            break;
        }
        if (status != EMBEDD_OK)
            return status;
    }
}

static embedd_status fail_memory(builder *b)
{
    return ed_fail(b->err, EMBEDD_MEMORY, "%s: no memory for a tree of the JSON", b->where);
}

/* The last KEY or STRING, unescaped. */
static bool read_text(builder *b, ed_buf *out)
{
    ed_buf_reset(out);
    if (!ed_buf_reserve(out, b->reader.token_bytes))
        return false;
    if (b->reader.token_bytes > 0)
        out->n_bytes = ed_json_unescape(&b->reader, out->data);
    return true;
}

static embedd_status read_key(builder *b)
{
    if (!read_text(b, &b->key) || !ed_buf_append(&b->key, "", 1))
        return fail_memory(b);
    if (strlen(b->key.data) + 1 != b->key.n_bytes)
        return ed_fail(b->err, EMBEDD_FORMAT, "%s: byte %zu: a field name holds NUL", b->where,
                       (size_t)(b->reader.token - b->reader.text));
    b->tree_bytes += KEY_BYTES + b->key.n_bytes;
    return EMBEDD_OK;
}

static size_t value_bytes(const builder *b, ed_json_token token)
{
    if (token == ED_JSON_OBJECT)
        return OBJECT_BYTES;
    if (token == ED_JSON_ARRAY)
        return ARRAY_BYTES;
    return SCALAR_BYTES + (token == ED_JSON_STRING ? b->reader.token_bytes : 0);
}

static embedd_status add_value(builder *b, ed_json_token token)
{
    struct json_object *value = NULL;
    bool container = token == ED_JSON_OBJECT || token == ED_JSON_ARRAY;
    /* A container is open already when it is read: its parent is one further out. */
    unsigned depth = container ? b->reader.depth - 1 : b->reader.depth;
    struct json_object *parent = depth > 0 ? b->open[depth] : NULL;

    b->tree_bytes += value_bytes(b, token);
    if (b->tree_bytes > b->tree_bytes_max)
        return ed_fail(b->err, EMBEDD_LIMIT, "%s: byte %zu: the JSON has too many values", b->where,
                       b->reader.at);
    if (!make_value(b, token, &value))
        return fail_memory(b);
    int failed = 0;
    if (!parent)
        b->root = value;
    else if (json_object_is_type(parent, json_type_object))
        failed = json_object_object_add(parent, b->key.data, value); /* the last of a name wins */
    else
        failed = json_object_array_add(parent, value);
    if (failed) {
        json_object_put(value);
        return fail_memory(b);
    }
    if (container)
        b->open[depth + 1] = value;
    return EMBEDD_OK;
}

/* NULL stands for null in json-c: success is told apart. */
static bool make_value(builder *b, ed_json_token token, struct json_object **out)
{
    switch (token) {
    case ED_JSON_OBJECT:
        *out = json_object_new_object();
        break;
    case ED_JSON_ARRAY:
        *out = json_object_new_array_ext(1);
        break;
    case ED_JSON_STRING:
        if (read_text(b, &b->text))
            *out =
                json_object_new_string_len(b->text.data ? b->text.data : "", (int)b->text.n_bytes);
        break;
    case ED_JSON_NUMBER:
        *out = make_number(&b->reader);
        break;
    case ED_JSON_TRUE:
    case ED_JSON_FALSE:
        *out = json_object_new_boolean(token == ED_JSON_TRUE);
        break;
    case ED_JSON_ERROR:
    case ED_JSON_END:
    case ED_JSON_OBJECT_END:
    case ED_JSON_ARRAY_END:
    case ED_JSON_KEY:
    case ED_JSON_NULL:
        return true;
    }
    return *out != NULL;
}

/* An integer where the text is one and it fits, else a double. */
static struct json_object *make_number(const ed_json_reader *reader)
{
    ed_json_reader digits = *reader;
    size_t whole;
    bool negative = reader->token[0] == '-';
    digits.token += negative;
    digits.token_bytes -= negative;
    if (ed_json_whole_number(&digits, &whole)) {
        if (whole <= INT64_MAX)
            return json_object_new_int64(negative ? -(int64_t)whole : (int64_t)whole);
        if (!negative)
            return json_object_new_uint64(whole);
    }
    if (reader->token + reader->token_bytes < reader->text + reader->n_bytes)
        return json_object_new_double(ed_parse_double(reader->token));
    char *copy = ed_strndup(reader->token, reader->token_bytes);
    struct json_object *number = copy ? json_object_new_double(ed_parse_double(copy)) : NULL;
    ed_free(copy);
    return number;
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
