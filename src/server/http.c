/* In: a socket. Out: replies. Never waits for anything but the sockets, never holds more of a body
 * than its limit. Answers are JSON, but for the few that libmicrohttpd gives by itself to what is
 * no HTTP request at all. */
#include "server/http.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "server/exchange.h"
#include "server/http_framing.h"
#include "server/log.h"
#include "server/request_id.h"
#include "server/upload.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CONNECTION_BYTES 32768 /* for a header and for what is read at once of a body */
#define BODY_BYTES_FIRST ((size_t)16 << 10)
#define SWALLOW_FACTOR   4 /* of a refused body so many times the limit is read, to be polite */

static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code);
static void *on_request_line(void *context, const char *uri, struct MHD_Connection *mhd);
static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n_data, void **exchange_context);
static void on_completed(void *context, struct MHD_Connection *mhd, void **exchange_context,
                         enum MHD_RequestTerminationCode code);
static enum MHD_Result begin(ed_exchange *x, const char *url, const char *method,
                             const char *version);
static ed_problem_code check_request(ed_exchange *x, const char *url, const char *method);
static ed_problem_code check_load(ed_exchange *x);
static bool open_upload(ed_exchange *x);
static const char *header_of(ed_exchange *x, const char *name);
static bool take_body(ed_exchange *x, const char *data, size_t n_data);
static bool keep_body(void *context, const char *data, size_t n_data);
static bool grow_body(ed_exchange *x, size_t n_data);
static enum MHD_Result end_of_request(ed_exchange *x);
static enum MHD_Result start_job(ed_exchange *x);
static void on_finished(ed_job *job);
static void on_progress(ed_job *job);
static void release(ed_exchange *x);

embedd_status ed_http_open(ed_http **out, ed_service *service, int listen_fd, embedd_error *err)
{
    ed_http *http = ed_calloc(1, sizeof *http);
    if (!http)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the HTTP server");
    http->service = service;
    http->daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)service->options->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, http, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_END);
    if (!http->daemon) {
        ed_free(http);
        return ed_fail(err, EMBEDD_MEMORY, "the HTTP thread could not be started");
    }
    *out = http;
    return EMBEDD_OK;
}

void ed_http_close(ed_http *http)
{
    if (!http)
        return;
    while (ed_http_jobs(http) > 0) /* a worker is in its last line */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    MHD_stop_daemon(http->daemon);
    ed_free(http);
}

size_t ed_http_exchanges(ed_http *http)
{
    return atomic_load(&http->n_exchanges);
}

size_t ed_http_jobs(ed_http *http)
{
    return atomic_load(&http->n_jobs);
}

/* ---- what libmicrohttpd tells, in the order of a request's life -------------------------------
 */

static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    ed_connections *connections = ((ed_http *)context)->service->connections;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        ed_connections_remove(connections, *socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    *socket_context = info ? ed_connections_add(connections, info->connect_fd) : NULL;
}

/* Returns the exchange, which on_request and on_completed get. */
static void *on_request_line(void *context, const char *uri, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    ed_exchange *x = ed_calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->http = context;
    x->mhd = mhd;
    x->connection = info ? info->socket_context : NULL;
    x->uri_bytes = strchr(uri, ' ') ? 0 : strlen(uri); /* 0 is never right */
    atomic_fetch_add(&x->http->n_exchanges, 1);
    ed_connection_reads_header(x->http->service->connections, x->connection);
    return x;
}

/* Called when the header is read, for each piece of the body, when the request is complete, and
 * again when its suspended connection is resumed. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n_data, void **exchange_context)
{
    ed_exchange *x = *exchange_context;
    (void)context;
    (void)mhd;
    if (!x)
        return MHD_NO;
    if (!x->begun)
        return begin(x, url, method, version);
    if (*n_data > 0) {
        bool ok = take_body(x, data, *n_data);
        *n_data = 0;
        return ok ? MHD_YES : MHD_NO;
    }
    return x->step == ED_STEP_ANSWERED || x->by_lines ? ed_exchange_respond(x) : end_of_request(x);
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **exchange_context,
                         enum MHD_RequestTerminationCode code)
{
    ed_exchange *x = *exchange_context;
    (void)context;
    (void)mhd;
    (void)code;
    if (!x)
        return;
    ed_connection_rests(x->http->service->connections, x->connection);
    *exchange_context = NULL;
    if (x->by_lines)
        ed_pipeline_cancel(&x->job, ED_CANCEL_GONE); /* nothing, if it is finished */
    release(x);
}

/* On the HTTP thread, or on a worker if that is the last owner. */
static void release(ed_exchange *x)
{
    if (x->by_lines && atomic_fetch_sub(&x->lines.n_owners, 1) > 1)
        return;
    if (x->by_lines && x->http_status != 0)
        ed_exchange_count(x);
    ed_buf_clear(&x->lines.pending);
    ed_upload_close(x->upload);
    ed_job_clear(&x->job, &x->http->service->budget);
    ed_clients_leave(&x->http->service->clients, x->job.ticket.client);
    atomic_fetch_sub(&x->http->n_exchanges, 1);
    ed_free(x);
}

/* ---- the header ------------------------------------------------------------------------------ */

static enum MHD_Result begin(ed_exchange *x, const char *url, const char *method,
                             const char *version)
{
    size_t body_bytes_max = x->http->service->options->body_bytes_max;
    const ed_request_line line = {method, x->uri_bytes, version};
    x->begun = true;
    snprintf(x->path, sizeof x->path, "%s", url);
    ed_request_id_make(x->request_id, header_of(x, "X-Request-Id"),
                       x->http->service->began_ns + x->http->n_begun++);
    if (!ed_connection_reads_body(x->http->service->connections, x->connection, 0))
        return MHD_NO;
    ed_problem_code code = ed_http_check_framing(x->mhd, &line, &x->body_bytes);
    if (code != ED_PROBLEM_NONE) {
        ed_problem_set(&x->job.problem, code, EMBEDD_NO_INDEX, NULL);
        return ed_exchange_respond(x); /* now: where the body ends is not certain */
    }
    code = check_request(x, url, method);
    if (code == ED_PROBLEM_NONE && x->body_bytes != SIZE_MAX && x->body_bytes > body_bytes_max)
        code = ED_PROBLEM_BODY_TOO_LARGE;
    if (code == ED_PROBLEM_NONE && open_upload(x))
        return MHD_YES;
    if (code != ED_PROBLEM_NONE)
        ed_problem_set(&x->job.problem, code, EMBEDD_NO_INDEX, NULL);
    /* A client that is still sending sees its connection break, not the reply. So a body that is
     * not wanted is read and thrown away, unless it is huge or the client has asked first. */
    bool huge = x->body_bytes != SIZE_MAX && x->body_bytes / SWALLOW_FACTOR > body_bytes_max;
    return huge || header_of(x, "Expect") ? ed_exchange_respond(x) : MHD_YES;
}

static ed_problem_code check_request(ed_exchange *x, const char *url, const char *method)
{
    const ed_guard_headers headers = {.host = header_of(x, "Host"),
                                      .origin = header_of(x, "Origin"),
                                      .fetch_site = header_of(x, "Sec-Fetch-Site"),
                                      .authorization = header_of(x, "Authorization")};
    /* A browser asks whether it may send the key before it sends it. */
    bool preflight = strcmp(method, "OPTIONS") == 0 && headers.origin &&
                     header_of(x, "Access-Control-Request-Method");
    x->route = ed_route_find(url, header_of(x, "Accept"));
    /* The key before the route: a stranger does not learn what there is. */
    bool key_needed = !preflight && (!x->route || x->route->key_needed);
    ed_problem_code code = ed_guard_check(&x->http->service->guard, &headers, key_needed);
    if (code != ED_PROBLEM_NONE)
        return code;
    x->preflight = preflight;
    if (preflight)
        return ED_PROBLEM_NONE;
    if (!x->route)
        return ED_PROBLEM_NOT_FOUND;
    if (!ed_route_allows(x->route, method))
        return ED_PROBLEM_METHOD_NOT_ALLOWED;
    return x->route->answer ? ED_PROBLEM_NONE : check_load(x);
}

/* Refused before its body is read, if it can be known so early. */
static ed_problem_code check_load(ed_exchange *x)
{
    ed_service *service = x->http->service;
    switch (ed_service_get_state(service)) {
    case ED_SERVICE_LOADING:
        return ED_PROBLEM_LOADING;
    case ED_SERVICE_DRAINING:
        return ED_PROBLEM_DRAINING;
    case ED_SERVICE_READY:
        break;
    }
    ed_client *client = ed_clients_enter(&service->clients, ed_client_id(x->mhd),
                                         service->options->queue_requests_max);
    x->job.ticket.client = client;
    x->job.memory.client = client;
    return client ? ED_PROBLEM_NONE : ED_PROBLEM_OVERLOADED;
}

/* A file may come in parts, or with options that are not in the body. */
static bool open_upload(ed_exchange *x)
{
    bool file = x->route && !x->preflight && x->route->dialect->make_texts;
    return !file || ed_upload_open(&x->upload, x->mhd, &x->job, keep_body, x);
}

static const char *header_of(ed_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

/* ---- the body -------------------------------------------------------------------------------- */

/* False if the connection must be closed. */
static bool take_body(ed_exchange *x, const char *data, size_t n_data)
{
    ed_service *service = x->http->service;
    size_t n_max = service->options->body_bytes_max;
    if (!ed_connection_reads_body(service->connections, x->connection, n_data))
        return false;
    bool wanted = x->job.problem.code == ED_PROBLEM_NONE && x->route && !x->preflight;
    if (wanted &&
        (x->upload ? ed_upload_read(x->upload, data, n_data) : keep_body(x, data, n_data)))
        return true;
    x->n_swallowed += n_data;
    return x->n_swallowed / SWALLOW_FACTOR <= n_max;
}

static bool keep_body(void *context, const char *data, size_t n_data)
{
    ed_exchange *x = context;
    if (!grow_body(x, n_data))
        return false;
    memcpy(x->job.body + x->job.n_body, data, n_data);
    x->job.n_body += n_data;
    return true;
}

/* Room for n_data more bytes, within the body's limit and the budget of all requests. */
static bool grow_body(ed_exchange *x, size_t n_data)
{
    ed_job *job = &x->job;
    ed_service *service = x->http->service;
    size_t n_max = service->options->body_bytes_max;
    ed_problem_code code = ED_PROBLEM_NONE;
    if (n_data <= x->body_cap - job->n_body)
        return true;
    if (n_data > n_max - job->n_body) {
        code = ED_PROBLEM_BODY_TOO_LARGE;
    } else {
        size_t cap = x->body_bytes; /* all of it, if that is known */
        if (cap == SIZE_MAX) {
            cap = x->body_cap ? x->body_cap : BODY_BYTES_FIRST;
            while (cap < job->n_body + n_data)
                cap *= 2;
            cap = cap < n_max ? cap : n_max;
        }
        char *body = NULL;
        if (!ed_budget_take(&service->budget, &job->memory, cap - x->body_cap))
            code = ED_PROBLEM_OVERLOADED;
        else if (!(body = ed_realloc(job->body, cap, 1)))
            code = ED_PROBLEM_OUT_OF_MEMORY;
        else
            job->body = body;
        x->body_cap = cap;
    }
    if (code == ED_PROBLEM_NONE)
        return true;
    ed_job_clear(job, &service->budget);
    return ed_problem_set(&job->problem, code, EMBEDD_NO_INDEX, NULL);
}

/* ---- the work -------------------------------------------------------------------------------- */

static enum MHD_Result end_of_request(ed_exchange *x)
{
    if (x->upload && x->job.problem.code == ED_PROBLEM_NONE)
        ed_upload_end(x->upload);
    if (x->job.problem.code == ED_PROBLEM_NONE && !x->preflight) {
        if (!x->route->answer)
            return start_job(x);
        ed_buf_init(&x->job.reply, ED_ANSWER_BYTES_MAX);
        x->http_status = x->route->answer(&(ed_call){.service = x->http->service,
                                                     .path = x->path,
                                                     .body = x->job.body,
                                                     .n_body = x->job.n_body,
                                                     .reply = &x->job.reply,
                                                     .problem = &x->job.problem});
    }
    return ed_exchange_respond(x);
}

static enum MHD_Result start_job(ed_exchange *x)
{
    ed_service *service = x->http->service;
    x->job.pipeline = service->pipeline;
    x->job.finished = on_finished;
    x->job.request.dialect = x->route->dialect;
    if (!ed_connection_works(service->connections, x->connection, &x->job))
        return MHD_NO;
    x->step = ED_STEP_WORKING;
    if (x->route->dialect->put_line) {
        x->by_lines = true;
        x->job.progress = on_progress;
        atomic_store(&x->lines.n_owners, 2);
        atomic_store(&x->lines.asleep, true);
        ed_buf_init(&x->lines.pending, SIZE_MAX);
    }
    atomic_fetch_add(&x->http->n_jobs, 1);
    MHD_suspend_connection(x->mhd);
    ed_pipeline_start(&x->job);
    return MHD_YES;
}

/* On a worker. Once the connection is resumed, the exchange is the HTTP thread's again. */
static void on_finished(ed_job *job)
{
    ed_exchange *x = (ed_exchange *)job;
    ed_http *http = x->http;
    if (x->by_lines) {
        ed_connections_end_work(http->service->connections, job, job->reply.n_bytes);
        atomic_store(&x->lines.finished, true);
        ed_exchange_wake(x);
        release(x);
        atomic_fetch_sub(&http->n_jobs, 1);
        return;
    }
    x->step = ED_STEP_ANSWERED;
    x->http_status = 200;
    ed_connection_sends(http->service->connections, x->connection, job->reply.n_bytes);
    MHD_resume_connection(x->mhd);
    atomic_fetch_sub(&http->n_jobs, 1);
}

/* On a computing thread. */
static void on_progress(ed_job *job)
{
    ed_exchange_wake((ed_exchange *)job);
}
