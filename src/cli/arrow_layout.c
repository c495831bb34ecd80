/* In: an Arrow schema. Out: which nodes and buffers of a batch belong to the two columns. A batch
 * lists the nodes and buffers of all columns one after the other, children behind their parent; so
 * those of the columns before are counted, by a walk with a stack of its own.
 * Source: arrow format/Schema.fbs. */
#include "cli/arrow_layout.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 4096 /* of a schema, children included */
#define DEPTH_MAX  32
#define NAMES_MAX  200 /* bytes of a message */

enum { SCHEMA_ENDIANNESS = 0, SCHEMA_FIELDS = 1 };
enum {
    FIELD_NAME = 0,
    FIELD_TYPE_TYPE = 2,
    FIELD_TYPE = 3,
    FIELD_DICTIONARY = 4,
    FIELD_CHILDREN = 5
};
enum { FLOAT_PRECISION = 0, LIST_SIZE = 0, UNION_MODE = 0 };

typedef enum arrow_type {
    TYPE_NULL = 1,
    TYPE_FLOAT = 3,
    TYPE_BINARY = 4,
    TYPE_UTF8 = 5,
    TYPE_LIST = 12,
    TYPE_STRUCT = 13,
    TYPE_UNION = 14,
    TYPE_FIXED_SIZE_LIST = 16,
    TYPE_MAP = 17,
    TYPE_LARGE_BINARY = 19,
    TYPE_LARGE_UTF8 = 20,
    TYPE_LARGE_LIST = 21,
    TYPE_RUN_END_ENCODED = 22,
    TYPE_BINARY_VIEW = 23,
    TYPE_UTF8_VIEW = 24,
    TYPE_LIST_VIEW = 25,
    TYPE_LARGE_LIST_VIEW = 26
} arrow_type;

typedef struct counts {
    size_t n_nodes, n_buffers, n_fields;
} counts;

static embedd_status read_text_column(ed_arrow_text_column *column, const ed_flat_table *field,
                                      const counts *before, const char *name, embedd_error *err);
static embedd_status read_vector_column(ed_arrow_vector_column *column, const ed_flat_table *field,
                                        const counts *before, const char *name, embedd_error *err);
static embedd_status count_field(const ed_flat_table *field, counts *all, embedd_error *err);
static embedd_status fail_missing(const ed_flat_vector *fields, const char *name,
                                  const char *option, embedd_error *err);

static bool has_name(const ed_flat_table *field, const char *name)
{
    ed_flat_vector text = ed_flat_get_vector(field, FIELD_NAME, 1);

    return text.n_items == strlen(name) &&
           memcmp(text.buffer->data + text.at, name, text.n_items) == 0;
}

static int64_t get_type(const ed_flat_table *field)
{
    return ed_flat_number(field, FIELD_TYPE_TYPE, 1, 0);
}

embedd_status ed_arrow_layout_read(ed_arrow_layout *layout, const ed_flat_table *schema,
                                   const ed_arrow_columns *columns, embedd_error *err)
{
    ed_flat_vector fields = ed_flat_get_vector(schema, SCHEMA_FIELDS, 4);
    bool has_text = false, has_vector = false;
    counts before = {0};
    embedd_status status = EMBEDD_OK;

    if (ed_flat_number(schema, SCHEMA_ENDIANNESS, 2, 0) != 0)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "its numbers are big-endian");
    for (size_t i = 0; status == EMBEDD_OK && i < fields.n_items; i++) {
        ed_flat_table field = ed_flat_table_at(&fields, i);
        if (!has_text && has_name(&field, columns->text)) {
            has_text = true;
            status = read_text_column(&layout->text, &field, &before, columns->text, err);
        } else if (!has_vector && has_name(&field, columns->vector)) {
            has_vector = true;
            status = read_vector_column(&layout->vector, &field, &before, columns->vector, err);
        }
        if (status == EMBEDD_OK)
            status = count_field(&field, &before, err);
    }
    if (status == EMBEDD_OK && schema->buffer->bad)
        return ed_fail(err, EMBEDD_FORMAT, "its schema is not well-formed");
    if (status == EMBEDD_OK && !has_text)
        return fail_missing(&fields, columns->text, "--field", err);
    if (status == EMBEDD_OK && !has_vector)
        return fail_missing(&fields, columns->vector, "--vector-field", err);
    return status;
}

/* Names of a stranger: what is no plain character becomes '?'. */
static embedd_status fail_missing(const ed_flat_vector *fields, const char *name,
                                  const char *option, embedd_error *err)
{
    char names[NAMES_MAX + 1];
    size_t n = 0;

    for (size_t i = 0; i < fields->n_items && n + 3 < NAMES_MAX; i++) {
        ed_flat_table field = ed_flat_table_at(fields, i);
        ed_flat_vector text = ed_flat_get_vector(&field, FIELD_NAME, 1);
        if (i > 0) {
            names[n++] = ',';
            names[n++] = ' ';
        }
        for (size_t j = 0; j < text.n_items && n < NAMES_MAX; j++) {
            unsigned char c = text.buffer->data[text.at + j];
            names[n++] = c >= ' ' && c < 0x7f ? (char)c : '?';
        }
    }
    names[n] = '\0';
    return ed_fail(err, EMBEDD_NOT_FOUND, "there is no column %s, but %s; %s names another", name,
                   n > 0 ? names : "none at all", option);
}

static embedd_status read_text_column(ed_arrow_text_column *column, const ed_flat_table *field,
                                      const counts *before, const char *name, embedd_error *err)
{
    int64_t type = get_type(field);

    if (ed_flat_has(field, FIELD_DICTIONARY) || (type != TYPE_UTF8 && type != TYPE_LARGE_UTF8))
        return ed_fail(err, EMBEDD_UNSUPPORTED,
                       "the column %s is not of type string; in pyarrow: "
                       "column.cast(pyarrow.string())",
                       name);
    *column = (ed_arrow_text_column){before->n_nodes, before->n_buffers, type == TYPE_UTF8 ? 4 : 8};
    return EMBEDD_OK;
}

static embedd_status read_vector_column(ed_arrow_vector_column *column, const ed_flat_table *field,
                                        const counts *before, const char *name, embedd_error *err)
{
    static const size_t number_bytes[] = {2, 4, 8}; /* HALF, SINGLE, DOUBLE */
    ed_flat_vector children = ed_flat_get_vector(field, FIELD_CHILDREN, 4);
    ed_flat_table type = ed_flat_get_table(field, FIELD_TYPE);
    int64_t list = get_type(field), size = 0, precision = -1;

    if (children.n_items == 1) {
        ed_flat_table child = ed_flat_table_at(&children, 0);
        ed_flat_table number = ed_flat_get_table(&child, FIELD_TYPE);
        if (get_type(&child) == TYPE_FLOAT && !ed_flat_has(&child, FIELD_DICTIONARY))
            precision = ed_flat_number(&number, FLOAT_PRECISION, 2, 0);
    }
    if (list == TYPE_FIXED_SIZE_LIST)
        size = ed_flat_number(&type, LIST_SIZE, 4, 0);
    bool known = list == TYPE_LIST || list == TYPE_LARGE_LIST || list == TYPE_FIXED_SIZE_LIST;
    if (!known || precision < 0 || precision > 2 || size < 0 ||
        ed_flat_has(field, FIELD_DICTIONARY))
        return ed_fail(err, EMBEDD_UNSUPPORTED, "the column %s does not hold lists of floats",
                       name);
    *column = (ed_arrow_vector_column){.node = before->n_nodes,
                                       .buffer = before->n_buffers,
                                       .offset_bytes = list == TYPE_FIXED_SIZE_LIST ? 0
                                                       : list == TYPE_LIST          ? 4
                                                                                    : 8,
                                       .list_size = (size_t)size,
                                       .number_bytes = number_bytes[precision]};
    return EMBEDD_OK;
}

/* ---- counting -------------------------------------------------------------------------------- */

/* Buffers of a field itself, without its children's; -1 for what has no fixed number. */
static int count_buffers(const ed_flat_table *field)
{
    ed_flat_table type = ed_flat_get_table(field, FIELD_TYPE);

    if (ed_flat_has(field, FIELD_DICTIONARY))
        return 2; /* indices */
    switch ((int)get_type(field)) {
    case TYPE_NULL:
    case TYPE_RUN_END_ENCODED:
        return 0;
    case TYPE_STRUCT:
    case TYPE_FIXED_SIZE_LIST:
        return 1;
    case TYPE_UNION:
        return ed_flat_number(&type, UNION_MODE, 2, 0) == 0 ? 1 : 2; /* sparse, dense */
    case TYPE_BINARY:
    case TYPE_UTF8:
    case TYPE_LARGE_BINARY:
    case TYPE_LARGE_UTF8:
    case TYPE_LIST_VIEW:
    case TYPE_LARGE_LIST_VIEW:
        return 3;
    case TYPE_BINARY_VIEW:
    case TYPE_UTF8_VIEW:
        return -1;
    default:
        return 2; /* a bitmap and values, or offsets */
    }
}

/* Adds the field and all below it. */
static embedd_status count_field(const ed_flat_table *field, counts *all, embedd_error *err)
{
    struct {
        ed_flat_vector children;
        size_t next;
    } stack[DEPTH_MAX];
    ed_flat_table now = *field;
    size_t depth = 0;

    for (;;) {
        int n_buffers = count_buffers(&now);
        if (n_buffers < 0 || ++all->n_fields > FIELDS_MAX || depth == DEPTH_MAX)
            return ed_fail(err, EMBEDD_UNSUPPORTED,
                           "a column of views, or more columns than %d; export a table with the "
                           "text and the vector only",
                           FIELDS_MAX);
        all->n_nodes++;
        all->n_buffers += (size_t)n_buffers;
        stack[depth].children = ed_flat_get_vector(&now, FIELD_CHILDREN, 4);
        stack[depth++].next = 0;
        if (ed_flat_has(&now, FIELD_DICTIONARY)) /* what it holds stands in other messages */
            stack[depth - 1].children.n_items = 0;
        while (depth > 0 && stack[depth - 1].next == stack[depth - 1].children.n_items)
            depth--;
        if (depth == 0 || now.buffer->bad)
            return EMBEDD_OK;
        now = ed_flat_table_at(&stack[depth - 1].children, stack[depth - 1].next++);
    }
}
