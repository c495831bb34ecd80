/* The header of a reply. */
#ifndef ED_HTTP_HEADERS_H
#define ED_HTTP_HEADERS_H

#include "server/routes.h"

struct MHD_Connection;
struct MHD_Response;

typedef struct ed_reply_head {
    struct MHD_Connection *connection; /* for what the client asked */
    const ed_guard *guard;
    const ed_route *route; /* NULL = none was found */
    const ed_job *job;     /* finished, if it was ever started; but see begun_only */
    const char *request_id;
    unsigned http_status;
    bool preflight;
    bool begun_only; /* the job is not finished: it has no problem and no times yet */
} ed_reply_head;

void ed_http_add_headers(struct MHD_Response *response, const ed_reply_head *head);

#endif
