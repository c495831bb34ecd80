/* A request body's JSON, read event by event inside the body's own buffer: nothing is allocated,
 * whatever the body holds. (A tree of 8 MiB of "{},{},{}" takes gigabytes.)
 *
 * Strict RFC 8259, nesting limited. A string is decoded in place, which never makes it longer; a
 * lone surrogate escape reads as U+FFFD. The buffer must be valid UTF-8. */
#ifndef ED_JSON_PULL_H
#define ED_JSON_PULL_H

#include "embedd.h"

#define ED_JSON_DEPTH_MAX 32

typedef enum ed_json_event {
    ED_JSON_ERROR, /* not valid JSON: see `error` and `at`; every later event is the same */
    ED_JSON_END,   /* after the one value */
    ED_JSON_OBJECT,
    ED_JSON_OBJECT_END,
    ED_JSON_ARRAY,
    ED_JSON_ARRAY_END,
    ED_JSON_KEY,    /* of the value that follows; `text` */
    ED_JSON_STRING, /* `text` */
    ED_JSON_NUMBER, /* `text`, as written */
    ED_JSON_TRUE,
    ED_JSON_FALSE,
    ED_JSON_NULL
} ed_json_event;

typedef struct ed_json_pull {
    char *bytes; /* [n_bytes], overwritten where strings have escapes */
    size_t n_bytes;
    size_t at;         /* the next byte to read */
    embedd_text text;  /* of a KEY, STRING or NUMBER: a slice of `bytes` */
    const char *error; /* a fixed sentence, or NULL */
    size_t depth;
    uint32_t objects; /* bit d: the container at depth d is an object */
    int expected;     /* what the grammar allows next */
} ed_json_pull;

void ed_json_pull_init(ed_json_pull *pull, char *bytes, size_t n_bytes);
ed_json_event ed_json_pull_next(ed_json_pull *pull);

/* Having seen `event`, the first of a value, read on to the value's end. False on an error. */
bool ed_json_pull_skip(ed_json_pull *pull, ed_json_event event);

#endif
