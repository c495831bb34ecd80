/* Arrow IPC, as LanceDB and pyarrow export a table: the two columns that migrate needs. */
#ifndef ED_ARROW_FILE_H
#define ED_ARROW_FILE_H

#include "embedd.h"

typedef struct ed_arrow_columns {
    const char *text;   /* Utf8 or LargeUtf8 */
    const char *vector; /* FixedSizeList, List or LargeList of half, single or double floats */
} ed_arrow_columns;

/* One row; `vector` [dimensions] and `text` are valid during the call only. *enough ends the
 * reading. */
typedef embedd_status (*ed_arrow_row)(void *context, embedd_text text, const float *vector,
                                      size_t dimensions, bool *enough, embedd_error *err);

/* Whether the bytes begin like an Arrow IPC file or stream. */
bool ed_arrow_is_one(const unsigned char *data, size_t n_bytes);

/* Calls `row` for each row in which neither column is null, in order. FORMAT: the bytes are not
 * what the format says, with the byte. UNSUPPORTED: compressed buffers, a column of another type,
 * with how to write the file instead. NOT_FOUND: no such column, with those there are. And whatever
 * `row` returns. */
embedd_status ed_arrow_read(const unsigned char *data, size_t n_bytes,
                            const ed_arrow_columns *columns, ed_arrow_row row, void *context,
                            embedd_error *err);

#endif
