/* In: a safetensors file from anywhere. Out: tensors whose every byte lies inside it. Never trusts
 * a number of the header, never allocates more than in proportion to the header's size, never reads
 * the tensors' bytes. */
#include "formats/safetensors.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "formats/json_reader.h"

#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the format is little-endian, and so is every machine this was written for"
#endif

#define NAME_SHOWN_MAX 100 /* bytes of a name in a message */

/* All element types of the format that have whole bytes. */
static const struct dtype {
    const char *name;
    size_t n_bytes;
    ed_tensor_type type;
} dtypes[] = {
    {"F32", 4, ED_TENSOR_F32},    {"F16", 2, ED_TENSOR_F16},       {"BF16", 2, ED_TENSOR_BF16},
    {"F64", 8, ED_TENSOR_OTHER},  {"I64", 8, ED_TENSOR_OTHER},     {"I32", 4, ED_TENSOR_OTHER},
    {"I16", 2, ED_TENSOR_OTHER},  {"I8", 1, ED_TENSOR_OTHER},      {"U64", 8, ED_TENSOR_OTHER},
    {"U32", 4, ED_TENSOR_OTHER},  {"U16", 2, ED_TENSOR_OTHER},     {"U8", 1, ED_TENSOR_OTHER},
    {"BOOL", 1, ED_TENSOR_OTHER}, {"F8_E4M3", 1, ED_TENSOR_OTHER}, {"F8_E5M2", 1, ED_TENSOR_OTHER},
};

/* What is needed while the header is read. */
typedef struct header {
    ed_json_reader reader;
    const unsigned char *data; /* [data_bytes], after the header */
    size_t data_bytes;
    ed_safetensors *file;
    size_t tensors_cap;
    size_t names_used;
    const char *where;
    embedd_error *err;
} header;

static embedd_status read_header(header *h);
static embedd_status read_metadata(header *h);
static embedd_status read_tensor(header *h);
static embedd_status read_dtype(header *h, const ed_tensor *tensor, const struct dtype **out);
static embedd_status read_shape(header *h, ed_tensor *tensor);
static embedd_status read_offsets(header *h, const ed_tensor *tensor, size_t *begin, size_t *end);
static embedd_status place_tensor(header *h, ed_tensor *tensor, size_t element_bytes, size_t begin,
                                  size_t end);
static embedd_status add_tensor(header *h, ed_tensor **out);
static embedd_status check_cover(header *h);
static embedd_status check_names(header *h);
static embedd_status fail_json(header *h);
static embedd_status fail_tensor(header *h, embedd_status status, const ed_tensor *tensor,
                                 const char *reason);

embedd_status ed_safetensors_open(ed_safetensors *file, const char *path, embedd_error *err)
{
    ed_file_map map;
    *file = (ed_safetensors){0};
    embedd_status status = ed_file_map_open(&map, path, PTRDIFF_MAX, err);
    if (status != EMBEDD_OK)
        return status;
    status = ed_safetensors_parse(file, map.data, map.n_bytes, path, err);
    if (status == EMBEDD_OK)
        file->map = map;
    else
        ed_file_map_close(&map);
    return status;
}

void ed_safetensors_close(ed_safetensors *file)
{
    ed_free(file->tensors);
    ed_free(file->names);
    ed_file_map_close(&file->map);
    *file = (ed_safetensors){0};
}

embedd_status ed_safetensors_parse(ed_safetensors *file, const unsigned char *bytes, size_t n_bytes,
                                   const char *where, embedd_error *err)
{
    uint64_t size;
    *file = (ed_safetensors){0};
    if (n_bytes < sizeof size)
        return ed_fail(err, EMBEDD_FORMAT, "%s: cut: %zu bytes hold no header size", where,
                       n_bytes);
    memcpy(&size, bytes, sizeof size);
    if (size > n_bytes - sizeof size)
        return ed_fail(err, EMBEDD_FORMAT, "%s: cut: a header of %llu bytes in a file of %zu",
                       where, (unsigned long long)size, n_bytes);
    if (size > ED_SAFETENSORS_HEADER_MAX)
        return ed_fail(err, EMBEDD_FORMAT, "%s: a header of %llu bytes, %zu are allowed", where,
                       (unsigned long long)size, ED_SAFETENSORS_HEADER_MAX);
    size_t header_bytes = (size_t)size;
    const char *text = (const char *)bytes + sizeof size;
    if (header_bytes == 0 || text[0] != '{')
        return ed_fail(err, EMBEDD_FORMAT, "%s: the header does not begin with '{'", where);

    header h = {.data = bytes + sizeof size + header_bytes,
                .data_bytes = n_bytes - sizeof size - header_bytes,
                .file = file,
                .where = where,
                .err = err};
    ed_json_reader_init(&h.reader, text, header_bytes);
    /* A name with its NUL is shorter than in the header, in quotes. */
    file->names = ed_realloc(NULL, header_bytes, 1);
    embedd_status status =
        file->names ? read_header(&h) : ed_fail(err, EMBEDD_MEMORY, "%s: no memory", where);
    if (status == EMBEDD_OK)
        status = check_cover(&h);
    if (status == EMBEDD_OK)
        status = check_names(&h);
    if (status != EMBEDD_OK)
        ed_safetensors_close(file);
    return status;
}

static bool token_is(const header *h, const char *text)
{
    return h->reader.token_bytes == strlen(text) &&
           memcmp(h->reader.token, text, h->reader.token_bytes) == 0;
}

static embedd_status read_header(header *h)
{
    embedd_status status = EMBEDD_OK;
    ed_json_next(&h->reader); /* the '{' */
    for (ed_json_token token; (token = ed_json_next(&h->reader)) > ED_JSON_END;) {
        if (token == ED_JSON_KEY)
            status = token_is(h, "__metadata__") ? read_metadata(h) : read_tensor(h);
        if (status != EMBEDD_OK)
            return status;
    }
    return h->reader.reason ? fail_json(h) : EMBEDD_OK;
}

/* An object of strings, for people: checked, not kept. */
static embedd_status read_metadata(header *h)
{
    ed_json_token token = ed_json_next(&h->reader);
    bool ok = token == ED_JSON_OBJECT;
    while (ok && (token = ed_json_next(&h->reader)) == ED_JSON_KEY) {
        token = ed_json_next(&h->reader);
        ok = token == ED_JSON_STRING;
    }
    if (token == ED_JSON_ERROR)
        return fail_json(h);
    if (!ok)
        return ed_fail(h->err, EMBEDD_FORMAT, "%s: __metadata__ is not an object of strings",
                       h->where);
    return EMBEDD_OK;
}

/* "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}; other fields are ignored. */
static embedd_status read_tensor(header *h)
{
    ed_tensor *tensor = NULL;
    const struct dtype *dtype = NULL;
    bool has_shape = false, has_offsets = false;
    size_t begin = 0, end = 0;
    embedd_status status = add_tensor(h, &tensor);
    if (status != EMBEDD_OK)
        return status;

    ed_json_token token = ed_json_next(&h->reader);
    if (token != ED_JSON_OBJECT && token != ED_JSON_ERROR)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "not an object");
    while (token != ED_JSON_ERROR && (token = ed_json_next(&h->reader)) == ED_JSON_KEY) {
        bool twice = false;
        if (token_is(h, "dtype")) {
            twice = dtype != NULL;
            status = read_dtype(h, tensor, &dtype);
        } else if (token_is(h, "shape")) {
            twice = has_shape;
            has_shape = true;
            status = read_shape(h, tensor);
        } else if (token_is(h, "data_offsets")) {
            twice = has_offsets;
            has_offsets = true;
            status = read_offsets(h, tensor, &begin, &end);
        } else if (!ed_json_skip(&h->reader, ed_json_next(&h->reader))) {
            token = ED_JSON_ERROR;
        }
        if (status != EMBEDD_OK)
            return status;
        if (twice)
            return fail_tensor(h, EMBEDD_FORMAT, tensor, "a field is given twice");
    }
    if (token == ED_JSON_ERROR)
        return fail_json(h);
    if (!dtype || !has_shape || !has_offsets)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "dtype, shape or data_offsets is missing");
    tensor->type = dtype->type;
    return place_tensor(h, tensor, dtype->n_bytes, begin, end);
}

/* A new tensor at the end of the list, named by the key just read. */
static embedd_status add_tensor(header *h, ed_tensor **out)
{
    ed_safetensors *file = h->file;
    if (file->n_tensors == h->tensors_cap) {
        size_t cap = h->tensors_cap ? h->tensors_cap * 2 : 64;
        ed_tensor *grown = ed_realloc(file->tensors, cap, sizeof *grown);
        if (!grown)
            return ed_fail(h->err, EMBEDD_MEMORY, "%s: no memory for %zu tensors", h->where, cap);
        file->tensors = grown;
        h->tensors_cap = cap;
    }
    char *name = file->names + h->names_used;
    size_t n_name = ed_json_unescape(&h->reader, name);
    name[n_name] = '\0';
    h->names_used += n_name + 1;
    *out = &file->tensors[file->n_tensors++];
    **out = (ed_tensor){.name = name};
    if (strlen(name) != n_name)
        return fail_tensor(h, EMBEDD_FORMAT, *out, "its name holds NUL");
    return EMBEDD_OK;
}

static embedd_status read_dtype(header *h, const ed_tensor *tensor, const struct dtype **out)
{
    ed_json_token token = ed_json_next(&h->reader);
    if (token == ED_JSON_ERROR)
        return fail_json(h);
    if (token != ED_JSON_STRING)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "dtype is not a string");
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (token_is(h, dtypes[i].name)) {
            *out = &dtypes[i];
            return EMBEDD_OK;
        }
    }
    return fail_tensor(h, EMBEDD_UNSUPPORTED, tensor, "dtype is not known");
}

static embedd_status read_shape(header *h, ed_tensor *tensor)
{
    ed_json_token token = ed_json_next(&h->reader);
    bool ok = token == ED_JSON_ARRAY;
    tensor->n_dims = 0;
    while (ok && (token = ed_json_next(&h->reader)) == ED_JSON_NUMBER) {
        if (tensor->n_dims == ED_TENSOR_DIMS_MAX)
            return fail_tensor(h, EMBEDD_UNSUPPORTED, tensor, "more than 8 dimensions");
        ok = ed_json_whole_number(&h->reader, &tensor->shape[tensor->n_dims++]);
    }
    if (token == ED_JSON_ERROR)
        return fail_json(h);
    if (!ok || token != ED_JSON_ARRAY_END)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "shape is not a list of whole numbers");
    return EMBEDD_OK;
}

static embedd_status read_offsets(header *h, const ed_tensor *tensor, size_t *begin, size_t *end)
{
    size_t *const numbers[] = {begin, end};
    size_t n_numbers = 0;
    ed_json_token token = ed_json_next(&h->reader);
    bool ok = token == ED_JSON_ARRAY;
    while (ok && (token = ed_json_next(&h->reader)) == ED_JSON_NUMBER)
        ok = n_numbers < 2 && ed_json_whole_number(&h->reader, numbers[n_numbers++]);
    if (token == ED_JSON_ERROR)
        return fail_json(h);
    if (!ok || token != ED_JSON_ARRAY_END || n_numbers != 2)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "data_offsets is not two whole numbers");
    return EMBEDD_OK;
}

static embedd_status place_tensor(header *h, ed_tensor *tensor, size_t element_bytes, size_t begin,
                                  size_t end)
{
    tensor->n_elements = 1;
    for (size_t i = 0; i < tensor->n_dims; i++)
        if (!ed_mul_size(tensor->n_elements, tensor->shape[i], &tensor->n_elements))
            return fail_tensor(h, EMBEDD_FORMAT, tensor, "shape overflows");
    if (!ed_mul_size(tensor->n_elements, element_bytes, &tensor->n_bytes))
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "shape overflows");
    if (begin > end)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "data_offsets run backwards");
    if (end > h->data_bytes)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "data_offsets lie beyond the file's end");
    if (end - begin != tensor->n_bytes)
        return fail_tensor(h, EMBEDD_FORMAT, tensor, "data_offsets do not match dtype and shape");
    tensor->data = h->data + begin;
    return EMBEDD_OK;
}

static int compare_places(const void *a, const void *b)
{
    const ed_tensor *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    /* An empty tensor comes before the one that begins at its place. */
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

/* Each byte belongs to one tensor: no overlap, no hole, nothing after the last one. */
static embedd_status check_cover(header *h)
{
    const ed_safetensors *file = h->file;
    const unsigned char *expected = h->data;
    if (file->n_tensors > 0)
        qsort(file->tensors, file->n_tensors, sizeof *file->tensors, compare_places);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const ed_tensor *tensor = &file->tensors[i];
        if (tensor->data < expected)
            return fail_tensor(h, EMBEDD_FORMAT, tensor, "overlaps another tensor");
        if (tensor->data > expected)
            return fail_tensor(h, EMBEDD_FORMAT, tensor, "unused bytes lie before it");
        expected += tensor->n_bytes;
    }
    size_t n_left = h->data_bytes - (size_t)(expected - h->data);
    if (n_left > 0)
        return ed_fail(h->err, EMBEDD_FORMAT, "%s: %zu bytes after the last tensor", h->where,
                       n_left);
    return EMBEDD_OK;
}

int ed_tensor_compare_names(const void *a, const void *b)
{
    return strcmp(((const ed_tensor *)a)->name, ((const ed_tensor *)b)->name);
}

static embedd_status check_names(header *h)
{
    const ed_safetensors *file = h->file;
    if (file->n_tensors > 0)
        qsort(file->tensors, file->n_tensors, sizeof *file->tensors, ed_tensor_compare_names);
    for (size_t i = 1; i < file->n_tensors; i++)
        if (ed_tensor_compare_names(&file->tensors[i - 1], &file->tensors[i]) == 0)
            return fail_tensor(h, EMBEDD_FORMAT, &file->tensors[i], "is there twice");
    return EMBEDD_OK;
}

static embedd_status fail_json(header *h)
{
    return ed_fail(h->err, EMBEDD_FORMAT, "%s: header, byte %zu: %s", h->where, h->reader.at,
                   h->reader.reason);
}

static embedd_status fail_tensor(header *h, embedd_status status, const ed_tensor *tensor,
                                 const char *reason)
{
    size_t n_name = strnlen(tensor->name, NAME_SHOWN_MAX);
    n_name -= ed_utf8_cut_bytes(tensor->name, n_name);
    return ed_fail(h->err, status, "%s: tensor %.*s: %s", h->where, (int)n_name, tensor->name,
                   reason);
}
