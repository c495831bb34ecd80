/* The pieces of a tokenizer.json that is written in memory, for tokenizers that have no such file.
 * Appending to a buffer that failed does nothing; the last one to look checks `failed`. */
#ifndef ED_JSON_WRITER_H
#define ED_JSON_WRITER_H

#include "base/memory.h"
#include "embedd.h"

/* With quotes and escapes; `text` is valid UTF-8. */
void ed_json_write_string(ed_buf *buf, embedd_text text);
/* The same with `prefix`, which needs no escape, before the text. */
void ed_json_write_prefixed(ed_buf *buf, const char *prefix, embedd_text text);
/* So that the same double is read back; `number` is finite. */
void ed_json_write_number(ed_buf *buf, double number);
/* RFC 4648, in quotes. */
void ed_json_write_base64(ed_buf *buf, embedd_text bytes);
/* {"id": ..., "content": ..., ...}, an item of "added_tokens". */
void ed_json_write_added_token(ed_buf *buf, size_t id, embedd_text text, bool special, bool lstrip);
/* A TemplateProcessing with one token before and one after the text; -1: none there. */
void ed_json_write_template(ed_buf *buf, int32_t first, int32_t last);

#endif
