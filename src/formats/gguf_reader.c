/* In: bytes of a stranger. Out: numbers, slices and metadata fields that lie in them. */
#include "formats/gguf_reader.h"

#include "base/checked.h"
#include "base/error.h"

#include <string.h>

#define SHOWN_MAX 100

static embedd_status read_values(ed_gguf_reader *reader, ed_gguf_array *values);
static uint64_t u64_at(const unsigned char *bytes);

int ed_gguf_shown(size_t n_bytes)
{
    return n_bytes < SHOWN_MAX ? (int)n_bytes : SHOWN_MAX;
}

size_t ed_gguf_size_before(const char *text)
{
    return (size_t)u64_at((const unsigned char *)text - sizeof(uint64_t));
}

embedd_status ed_gguf_read_bytes(ed_gguf_reader *reader, size_t n, const char *what,
                                 const unsigned char **out)
{
    if (!ed_slice_fits(reader->at, n, reader->n_bytes))
        return ed_fail(
            reader->err, EMBEDD_FORMAT, "%s: byte %zu: the file ends inside %s (%zu bytes)%s%.*s",
            reader->where, reader->at, what, n, reader->entry.bytes ? " of " : "",
            ed_gguf_shown(reader->entry.n_bytes), reader->entry.bytes ? reader->entry.bytes : "");
    *out = reader->bytes + reader->at;
    reader->at += n;
    return EMBEDD_OK;
}

static uint32_t u32_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint64_t u64_at(const unsigned char *bytes)
{
    return u32_at(bytes) | (uint64_t)u32_at(bytes + 4) << 32;
}

embedd_status ed_gguf_read_u32(ed_gguf_reader *reader, const char *what, uint32_t *out)
{
    const unsigned char *bytes = NULL;
    embedd_status status = ed_gguf_read_bytes(reader, sizeof *out, what, &bytes);

    if (status == EMBEDD_OK)
        *out = u32_at(bytes);
    return status;
}

/* What does not fit in size_t becomes SIZE_MAX, which no later check lets through. */
embedd_status ed_gguf_read_size(ed_gguf_reader *reader, const char *what, size_t *out)
{
    const unsigned char *bytes = NULL;
    embedd_status status = ed_gguf_read_bytes(reader, sizeof(uint64_t), what, &bytes);

    if (status == EMBEDD_OK)
        *out = u64_at(bytes) > SIZE_MAX ? SIZE_MAX : (size_t)u64_at(bytes);
    return status;
}

embedd_status ed_gguf_read_string(ed_gguf_reader *reader, const char *what, embedd_text *out)
{
    const unsigned char *bytes = NULL;
    size_t n_bytes = 0;
    embedd_status status = ed_gguf_read_size(reader, what, &n_bytes);

    if (status == EMBEDD_OK)
        status = ed_gguf_read_bytes(reader, n_bytes, what, &bytes);
    *out = (embedd_text){(const char *)bytes, n_bytes};
    return status;
}

embedd_status ed_gguf_read_field(ed_gguf_reader *reader, ed_gguf_field *field)
{
    embedd_text key;
    uint32_t type = 0;
    embedd_status status = ed_gguf_read_string(reader, "a metadata key", &key);

    if (status == EMBEDD_OK && key.n_bytes == 0)
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: byte %zu: an empty metadata key",
                       reader->where, reader->at);
    if (status == EMBEDD_OK) {
        reader->entry = key;
        status = ed_gguf_read_u32(reader, "the type", &type);
    }
    field->key = key.bytes;
    field->key_bytes = key.n_bytes;
    field->values.n = 1;
    field->is_array = type == ED_GGUF_ARRAY;
    if (status == EMBEDD_OK && field->is_array)
        status = ed_gguf_read_u32(reader, "the type of the elements", &type);
    if (status == EMBEDD_OK && field->is_array)
        status = ed_gguf_read_size(reader, "the number of elements", &field->values.n);
    field->values.type = (ed_gguf_type)type;
    if (status == EMBEDD_OK && (type > ED_GGUF_F64 || type == ED_GGUF_ARRAY))
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: metadata field %.*s has type %u, %s",
                       reader->where, ed_gguf_shown(key.n_bytes), key.bytes, (unsigned)type,
                       type == ED_GGUF_ARRAY ? "an array in an array" : "which there is not");
    if (status == EMBEDD_OK)
        status = read_values(reader, &field->values);
    reader->entry = (embedd_text){NULL, 0};
    return status;
}

/* Bytes of one value; 0 = it says so itself. */
static size_t value_bytes(ed_gguf_type type)
{
    static const unsigned char sizes[] = {
        [ED_GGUF_U8] = 1,  [ED_GGUF_I8] = 1,  [ED_GGUF_U16] = 2, [ED_GGUF_I16] = 2,
        [ED_GGUF_U32] = 4, [ED_GGUF_I32] = 4, [ED_GGUF_F32] = 4, [ED_GGUF_BOOL] = 1,
        [ED_GGUF_U64] = 8, [ED_GGUF_I64] = 8, [ED_GGUF_F64] = 8,
    };
    return sizes[type];
}

static embedd_status read_values(ed_gguf_reader *reader, ed_gguf_array *values)
{
    embedd_status status = EMBEDD_OK;
    const unsigned char *bytes = NULL;
    embedd_text text;
    size_t n_bytes;

    values->data = reader->bytes + reader->at;
    if (values->type == ED_GGUF_STRING) {
        for (size_t i = 0; status == EMBEDD_OK && i < values->n; i++)
            status = ed_gguf_read_string(reader, "a string", &text);
    } else {
        if (!ed_mul_size(values->n, value_bytes(values->type), &n_bytes))
            n_bytes = SIZE_MAX;
        status = ed_gguf_read_bytes(reader, n_bytes, "the value", &bytes);
    }
    values->n_bytes = (size_t)(reader->bytes + reader->at - values->data);
    for (size_t i = 0; status == EMBEDD_OK && values->type == ED_GGUF_BOOL && i < values->n; i++)
        if (values->data[i] > 1)
            status = ed_fail(reader->err, EMBEDD_FORMAT,
                             "%s: metadata field %.*s is neither true nor false", reader->where,
                             ed_gguf_shown(reader->entry.n_bytes), reader->entry.bytes);
    return status;
}

/* ---- by key and type ------------------------------------------------------------------------- */

static embedd_status fail_type(const ed_gguf *gguf, const char *key, const char *what,
                               embedd_error *err)
{
    return ed_fail(err, EMBEDD_FORMAT, "%s: %s is not %s", gguf->where, key, what);
}

/* A whole number as its magnitude and sign; false if it is of another type. */
static bool read_whole(const ed_gguf_field *field, uint64_t *magnitude, bool *negative)
{
    size_t n = value_bytes(field->values.type);
    uint64_t bits = 0;
    bool is_signed = false;

    if (field->is_array)
        return false;
    switch (field->values.type) {
    case ED_GGUF_I8:
    case ED_GGUF_I16:
    case ED_GGUF_I32:
    case ED_GGUF_I64:
        is_signed = true;
        break;
    case ED_GGUF_U8:
    case ED_GGUF_U16:
    case ED_GGUF_U32:
    case ED_GGUF_U64:
        break;
    case ED_GGUF_F32:
    case ED_GGUF_F64:
    case ED_GGUF_BOOL:
    case ED_GGUF_STRING:
    case ED_GGUF_ARRAY:
        return false;
    }
    for (size_t i = n; i-- > 0;)
        bits = bits << 8 | field->values.data[i];
    *negative = is_signed && bits >> (8 * n - 1);
    *magnitude = *negative ? (~bits + 1) & (UINT64_MAX >> (64 - 8 * n)) : bits;
    return true;
}

embedd_status ed_gguf_get_size(const ed_gguf *gguf, const char *key, size_t *out, embedd_error *err)
{
    const ed_gguf_field *field = ed_gguf_find(gguf, key);
    uint64_t magnitude;
    bool negative;

    if (!field)
        return EMBEDD_OK;
    if (!read_whole(field, &magnitude, &negative) || negative)
        return fail_type(gguf, key, "a whole number", err);
    *out = magnitude > SIZE_MAX ? SIZE_MAX : (size_t)magnitude;
    return EMBEDD_OK;
}

embedd_status ed_gguf_get_double(const ed_gguf *gguf, const char *key, double *out,
                                 embedd_error *err)
{
    const ed_gguf_field *field = ed_gguf_find(gguf, key);
    uint64_t magnitude;
    bool negative;
    double value = 0;
    float single;

    if (!field)
        return EMBEDD_OK;
    if (read_whole(field, &magnitude, &negative)) {
        value = negative ? -(double)magnitude : (double)magnitude;
    } else if (!field->is_array && field->values.type == ED_GGUF_F32) {
        memcpy(&single, field->values.data, sizeof single);
        value = single;
    } else if (!field->is_array && field->values.type == ED_GGUF_F64) {
        memcpy(&value, field->values.data, sizeof value);
    } else {
        return fail_type(gguf, key, "a number", err);
    }
    if (!(value - value == 0))
        return fail_type(gguf, key, "finite", err);
    *out = value;
    return EMBEDD_OK;
}

embedd_status ed_gguf_get_bool(const ed_gguf *gguf, const char *key, bool *out, embedd_error *err)
{
    const ed_gguf_field *field = ed_gguf_find(gguf, key);

    if (field && (field->is_array || field->values.type != ED_GGUF_BOOL))
        return fail_type(gguf, key, "true or false", err);
    if (field)
        *out = field->values.data[0] == 1;
    return EMBEDD_OK;
}

embedd_status ed_gguf_get_string(const ed_gguf *gguf, const char *key, embedd_text *out,
                                 embedd_error *err)
{
    const ed_gguf_field *field = ed_gguf_find(gguf, key);
    ed_gguf_array values;
    embedd_text text;

    if (!field)
        return EMBEDD_OK;
    values = field->values;
    if (field->is_array || values.type != ED_GGUF_STRING || !ed_gguf_next_string(&values, &text) ||
        memchr(text.bytes, '\0', text.n_bytes))
        return fail_type(gguf, key, "a string without NUL", err);
    *out = text;
    return EMBEDD_OK;
}

embedd_status ed_gguf_get_array(const ed_gguf *gguf, const char *key, ed_gguf_type type,
                                ed_gguf_array *out, embedd_error *err)
{
    const ed_gguf_field *field = ed_gguf_find(gguf, key);

    if (field && (!field->is_array || field->values.type != type))
        return fail_type(gguf, key, "an array of the type that belongs there", err);
    if (field)
        *out = field->values;
    return EMBEDD_OK;
}

bool ed_gguf_next_string(ed_gguf_array *array, embedd_text *out)
{
    if (array->n == 0)
        return false;
    *out = (embedd_text){(const char *)array->data + sizeof(uint64_t), (size_t)u64_at(array->data)};
    size_t n_bytes = sizeof(uint64_t) + out->n_bytes;
    array->data += n_bytes;
    array->n_bytes -= n_bytes;
    array->n--;
    return true;
}

float ed_gguf_float_at(const ed_gguf_array *array, size_t value_index)
{
    float value;
    memcpy(&value, array->data + value_index * sizeof value, sizeof value);
    return value;
}

int32_t ed_gguf_int_at(const ed_gguf_array *array, size_t value_index)
{
    return (int32_t)u32_at(array->data + value_index * sizeof(int32_t));
}
