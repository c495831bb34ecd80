/* Reading FlatBuffers: every offset is checked against the buffer's end. A bad one marks the buffer
 * and reads as absent or 0, so that a caller may read on and look at the mark once. The format:
 * flatbuffers.dev, "FlatBuffer Internals". */
#ifndef ED_FLATBUFFER_H
#define ED_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ed_flat {
    const unsigned char *data;
    size_t n_bytes;
    bool bad; /* an offset pointed outside */
} ed_flat;

typedef struct ed_flat_table {
    ed_flat *buffer;
    size_t at;           /* where the table begins */
    size_t vtable;       /* where its list of fields is */
    size_t vtable_bytes; /* 0: an empty table, every field is absent */
} ed_flat_table;

typedef struct ed_flat_vector {
    ed_flat *buffer;
    size_t at;      /* the first item */
    size_t n_items; /* all of them inside the buffer */
} ed_flat_vector;

ed_flat_table ed_flat_root(ed_flat *buffer);

/* Field number `field` of the schema; the value by default if it is absent. */
int64_t ed_flat_number(const ed_flat_table *table, unsigned field, size_t n_bytes,
                       int64_t by_default);
/* An empty table if it is absent. */
ed_flat_table ed_flat_get_table(const ed_flat_table *table, unsigned field);
bool ed_flat_has(const ed_flat_table *table, unsigned field);
/* Items of `item_bytes`: 1 for a string, 4 for tables, more for structs. */
ed_flat_vector ed_flat_get_vector(const ed_flat_table *table, unsigned field, size_t item_bytes);
ed_flat_table ed_flat_table_at(const ed_flat_vector *tables, size_t index);

/* Little-endian, signed; the caller has checked the room. n_bytes is 1, 2, 4 or 8. */
int64_t ed_little_endian(const unsigned char *data, size_t n_bytes);

#endif
