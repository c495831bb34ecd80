/* HTTP/1.1 on a listening socket: requests in, replies out, by libmicrohttpd on one thread. That
 * thread never parses a body, tokenizes or computes: while a job runs its connection is suspended,
 * and GET /health is answered whatever else goes on. */
#ifndef ED_HTTP_H
#define ED_HTTP_H

#include "server/service.h"

typedef struct ed_http ed_http;

/* listen_fd is closed by ed_http_close. */
embedd_status ed_http_open(ed_http **out, ed_service *service, int listen_fd, embedd_error *err);
/* Requests being read, worked on or answered. */
size_t ed_http_exchanges(ed_http *http);
/* Of those, the ones in the pipeline. */
size_t ed_http_jobs(ed_http *http);
/* Waits for the jobs; NULL is allowed. */
void ed_http_close(ed_http *http);

#endif
