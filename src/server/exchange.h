/* One HTTP request and its reply, as libmicrohttpd's thread and the pipeline share it. http.c reads
 * the request, http_reply.c answers it. */
#ifndef ED_EXCHANGE_H
#define ED_EXCHANGE_H

#include "server/http.h"
#include "server/request_id.h"
#include "server/routes.h"
#include "server/upload.h"

#include <microhttpd.h>

#define ED_PATH_BYTES_MAX   256
#define ED_ANSWER_BYTES_MAX ((size_t)1 << 20) /* of what is answered at once */

struct ed_http {
    ed_service *service;
    struct MHD_Daemon *daemon;
    atomic_size_t n_exchanges;
    atomic_size_t n_jobs; /* in the pipeline */
    uint64_t n_begun;     /* of all time; the HTTP thread's */
};

typedef enum ed_step { ED_STEP_READING, ED_STEP_WORKING, ED_STEP_ANSWERED } ed_step;

/* A reply that is sent line by line while the pipeline still works on it. The HTTP thread sleeps on
 * a suspended connection, which only then cannot go away; whoever clears `asleep` wakes it. The
 * exchange has two owners, libmicrohttpd and the pipeline; the last one frees it. */
typedef struct ed_lines {
    atomic_bool asleep;
    atomic_bool finished; /* the pipeline has nothing to add */
    atomic_int n_owners;
    size_t n_sent; /* texts */
    bool end_sent;
    ed_buf pending; /* from n_pending_sent on */
    size_t n_pending_sent;
} ed_lines;

/* One request and its reply. */
typedef struct ed_exchange {
    ed_job job; /* first; its problem and reply are the exchange's */
    ed_http *http;
    struct MHD_Connection *mhd;
    ed_connection *connection;
    const ed_route *route;
    ed_upload *upload;            /* NULL = the body is kept as it is */
    char path[ED_PATH_BYTES_MAX]; /* cut: no route is so long */
    char request_id[ED_REQUEST_ID_MAX + 1];
    ed_step step;
    bool begun; /* the header is read */
    bool preflight;
    size_t uri_bytes;
    size_t body_bytes; /* as announced; SIZE_MAX = in chunks */
    size_t body_cap;
    size_t n_swallowed;
    unsigned http_status;
    bool by_lines; /* `lines` is in use */
    ed_lines lines;
} ed_exchange;

/* The finished job's reply or problem, or the first lines of one that still works; on the HTTP
 * thread. MHD_NO ends the connection. */
enum MHD_Result ed_exchange_respond(ed_exchange *x);
/* In the metrics, once its status is known. */
void ed_exchange_count(const ed_exchange *x);
/* There may be more lines to send, or there is nothing to come; on any thread. */
void ed_exchange_wake(ed_exchange *x);

#endif
