/* The "pattern" of Split and Replace: {"String": ...} or {"Regex": ...}.
 *
 * Regular expressions go to PCRE2, which counts its steps and gives up. What Oniguruma, the
 * reference's library, would understand in another way is refused. The letters, numbers and so on
 * of \p{..} are those of PCRE2's Unicode. */
#ifndef ED_PATTERN_H
#define ED_PATTERN_H

#include "base/memory.h"
#include "embedd.h"

struct json_object;

typedef struct ed_pattern {
    char *string; /* [string_bytes], not empty; NULL: it is a regular expression */
    size_t string_bytes;
    void *code; /* pcre2_code */
} ed_pattern;

/* UNSUPPORTED (named), FORMAT, MEMORY. Close after a failure, too. */
embedd_status ed_pattern_open(ed_pattern *pattern, struct json_object *json, const char *where,
                              embedd_error *err);
void ed_pattern_close(ed_pattern *pattern); /* a zeroed struct is allowed */

/* Memory of one thread's matching, for any pattern. */
typedef struct ed_pattern_scratch {
    void *data, *context; /* pcre2_match_data, pcre2_match_context */
} ed_pattern_scratch;

void ed_pattern_scratch_clear(ed_pattern_scratch *scratch); /* a zeroed struct is allowed */

/* Begins zeroed for each text. */
typedef struct ed_pattern_cursor {
    size_t from; /* matches are looked for from here on */
    bool matched;
    size_t last_end; /* of the last match */
} ed_pattern_cursor;

/* The next match of a valid text; *begin = SIZE_MAX: there is none. May be empty, but never right
 * after another. LIMIT: too many steps. MEMORY. */
embedd_status ed_pattern_next(const ed_pattern *pattern, ed_pattern_scratch *scratch,
                              embedd_text text, ed_pattern_cursor *cursor, size_t *begin,
                              size_t *end);

/* Appends `text` with `content` in place of every match. */
embedd_status ed_pattern_replace(const ed_pattern *pattern, ed_pattern_scratch *scratch,
                                 embedd_text text, embedd_text content, ed_buf *out);

#endif
