/* Errors: one line per failure, where it is found. See embedd.h for the list of statuses. */
#ifndef ED_ERROR_H
#define ED_ERROR_H

#include "embedd.h"

/* Fill `err` (or NULL) with the status and a printf sentence that names what and where, cut at the
 * struct's size, with index EMBEDD_NO_INDEX. Returns `status`, so that one can `return
 * ed_fail(...)`. */
embedd_status ed_fail(embedd_error *err, embedd_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with the index of the text or row at fault. */
embedd_status ed_fail_at(embedd_error *err, embedd_status status, size_t index, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));

#endif
