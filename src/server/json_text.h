/* JSON out: strings. Numbers and braces are printed where they belong. */
#ifndef ED_JSON_TEXT_H
#define ED_JSON_TEXT_H

#include "base/memory.h"

/* `bytes` in quotes, pure ASCII: everything else is escaped; a byte that is not UTF-8 becomes
 * U+FFFD. */
bool ed_json_text_string(ed_buf *buf, const char *bytes, size_t n_bytes);

/* A NUL-terminated string, or null. */
bool ed_json_text_string_or_null(ed_buf *buf, const char *text);

#endif
