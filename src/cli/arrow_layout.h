/* Where in each batch of an Arrow table two of its columns are. */
#ifndef ED_ARROW_LAYOUT_H
#define ED_ARROW_LAYOUT_H

#include "cli/arrow_file.h"
#include "cli/flatbuffer.h"

typedef struct ed_arrow_text_column {
    size_t node, buffer; /* the first of its buffers: bitmap, offsets, bytes */
    size_t offset_bytes; /* 4 or 8 */
} ed_arrow_text_column;

typedef struct ed_arrow_vector_column {
    size_t node, buffer; /* bitmap, [offsets,] bitmap of the numbers, numbers */
    size_t offset_bytes; /* 0: every list has list_size numbers; else 4 or 8 */
    size_t list_size;
    size_t number_bytes; /* 2, 4 or 8 */
} ed_arrow_vector_column;

typedef struct ed_arrow_layout {
    ed_arrow_text_column text;
    ed_arrow_vector_column vector;
} ed_arrow_layout;

/* `schema` is the table of the Schema message. Errors as of ed_arrow_read. */
embedd_status ed_arrow_layout_read(ed_arrow_layout *layout, const ed_flat_table *schema,
                                   const ed_arrow_columns *columns, embedd_error *err);

#endif
