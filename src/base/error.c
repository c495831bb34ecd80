/* In: a status and a sentence. Out: a filled embedd_error. Never allocates, never prints, and never
 * leaves half a UTF-8 character at the end of a cut message. */
#include "base/error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(embedd_error *err, embedd_status status, size_t index, const char *format,
                 va_list arguments) __attribute__((format(printf, 4, 0)));

embedd_status ed_fail(embedd_error *err, embedd_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, status, EMBEDD_NO_INDEX, format, arguments);
    va_end(arguments);
    return status;
}

embedd_status ed_fail_at(embedd_error *err, embedd_status status, size_t index, const char *format,
                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, status, index, format, arguments);
    va_end(arguments);
    return status;
}

static void fill(embedd_error *err, embedd_status status, size_t index, const char *format,
                 va_list arguments)
{
    /* Formatted aside first: an argument may be err->message itself. */
    char message[sizeof err->message];
    if (!err)
        return;
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        snprintf(message, sizeof message, "%s", embedd_status_sentence(status));

    size_t n_bytes = strlen(message);
    if (n_bytes == sizeof message - 1)
        n_bytes -= ed_utf8_cut_bytes(message, n_bytes);
    message[n_bytes] = '\0';

    err->status = status;
    err->index = index;
    memcpy(err->message, message, n_bytes + 1);
}
