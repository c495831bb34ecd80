/* One HTTP connection that is kept: a request, then the whole answer in memory. */
#ifndef ED_HTTP_CALL_H
#define ED_HTTP_CALL_H

#include "base/memory.h"
#include "embedd.h"

typedef struct ed_http_call {
    void *curl;
    void *headers;
    long code;   /* of the last answer, 0 = none came */
    ed_buf body; /* of the last answer, and a NUL */
} ed_http_call;

embedd_status ed_http_call_open(ed_http_call *call, embedd_error *err);
void ed_http_call_close(ed_http_call *call); /* zeroed is allowed */

/* GET, or POST of JSON if json != NULL. Any answer is ok, whatever its code; redirects are not
 * followed, proxies are not asked. NETWORK: none came within the time; the message names the URL.
 */
embedd_status ed_http_call_send(ed_http_call *call, const char *url, const char *json,
                                size_t n_bytes, unsigned timeout_ms, embedd_error *err);

#endif
