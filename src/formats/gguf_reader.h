/* Reading a GGUF file from front to back: each call takes what is next, checked against the end. */
#ifndef ED_GGUF_READER_H
#define ED_GGUF_READER_H

#include "formats/gguf.h"

typedef struct ed_gguf_reader {
    const unsigned char *bytes; /* [n_bytes] */
    size_t n_bytes;
    size_t at;
    embedd_text entry; /* the field or tensor being read, for messages; bytes NULL = none */
    const char *where;
    embedd_error *err;
} ed_gguf_reader;

/* FORMAT says what was being read and where the file ends. */
embedd_status ed_gguf_read_bytes(ed_gguf_reader *reader, size_t n, const char *what,
                                 const unsigned char **out);
embedd_status ed_gguf_read_u32(ed_gguf_reader *reader, const char *what, uint32_t *out);
embedd_status ed_gguf_read_size(ed_gguf_reader *reader, const char *what, size_t *out); /* u64 */
embedd_status ed_gguf_read_string(ed_gguf_reader *reader, const char *what, embedd_text *out);
/* Key, type and value. */
embedd_status ed_gguf_read_field(ed_gguf_reader *reader, ed_gguf_field *field);

/* The size of a string that is known to be in the file, by its first byte. */
size_t ed_gguf_size_before(const char *text);
/* For "%.*s": how much of a name that is not ended by NUL a message shows. */
int ed_gguf_shown(size_t n_bytes);

#endif
