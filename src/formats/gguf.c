/* In: a file of a stranger. Out: its metadata and tensors, every byte of them in the file and each
 * tensor's its own. Never follows a count or an offset that was not checked, never nests. */
#include "formats/gguf.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "formats/gguf_reader.h"
#include "formats/quants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIMS_MAX          4 /* the format's own limit */
#define ALIGNMENT_DEFAULT 32
#define ALIGNMENT_MAX     ((size_t)1 << 20)
/* The smallest bytes a field (key size, one letter, type, a byte) and a tensor (name size, one
 * letter, number of dimensions, one of them, type, offset) can take: bounds of their counts. */
#define FIELD_BYTES_MIN  14
#define TENSOR_BYTES_MIN 33

static embedd_status read_all(ed_gguf *gguf, ed_gguf_reader *reader);
static embedd_status read_head(ed_gguf_reader *reader, size_t *n_tensors, size_t *n_fields);
static embedd_status read_fields(ed_gguf *gguf, ed_gguf_reader *reader, size_t n_fields);
static embedd_status read_tensors(ed_gguf *gguf, ed_gguf_reader *reader, size_t n_tensors);
static embedd_status read_tensor(ed_gguf_reader *reader, ed_tensor *tensor, size_t *offset);
static embedd_status set_size(ed_gguf_reader *reader, ed_tensor *tensor, uint32_t type);
static embedd_status place_tensors(ed_gguf *gguf, ed_gguf_reader *reader, const size_t *offsets);
static embedd_status check_apart(ed_gguf *gguf, ed_gguf_reader *reader);

embedd_status ed_gguf_open(ed_gguf *gguf, const char *path, embedd_error *err)
{
    ed_file_map map;

    *gguf = (ed_gguf){.n_fields = 0};
    embedd_status status = ed_file_map_open(&map, path, SIZE_MAX, err);
    if (status != EMBEDD_OK)
        return status;
    status = ed_gguf_parse(gguf, map.data, map.n_bytes, path, err);
    if (status == EMBEDD_OK)
        gguf->map = map;
    else
        ed_file_map_close(&map);
    return status;
}

embedd_status ed_gguf_parse(ed_gguf *gguf, const unsigned char *bytes, size_t n_bytes,
                            const char *where, embedd_error *err)
{
    ed_gguf_reader reader = {.bytes = bytes, .n_bytes = n_bytes, .where = where, .err = err};

    *gguf = (ed_gguf){.where = ed_strdup(where)};
    embedd_status status = gguf->where ? read_all(gguf, &reader)
                                       : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    if (status != EMBEDD_OK)
        ed_gguf_close(gguf);
    return status;
}

void ed_gguf_close(ed_gguf *gguf)
{
    ed_file_map_close(&gguf->map);
    ed_free(gguf->fields);
    ed_free(gguf->tensors);
    ed_free(gguf->names);
    ed_free(gguf->where);
    *gguf = (ed_gguf){.n_fields = 0};
}

bool ed_gguf_is(const char *path)
{
    char magic[4] = "";
    FILE *file = ed_file_exists(path) ? fopen(path, "rb") : NULL; /* a pipe would not return */
    bool is = file && fread(magic, 1, sizeof magic, file) == sizeof magic &&
              memcmp(magic, "GGUF", sizeof magic) == 0;

    if (file)
        fclose(file);
    return is;
}

static embedd_status read_all(ed_gguf *gguf, ed_gguf_reader *reader)
{
    size_t n_tensors = 0, n_fields = 0;
    embedd_status status = read_head(reader, &n_tensors, &n_fields);

    if (status == EMBEDD_OK)
        status = read_fields(gguf, reader, n_fields);
    if (status == EMBEDD_OK)
        status = read_tensors(gguf, reader, n_tensors);
    return status;
}

/* "GGUF", u32 version, u64 tensors, u64 fields */
static embedd_status read_head(ed_gguf_reader *reader, size_t *n_tensors, size_t *n_fields)
{
    const unsigned char *magic;
    uint32_t version = 0;
    embedd_status status = ed_gguf_read_bytes(reader, 4, "the magic number", &magic);

    if (status == EMBEDD_OK && memcmp(magic, "GGUF", 4) != 0)
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: not a GGUF file", reader->where);
    if (status == EMBEDD_OK)
        status = ed_gguf_read_u32(reader, "the version", &version);
    if (status == EMBEDD_OK && version != 0 && (version & 0xFFFF) == 0)
        return ed_fail(reader->err, EMBEDD_UNSUPPORTED, "%s: a big-endian GGUF file",
                       reader->where);
    if (status == EMBEDD_OK && version != 2 && version != 3)
        return ed_fail(reader->err, EMBEDD_UNSUPPORTED, "%s: GGUF version %u; 2 and 3 are read",
                       reader->where, (unsigned)version);
    if (status == EMBEDD_OK)
        status = ed_gguf_read_size(reader, "the number of tensors", n_tensors);
    if (status == EMBEDD_OK)
        status = ed_gguf_read_size(reader, "the number of metadata fields", n_fields);
    return status;
}

/* A count is believed only if so many of the smallest entries could follow. */
static embedd_status check_count(const ed_gguf_reader *reader, size_t n, size_t entry_bytes_min,
                                 const char *what)
{
    if (n <= (reader->n_bytes - reader->at) / entry_bytes_min)
        return EMBEDD_OK;
    return ed_fail(reader->err, EMBEDD_FORMAT, "%s: byte %zu: %zu %s cannot be in %zu bytes",
                   reader->where, reader->at, n, what, reader->n_bytes - reader->at);
}

/* ---- metadata -------------------------------------------------------------------------------- */

static int compare_keys(const ed_gguf_field *field, const char *key, size_t n_bytes)
{
    size_t n_common = field->key_bytes < n_bytes ? field->key_bytes : n_bytes;
    int order = memcmp(field->key, key, n_common);
    return order ? order : (field->key_bytes > n_bytes) - (field->key_bytes < n_bytes);
}

static int compare_fields(const void *a, const void *b)
{
    const ed_gguf_field *y = b;
    return compare_keys(a, y->key, y->key_bytes);
}

static embedd_status read_fields(ed_gguf *gguf, ed_gguf_reader *reader, size_t n_fields)
{
    embedd_status status = check_count(reader, n_fields, FIELD_BYTES_MIN, "metadata fields");

    if (status != EMBEDD_OK)
        return status;
    gguf->fields = ed_calloc(n_fields, sizeof *gguf->fields);
    if (!gguf->fields)
        return ed_fail(reader->err, EMBEDD_MEMORY, "%s: no memory for %zu metadata fields",
                       reader->where, n_fields);
    for (; status == EMBEDD_OK && gguf->n_fields < n_fields; gguf->n_fields++)
        status = ed_gguf_read_field(reader, &gguf->fields[gguf->n_fields]);
    if (status != EMBEDD_OK)
        return status;
    if (n_fields > 0)
        qsort(gguf->fields, n_fields, sizeof *gguf->fields, compare_fields);
    for (size_t i = 1; i < n_fields; i++)
        if (compare_fields(&gguf->fields[i - 1], &gguf->fields[i]) == 0)
            return ed_fail(reader->err, EMBEDD_FORMAT, "%s: metadata field %.*s is there twice",
                           reader->where, ed_gguf_shown(gguf->fields[i].key_bytes),
                           gguf->fields[i].key);
    return EMBEDD_OK;
}

const ed_gguf_field *ed_gguf_find(const ed_gguf *gguf, const char *key)
{
    size_t begin = 0, end = gguf->n_fields, n_bytes = strlen(key);

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        int order = compare_keys(&gguf->fields[middle], key, n_bytes);
        if (order == 0)
            return &gguf->fields[middle];
        if (order < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

const ed_tensor *ed_gguf_tensor(const ed_gguf *gguf, const char *name)
{
    for (size_t i = 0; i < gguf->n_tensors; i++)
        if (strcmp(gguf->tensors[i].name, name) == 0)
            return &gguf->tensors[i];
    return NULL;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static embedd_status read_tensors(ed_gguf *gguf, ed_gguf_reader *reader, size_t n_tensors)
{
    size_t *offsets = NULL;
    size_t n_left = reader->n_bytes - reader->at;
    embedd_status status = check_count(reader, n_tensors, TENSOR_BYTES_MIN, "tensors");

    if (status != EMBEDD_OK)
        return status;
    gguf->tensors = ed_calloc(n_tensors, sizeof *gguf->tensors);
    offsets = ed_calloc(n_tensors, sizeof *offsets);
    if (!gguf->tensors || !offsets)
        status = ed_fail(reader->err, EMBEDD_MEMORY, "%s: no memory for %zu tensors", reader->where,
                         n_tensors);
    for (; status == EMBEDD_OK && gguf->n_tensors < n_tensors; gguf->n_tensors++)
        status = read_tensor(reader, &gguf->tensors[gguf->n_tensors], &offsets[gguf->n_tensors]);
    /* In the file a name follows its size in 8 bytes, which leaves room for the NULs. */
    if (status == EMBEDD_OK) {
        n_left -= reader->n_bytes - reader->at;
        gguf->names = ed_calloc(n_left, 1);
        if (!gguf->names)
            status = ed_fail(reader->err, EMBEDD_MEMORY, "%s: no memory for names", reader->where);
    }
    if (status == EMBEDD_OK)
        status = place_tensors(gguf, reader, offsets);
    if (status == EMBEDD_OK)
        status = check_apart(gguf, reader);
    ed_free(offsets);
    return status;
}

/* Name, u32 number of dimensions, u64 each, the innermost first, u32 type, u64 offset. The name
 * stays in the map for now, its size before it. */
static embedd_status read_tensor(ed_gguf_reader *reader, ed_tensor *tensor, size_t *offset)
{
    embedd_text name;
    uint32_t n_dims = 0, type = 0;
    embedd_status status = ed_gguf_read_string(reader, "a tensor's name", &name);

    if (status == EMBEDD_OK && (name.n_bytes == 0 || memchr(name.bytes, '\0', name.n_bytes)))
        return ed_fail(reader->err, EMBEDD_FORMAT,
                       "%s: byte %zu: a tensor's name is empty or holds NUL", reader->where,
                       reader->at);
    if (status == EMBEDD_OK) {
        reader->entry = name;
        tensor->name = name.bytes;
        status = ed_gguf_read_u32(reader, "the number of dimensions", &n_dims);
    }
    if (status == EMBEDD_OK && (n_dims == 0 || n_dims > DIMS_MAX))
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: tensor %.*s has %u dimensions, not 1 to %d",
                       reader->where, ed_gguf_shown(name.n_bytes), name.bytes, (unsigned)n_dims,
                       DIMS_MAX);
    tensor->n_dims = n_dims;
    for (size_t i = 0; status == EMBEDD_OK && i < n_dims; i++)
        status = ed_gguf_read_size(reader, "a dimension", &tensor->shape[n_dims - 1 - i]);
    if (status == EMBEDD_OK)
        status = ed_gguf_read_u32(reader, "a tensor's type", &type);
    if (status == EMBEDD_OK)
        status = ed_gguf_read_size(reader, "a tensor's offset", offset);
    if (status == EMBEDD_OK)
        status = set_size(reader, tensor, type);
    reader->entry = (embedd_text){NULL, 0};
    return status;
}

typedef struct tensor_type {
    uint32_t number; /* ggml_type */
    ed_tensor_type type;
    size_t bytes; /* of an element, where it is not in blocks */
} tensor_type;

static const tensor_type tensor_types[] = {
    {0, ED_TENSOR_F32, 4},    {1, ED_TENSOR_F16, 2},    {2, ED_TENSOR_Q4_0, 0},
    {3, ED_TENSOR_Q4_1, 0},   {6, ED_TENSOR_Q5_0, 0},   {7, ED_TENSOR_Q5_1, 0},
    {8, ED_TENSOR_Q8_0, 0},   {10, ED_TENSOR_Q2_K, 0},  {11, ED_TENSOR_Q3_K, 0},
    {12, ED_TENSOR_Q4_K, 0},  {13, ED_TENSOR_Q5_K, 0},  {14, ED_TENSOR_Q6_K, 0},
    {24, ED_TENSOR_OTHER, 1}, {25, ED_TENSOR_OTHER, 2}, {26, ED_TENSOR_OTHER, 4},
    {27, ED_TENSOR_OTHER, 8}, {28, ED_TENSOR_OTHER, 8}, {30, ED_TENSOR_BF16, 2},
};

/* Elements and bytes from the shape. A block never spans two rows. */
static embedd_status set_size(ed_gguf_reader *reader, ed_tensor *tensor, uint32_t type)
{
    const tensor_type *found = NULL;
    int shown = ed_gguf_shown(reader->entry.n_bytes);
    size_t n_blocks;

    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++)
        if (tensor_types[i].number == type)
            found = &tensor_types[i];
    if (!found)
        return ed_fail(reader->err, EMBEDD_UNSUPPORTED,
                       "%s: tensor %.*s has type %u, which is not supported", reader->where, shown,
                       tensor->name, (unsigned)type);
    tensor->type = found->type;
    tensor->n_elements = 1;
    for (size_t i = 0; i < tensor->n_dims; i++)
        if (tensor->shape[i] == 0 ||
            !ed_mul_size(tensor->n_elements, tensor->shape[i], &tensor->n_elements))
            return ed_fail(reader->err, EMBEDD_FORMAT,
                           "%s: tensor %.*s has a dimension of 0 or too many elements",
                           reader->where, shown, tensor->name);
    const ed_quant *quant = ed_quants_of(tensor->type);
    size_t block_elements = quant ? quant->block_elements : 1;
    if (tensor->shape[tensor->n_dims - 1] % block_elements != 0)
        return ed_fail(reader->err, EMBEDD_FORMAT,
                       "%s: tensor %.*s: rows of %zu are no multiple of %s's blocks of %zu",
                       reader->where, shown, tensor->name, tensor->shape[tensor->n_dims - 1],
                       quant ? quant->name : "", block_elements);
    n_blocks = tensor->n_elements / block_elements;
    if (!ed_mul_size(n_blocks, quant ? quant->block_bytes : found->bytes, &tensor->n_bytes))
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: tensor %.*s has too many elements",
                       reader->where, shown, tensor->name);
    return EMBEDD_OK;
}

/* Copies the names, and turns offsets into pointers. */
static embedd_status place_tensors(ed_gguf *gguf, ed_gguf_reader *reader, const size_t *offsets)
{
    size_t alignment = ALIGNMENT_DEFAULT, begin;
    char *name = gguf->names;
    embedd_status status = ed_gguf_get_size(gguf, "general.alignment", &alignment, reader->err);

    if (status != EMBEDD_OK)
        return status;
    if (alignment == 0 || alignment > ALIGNMENT_MAX || (alignment & (alignment - 1)) != 0)
        return ed_fail(reader->err, EMBEDD_FORMAT,
                       "%s: general.alignment %zu is no power of two up to %zu", reader->where,
                       alignment, ALIGNMENT_MAX);
    if (gguf->n_tensors == 0)
        return EMBEDD_OK;
    begin = (reader->at + alignment - 1) & ~(alignment - 1); /* at <= a file's size: no overflow */
    for (size_t i = 0; i < gguf->n_tensors; i++) {
        ed_tensor *tensor = &gguf->tensors[i];
        size_t n_name = ed_gguf_size_before(tensor->name), at;
        memcpy(name, tensor->name, n_name);
        tensor->name = name;
        name += n_name + 1;
        if (offsets[i] % alignment != 0)
            return ed_fail(reader->err, EMBEDD_FORMAT,
                           "%s: tensor %.100s: offset %zu is not "
                           "aligned to %zu",
                           reader->where, tensor->name, offsets[i], alignment);
        if (!ed_add_size(begin, offsets[i], &at) ||
            !ed_slice_fits(at, tensor->n_bytes, reader->n_bytes))
            return ed_fail(reader->err, EMBEDD_FORMAT,
                           "%s: tensor %.100s: %zu bytes at offset %zu are not all in the file",
                           reader->where, tensor->name, tensor->n_bytes, offsets[i]);
        tensor->data = reader->bytes + at;
    }
    return EMBEDD_OK;
}

static int compare_places(const void *a, const void *b)
{
    const ed_tensor *x = a, *y = b;
    return (x->data > y->data) - (x->data < y->data);
}

static embedd_status check_apart(ed_gguf *gguf, ed_gguf_reader *reader)
{
    ed_tensor *tensors = gguf->tensors;

    if (gguf->n_tensors > 0)
        qsort(tensors, gguf->n_tensors, sizeof *tensors, compare_places);
    for (size_t i = 1; i < gguf->n_tensors; i++)
        if ((size_t)(tensors[i].data - tensors[i - 1].data) < tensors[i - 1].n_bytes)
            return ed_fail(reader->err, EMBEDD_FORMAT, "%s: tensors %.100s and %.100s overlap",
                           reader->where, tensors[i - 1].name, tensors[i].name);
    return EMBEDD_OK;
}
