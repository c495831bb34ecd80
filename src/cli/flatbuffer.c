/* In: bytes of a stranger and where to look in them. Out: numbers and positions inside the bytes.
 * Offsets to tables and vectors only point forward, so that no table is its own child. */
#include "cli/flatbuffer.h"

#include "base/checked.h"

int64_t ed_little_endian(const unsigned char *data, size_t n_bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < n_bytes; i++)
        number |= (uint64_t)data[i] << (8 * i);
    if (n_bytes < 8 && (number >> (8 * n_bytes - 1)) & 1)
        number |= ~(uint64_t)0 << (8 * n_bytes);
    return (int64_t)number;
}

/* The unsigned number at `at`, or 0 and the mark. */
static size_t read_offset(ed_flat *buffer, size_t at, size_t n_bytes)
{
    if (!ed_slice_fits(at, n_bytes, buffer->n_bytes)) {
        buffer->bad = true;
        return 0;
    }
    uint64_t number = (uint64_t)ed_little_endian(buffer->data + at, n_bytes);
    return (size_t)(n_bytes == 2 ? number & 0xffff : number & 0xffffffff);
}

/* A table begins with the signed distance back to its vtable: u16 size of the vtable, u16 size of
 * the table, then for each field the u16 distance from the table's begin, 0 = absent. */
static ed_flat_table open_table(ed_flat *buffer, size_t at)
{
    ed_flat_table table = {buffer, at, 0, 0};

    if (!ed_slice_fits(at, 4, buffer->n_bytes)) {
        buffer->bad = true;
        return table;
    }
    int64_t vtable = (int64_t)at - ed_little_endian(buffer->data + at, 4);
    if (vtable < 0 || !ed_slice_fits((size_t)vtable, 4, buffer->n_bytes)) {
        buffer->bad = true;
        return table;
    }
    size_t n_bytes = read_offset(buffer, (size_t)vtable, 2);
    if (n_bytes < 4 || !ed_slice_fits((size_t)vtable, n_bytes, buffer->n_bytes)) {
        buffer->bad = true;
        return table;
    }
    table.vtable = (size_t)vtable;
    table.vtable_bytes = n_bytes;
    return table;
}

/* A u32 at `at` that leads forward from there. */
static size_t follow(ed_flat *buffer, size_t at)
{
    size_t distance = read_offset(buffer, at, 4);

    if (distance == 0 || distance > buffer->n_bytes - at) {
        buffer->bad = true;
        return buffer->n_bytes;
    }
    return at + distance;
}

ed_flat_table ed_flat_root(ed_flat *buffer)
{
    if (buffer->n_bytes < 4) {
        buffer->bad = true;
        return (ed_flat_table){.buffer = buffer};
    }
    return open_table(buffer, follow(buffer, 0));
}

/* Where the field's value is; 0 = absent. */
static size_t find_field(const ed_flat_table *table, unsigned field)
{
    size_t slot = 4 + 2 * (size_t)field;

    if (slot + 2 > table->vtable_bytes)
        return 0;
    size_t distance = read_offset(table->buffer, table->vtable + slot, 2);
    return distance ? table->at + distance : 0;
}

bool ed_flat_has(const ed_flat_table *table, unsigned field)
{
    return find_field(table, field) != 0;
}

int64_t ed_flat_number(const ed_flat_table *table, unsigned field, size_t n_bytes,
                       int64_t by_default)
{
    size_t at = find_field(table, field);

    if (at == 0)
        return by_default;
    if (!ed_slice_fits(at, n_bytes, table->buffer->n_bytes)) {
        table->buffer->bad = true;
        return by_default;
    }
    return ed_little_endian(table->buffer->data + at, n_bytes);
}

ed_flat_table ed_flat_get_table(const ed_flat_table *table, unsigned field)
{
    size_t at = find_field(table, field);

    if (at == 0 || at >= table->buffer->n_bytes) {
        table->buffer->bad |= at != 0;
        return (ed_flat_table){.buffer = table->buffer};
    }
    return open_table(table->buffer, follow(table->buffer, at));
}

ed_flat_vector ed_flat_get_vector(const ed_flat_table *table, unsigned field, size_t item_bytes)
{
    ed_flat *buffer = table->buffer;
    ed_flat_vector vector = {.buffer = buffer};
    size_t at = find_field(table, field);
    size_t n_bytes;

    if (at == 0 || at >= buffer->n_bytes) {
        buffer->bad |= at != 0;
        return vector;
    }
    at = follow(buffer, at);
    size_t n_items = read_offset(buffer, at, 4);
    if (buffer->bad || !ed_mul_size(n_items, item_bytes, &n_bytes) ||
        !ed_slice_fits(at + 4, n_bytes, buffer->n_bytes)) {
        buffer->bad = true;
        return vector;
    }
    return (ed_flat_vector){buffer, at + 4, n_items};
}

ed_flat_table ed_flat_table_at(const ed_flat_vector *tables, size_t index)
{
    return open_table(tables->buffer, follow(tables->buffer, tables->at + 4 * index));
}
