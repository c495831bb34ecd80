/* JSON as a stream of tokens, read in place: allocates nothing, needs no recursion, refuses
 * whatever RFC 8259 does not allow, and depth beyond ED_JSON_DEPTH_MAX.
 *
 *     ed_json_reader reader;
 *     ed_json_reader_init(&reader, text, n_bytes);
 *     while ((token = ed_json_next(&reader)) > ED_JSON_END)
 *         ...
 *     if (token == ED_JSON_ERROR)
 *         complain(reader.at, reader.reason); */
#ifndef ED_JSON_READER_H
#define ED_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED_JSON_DEPTH_MAX 64

typedef enum ed_json_token {
    ED_JSON_ERROR, /* and again at every later call */
    ED_JSON_END,   /* the value is complete, nothing but white space follows */
    ED_JSON_OBJECT,
    ED_JSON_OBJECT_END,
    ED_JSON_ARRAY,
    ED_JSON_ARRAY_END,
    ED_JSON_KEY,
    ED_JSON_STRING,
    ED_JSON_NUMBER,
    ED_JSON_TRUE,
    ED_JSON_FALSE,
    ED_JSON_NULL
} ed_json_token;

typedef struct ed_json_reader {
    const char *text;
    size_t n_bytes;
    size_t at;          /* the next byte; after an error, the byte at fault */
    const char *reason; /* after an error: what is wrong there */
    const char *token;  /* of KEY, STRING (between the quotes, escaped) and NUMBER; in `text` */
    size_t token_bytes;
    size_t value_end;   /* after END: where the value ended */
    size_t n_replaced;  /* surrogates without their partner, in what was unescaped */
    uint64_t in_object; /* bit d: the container at depth d is an object */
    unsigned depth;
    int expected; /* private */
} ed_json_reader;

void ed_json_reader_init(ed_json_reader *reader, const char *text, size_t n_bytes);
ed_json_token ed_json_next(ed_json_reader *reader);

/* Passes over the rest of the value that `token`, just read, begins. False on error. */
bool ed_json_skip(ed_json_reader *reader, ed_json_token token);

/* The last KEY or STRING without escapes: writes at most token_bytes bytes, returns how many.
 * `out` may be the token itself. A surrogate without its partner becomes U+FFFD. */
size_t ed_json_unescape(ed_json_reader *reader, char *out);

/* The last NUMBER, if it is written as digits only and fits. */
bool ed_json_whole_number(const ed_json_reader *reader, size_t *out);

#endif
