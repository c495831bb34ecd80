/* Tables of text, aligned by the width that a terminal gives to characters. */
#ifndef ED_TEXT_TABLE_H
#define ED_TEXT_TABLE_H

#include "base/memory.h"

#include <stddef.h>

/* Columns that `text` takes on a terminal; bytes that are no UTF-8 take one each. */
size_t ed_text_width(const char *text, size_t n_bytes);

/* Appends `text` cut to `columns` with "..." where it is wider, padded with blanks on the right to
 * exactly `columns` where it is narrower. Control characters become blanks. */
void ed_append_cell(ed_buf *out, const char *text, size_t n_bytes, size_t columns);

#endif
