/* Is the request's header what RFC 9112 allows, and nothing that two readers could take for
 * different requests? */
#ifndef ED_HTTP_FRAMING_H
#define ED_HTTP_FRAMING_H

#include "server/problem.h"

struct MHD_Connection;

typedef struct ed_request_line {
    const char *method;
    size_t uri_bytes; /* of the target as sent */
    const char *version;
} ed_request_line;

/* NONE, MALFORMED_HTTP, HEADER_TOO_LARGE or UNSUPPORTED_CODING. *body_bytes is the Content-Length,
 * 0 without a body, SIZE_MAX if it comes in chunks. */
ed_problem_code ed_http_check_framing(struct MHD_Connection *connection,
                                      const ed_request_line *line, size_t *body_bytes);

#endif
