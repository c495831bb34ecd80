/* In: the bytes of an Arrow IPC file or stream. Out: the rows of two columns. A file is a stream
 * between magic words, with an index at its end that is not needed to read it from the front.
 * Source: arrow.apache.org/docs/format/Columnar.html; format/Schema.fbs and Message.fbs, whose
 * field numbers stand here as names. Nothing is trusted: every size meets the size of the body. */
#include "cli/arrow_file.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/arrow_layout.h"
#include "cli/flatbuffer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAGIC         "ARROW1"
#define FILE_MAGIC_BYTES   8 /* with two NUL */
#define CONTINUATION       (-1)
#define VECTOR_NUMBERS_MAX ((size_t)65536)

enum { MESSAGE_HEADER_TYPE = 1, MESSAGE_HEADER = 2, MESSAGE_BODY_LENGTH = 3 };
enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY_BATCH = 2, HEADER_RECORD_BATCH = 3 };
enum { BATCH_LENGTH = 0, BATCH_NODES = 1, BATCH_BUFFERS = 2, BATCH_COMPRESSION = 3 };

typedef struct reader {
    const unsigned char *data;
    size_t n_bytes;
    size_t at; /* the next message */
    const ed_arrow_columns *columns;
    ed_arrow_layout layout;
    bool has_schema;
    float *vector; /* [VECTOR_NUMBERS_MAX], from the first batch on */
    ed_arrow_row row;
    void *context;
    bool enough;
    embedd_error *err;
} reader;

typedef struct message {
    ed_flat metadata;
    ed_flat_table header;
    int64_t type;
    const unsigned char *body;
    size_t body_bytes;
} message;

static embedd_status next_message(reader *r, message *m, bool *at_end);
static embedd_status read_batch(reader *r, message *m);

bool ed_arrow_is_one(const unsigned char *data, size_t n_bytes)
{
    return (n_bytes >= FILE_MAGIC_BYTES && memcmp(data, FILE_MAGIC, 6) == 0) ||
           (n_bytes >= 8 && ed_little_endian(data, 4) == CONTINUATION);
}

embedd_status ed_arrow_read(const unsigned char *data, size_t n_bytes,
                            const ed_arrow_columns *columns, ed_arrow_row row, void *context,
                            embedd_error *err)
{
    reader r = {.data = data,
                .n_bytes = n_bytes,
                .columns = columns,
                .row = row,
                .context = context,
                .err = err};
    embedd_status status = EMBEDD_OK;
    bool at_end = false;
    message m;

    if (n_bytes >= FILE_MAGIC_BYTES && memcmp(data, FILE_MAGIC, 6) == 0)
        r.at = FILE_MAGIC_BYTES;
    while (status == EMBEDD_OK && !r.enough) {
        status = next_message(&r, &m, &at_end);
        if (status != EMBEDD_OK || at_end)
            break;
        if (m.type == HEADER_SCHEMA && !r.has_schema) {
            status = ed_arrow_layout_read(&r.layout, &m.header, columns, err);
            r.has_schema = true;
        } else if (m.type == HEADER_RECORD_BATCH && r.has_schema) {
            status = read_batch(&r, &m);
        } else if (m.type != HEADER_DICTIONARY_BATCH) {
            status = ed_fail(err, EMBEDD_FORMAT, "byte %zu: a message out of place", r.at);
        }
    }
    if (status == EMBEDD_OK && !r.has_schema)
        status = ed_fail(err, EMBEDD_FORMAT, "it ends before its schema");
    ed_free(r.vector);
    return status;
}

/* A message: four bytes ff (older writers have none), u32 size of the metadata, metadata, body. A
 * size of 0 or the end of the bytes ends the stream. */
static embedd_status next_message(reader *r, message *m, bool *at_end)
{
    size_t at = r->at;
    int64_t n = 0;

    *at_end = false;
    if (ed_slice_fits(at, 8, r->n_bytes) && ed_little_endian(r->data + at, 4) == CONTINUATION)
        at += 4;
    if (ed_slice_fits(at, 4, r->n_bytes))
        n = ed_little_endian(r->data + at, 4);
    if (n == 0) {
        *at_end = true;
        return EMBEDD_OK;
    }
    at += 4;
    if (n < 0 || !ed_slice_fits(at, (size_t)n, r->n_bytes))
        return ed_fail(r->err, EMBEDD_FORMAT, "byte %zu: the file is cut inside a message", r->at);
    *m = (message){.metadata = {r->data + at, (size_t)n, false}};
    ed_flat_table root = ed_flat_root(&m->metadata);
    m->type = ed_flat_number(&root, MESSAGE_HEADER_TYPE, 1, 0);
    m->header = ed_flat_get_table(&root, MESSAGE_HEADER);
    int64_t body = ed_flat_number(&root, MESSAGE_BODY_LENGTH, 8, 0);
    at += (size_t)n;
    if (m->metadata.bad)
        return ed_fail(r->err, EMBEDD_FORMAT, "byte %zu: a message is not well-formed", r->at);
    if (body < 0 || !ed_slice_fits(at, (size_t)body, r->n_bytes))
        return ed_fail(r->err, EMBEDD_FORMAT, "byte %zu: the file is cut inside a batch", r->at);
    m->body = r->data + at;
    m->body_bytes = (size_t)body;
    r->at = at + (size_t)body;
    return EMBEDD_OK;
}

/* ---- one batch ------------------------------------------------------------------------------- */

typedef struct slice {
    const unsigned char *data;
    size_t n_bytes;
} slice;

typedef struct batch {
    message *m;
    ed_flat_vector nodes;   /* i64 length, i64 null_count */
    ed_flat_vector buffers; /* i64 offset, i64 length */
    size_t n_rows;
    bool bad;
} batch;

static slice get_buffer(batch *b, size_t index)
{
    if (index >= b->buffers.n_items) {
        b->bad = true;
        return (slice){NULL, 0};
    }
    const unsigned char *item = b->buffers.buffer->data + b->buffers.at + 16 * index;
    int64_t begin = ed_little_endian(item, 8), n = ed_little_endian(item + 8, 8);
    if (begin < 0 || n < 0 || !ed_slice_fits((size_t)begin, (size_t)n, b->m->body_bytes)) {
        b->bad = true;
        return (slice){NULL, 0};
    }
    return (slice){b->m->body + begin, (size_t)n};
}

static int64_t get_node(batch *b, size_t index, size_t offset)
{
    if (index >= b->nodes.n_items) {
        b->bad = true;
        return 0;
    }
    return ed_little_endian(b->nodes.buffer->data + b->nodes.at + 16 * index + offset, 8);
}

static bool has_room(const slice *buffer, size_t n_items, size_t item_bytes)
{
    size_t n_bytes;
    return ed_mul_size(n_items, item_bytes, &n_bytes) && n_bytes <= buffer->n_bytes;
}

/* No bitmap means that nothing is null. */
static bool is_valid(const slice *bitmap, size_t row)
{
    return bitmap->n_bytes == 0 || (bitmap->data[row / 8] >> (row % 8)) & 1;
}

/* Offsets [row] and [row + 1] of a column of variable lengths; false if they leave `limit`. */
static bool get_range(const slice *offsets, size_t offset_bytes, size_t row, size_t limit,
                      size_t *begin, size_t *n)
{
    int64_t from = ed_little_endian(offsets->data + offset_bytes * row, offset_bytes);
    int64_t to = ed_little_endian(offsets->data + offset_bytes * (row + 1), offset_bytes);

    if (from < 0 || to < from || (uint64_t)to > limit)
        return false;
    *begin = (size_t)from;
    *n = (size_t)(to - from);
    return true;
}

static float half_to_float(uint16_t bits)
{
    int exponent = (bits >> 10) & 31;
    float fraction = (float)(bits & 1023);
    float value = exponent == 0    ? ldexpf(fraction, -24)
                  : exponent == 31 ? (fraction > 0 ? NAN : INFINITY)
                                   : ldexpf(fraction + 1024, exponent - 25);
    return bits & 0x8000 ? -value : value;
}

static float get_number(const unsigned char *data, size_t n_bytes)
{
    int64_t bits = ed_little_endian(data, n_bytes);
    uint32_t single_bits = (uint32_t)bits;
    double wide;
    float single;

    if (n_bytes == 2)
        return half_to_float((uint16_t)bits);
    if (n_bytes == 4) {
        memcpy(&single, &single_bits, sizeof single);
        return single;
    }
    memcpy(&wide, &bits, sizeof wide);
    return (float)wide;
}

typedef struct rows {
    slice text_bitmap, text_offsets, text_bytes;
    slice vector_bitmap, vector_offsets, numbers;
    size_t n_numbers;
} rows;

/* The buffers of both columns, each with room for n_rows. */
static bool open_rows(batch *b, const ed_arrow_layout *layout, rows *out)
{
    const ed_arrow_text_column *text = &layout->text;
    const ed_arrow_vector_column *vector = &layout->vector;
    bool fixed = vector->offset_bytes == 0;
    size_t bitmap_bytes = b->n_rows / 8 + (b->n_rows % 8 > 0);

    out->text_bitmap = get_buffer(b, text->buffer);
    out->text_offsets = get_buffer(b, text->buffer + 1);
    out->text_bytes = get_buffer(b, text->buffer + 2);
    out->vector_bitmap = get_buffer(b, vector->buffer);
    if (!fixed)
        out->vector_offsets = get_buffer(b, vector->buffer + 1);
    out->numbers = get_buffer(b, vector->buffer + (fixed ? 2 : 3));
    out->n_numbers = out->numbers.n_bytes / vector->number_bytes;
    size_t n_fixed = 0;
    return !b->bad && b->n_rows < SIZE_MAX && get_node(b, text->node, 0) == (int64_t)b->n_rows &&
           get_node(b, vector->node, 0) == (int64_t)b->n_rows &&
           get_node(b, vector->node + 1, 8) == 0 && /* no null inside a vector */
           (out->text_bitmap.n_bytes == 0 || out->text_bitmap.n_bytes >= bitmap_bytes) &&
           (out->vector_bitmap.n_bytes == 0 || out->vector_bitmap.n_bytes >= bitmap_bytes) &&
           has_room(&out->text_offsets, b->n_rows + 1, text->offset_bytes) &&
           (fixed ? ed_mul_size(b->n_rows, vector->list_size, &n_fixed) && n_fixed <= out->n_numbers
                  : has_room(&out->vector_offsets, b->n_rows + 1, vector->offset_bytes)) &&
           !b->bad;
}

static embedd_status read_row(reader *r, const rows *columns, size_t index)
{
    const ed_arrow_vector_column *vector = &r->layout.vector;
    size_t text_begin, n_text, begin = index * vector->list_size, n = vector->list_size;

    if (!is_valid(&columns->text_bitmap, index) || !is_valid(&columns->vector_bitmap, index))
        return EMBEDD_OK;
    if (!get_range(&columns->text_offsets, r->layout.text.offset_bytes, index,
                   columns->text_bytes.n_bytes, &text_begin, &n_text) ||
        (vector->offset_bytes > 0 && !get_range(&columns->vector_offsets, vector->offset_bytes,
                                                index, columns->n_numbers, &begin, &n)))
        return ed_fail(r->err, EMBEDD_FORMAT, "row %zu of a batch leaves its buffer", index);
    if (n > VECTOR_NUMBERS_MAX)
        return ed_fail(r->err, EMBEDD_UNSUPPORTED, "row %zu of a batch: a vector of %zu numbers",
                       index, n);
    for (size_t i = 0; i < n; i++)
        r->vector[i] = get_number(columns->numbers.data + (begin + i) * vector->number_bytes,
                                  vector->number_bytes);
    const char *bytes = n_text > 0 ? (const char *)columns->text_bytes.data + text_begin : "";
    return r->row(r->context, (embedd_text){bytes, n_text}, r->vector, n, &r->enough, r->err);
}

static embedd_status read_batch(reader *r, message *m)
{
    batch b = {.m = m,
               .nodes = ed_flat_get_vector(&m->header, BATCH_NODES, 16),
               .buffers = ed_flat_get_vector(&m->header, BATCH_BUFFERS, 16)};
    embedd_status status = EMBEDD_OK;
    rows columns = {0};

    int64_t n_rows = ed_flat_number(&m->header, BATCH_LENGTH, 8, 0);
    if (ed_flat_has(&m->header, BATCH_COMPRESSION))
        return ed_fail(r->err, EMBEDD_UNSUPPORTED,
                       "its buffers are compressed; write it without, as pyarrow.ipc.new_file "
                       "does, or feather.write_feather(..., compression=\"uncompressed\")");
    b.n_rows = (size_t)n_rows;
    if (n_rows == 0 && !m->metadata.bad)
        return EMBEDD_OK;
    if (n_rows < 0 || m->metadata.bad || !open_rows(&b, &r->layout, &columns))
        return ed_fail(r->err, EMBEDD_FORMAT, "the batch that ends at byte %zu is not well-formed",
                       r->at);
    if (r->vector == NULL)
        r->vector = ed_calloc(VECTOR_NUMBERS_MAX, sizeof *r->vector);
    if (r->vector == NULL)
        return ed_fail(r->err, EMBEDD_MEMORY, "out of memory");
    for (size_t i = 0; status == EMBEDD_OK && i < b.n_rows && !r->enough; i++)
        status = read_row(r, &columns, i);
    return status;
}
