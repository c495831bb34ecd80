/* Regular expressions of Oniguruma, which the files are written for, said in PCRE2's way. */
#ifndef ED_REGEX_DIALECT_H
#define ED_REGEX_DIALECT_H

#include "base/memory.h"
#include "embedd.h"

/* Fills `out`, which the caller clears even after a failure. UNSUPPORTED names what has another
 * meaning there, or none. MEMORY. */
embedd_status ed_regex_translate(const char *regex, ed_buf *out, const char *where,
                                 embedd_error *err);

#endif
