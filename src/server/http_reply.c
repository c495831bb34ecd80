/* In: a job that is done, or begun. Out: status, headers and body. Runs on the HTTP thread and
 * never waits. */
#include "server/exchange.h"

#include "base/clock.h"
#include "server/http_headers.h"
#include "server/log.h"

#include <string.h>

#define LINES_BYTES ((size_t)32 << 10) /* of a reply by lines, at once */

static struct MHD_Response *make_response(ed_exchange *x);
static ssize_t send_lines(void *context, uint64_t at, char *out, size_t n_max);
static bool fill_pending(ed_exchange *x);
static void note_refusal(const ed_exchange *x);
static const ed_dialect *dialect_of(const ed_exchange *x);

enum MHD_Result ed_exchange_respond(ed_exchange *x)
{
    ed_job *job = &x->job;
    ed_buf *reply = &job->reply;
    if (atomic_load(&job->cancel) == ED_CANCEL_GONE)
        return MHD_NO;
    bool whole = !x->by_lines || atomic_load(&x->lines.finished);
    if (x->by_lines)
        x->http_status = 200;
    if (whole && job->problem.code != ED_PROBLEM_NONE) {
        const ed_dialect *dialect = dialect_of(x);
        x->http_status = dialect->http_status ? dialect->http_status(job->problem.code)
                                              : ed_problem_http_status(job->problem.code);
        ed_buf_clear(reply);
        ed_buf_init(reply, ED_ANSWER_BYTES_MAX);
        dialect->put_problem(reply, &job->problem);
        note_refusal(x);
    }
    if (whole && reply->failed)
        return MHD_NO;
    struct MHD_Response *response = make_response(x);
    if (!response)
        return MHD_NO;
    if (x->preflight)
        x->http_status = 204;
    if (!x->by_lines)
        ed_exchange_count(x);
    ed_http_add_headers(response, &(ed_reply_head){.connection = x->mhd,
                                                   .guard = &x->http->service->guard,
                                                   .route = x->route,
                                                   .job = job,
                                                   .begun_only = !whole,
                                                   .request_id = x->request_id,
                                                   .http_status = x->http_status,
                                                   .preflight = x->preflight});
    enum MHD_Result result = MHD_queue_response(x->mhd, x->http_status, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Response *make_response(ed_exchange *x)
{
    ed_buf *reply = &x->job.reply;
    if (x->by_lines && x->http_status == 200)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, LINES_BYTES, send_lines, x,
                                                 NULL);
    ed_connection_sends(x->http->service->connections, x->connection, reply->n_bytes);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(reply->n_bytes, reply->data, ed_free);
    if (response)
        *reply = (ed_buf){0}; /* the response's now */
    return response;
}

void ed_exchange_wake(ed_exchange *x)
{
    if (atomic_exchange(&x->lines.asleep, false))
        MHD_resume_connection(x->mhd);
}

/* What is there of the next lines, on the HTTP thread; sleeps where there is none. */
static ssize_t send_lines(void *context, uint64_t at, char *out, size_t n_max)
{
    ed_exchange *x = context;
    ed_lines *l = &x->lines;
    (void)at;
    if (l->n_pending_sent == l->pending.n_bytes && !fill_pending(x)) {
        if (atomic_load(&x->job.cancel) == ED_CANCEL_GONE || l->pending.failed)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (l->end_sent)
            return MHD_CONTENT_READER_END_OF_STREAM;
        MHD_suspend_connection(x->mhd);
        atomic_store(&l->asleep, true);
        /* Whatever came before that store has woken nobody. */
        if (atomic_load(&l->finished) || atomic_load(&x->job.n_computed) > l->n_sent)
            ed_exchange_wake(x);
        return 0;
    }
    size_t n = l->pending.n_bytes - l->n_pending_sent;
    n = n < n_max ? n : n_max;
    memcpy(out, l->pending.data + l->n_pending_sent, n);
    l->n_pending_sent += n;
    return (ssize_t)n;
}

/* One line more; false if there is none yet, or none any more. */
static bool fill_pending(ed_exchange *x)
{
    ed_job *job = &x->job;
    ed_lines *l = &x->lines;
    bool finished = atomic_load(&l->finished); /* before what it may have added */
    l->n_pending_sent = 0;
    ed_buf_reset(&l->pending);
    if (l->n_sent < atomic_load(&job->n_computed)) {
        if (!ed_job_put_line(job, &l->pending, l->n_sent++))
            l->pending.failed = true;
        return !l->pending.failed;
    }
    if (!finished || l->end_sent)
        return false;
    l->end_sent = true;
    if (job->problem.code == ED_PROBLEM_NONE)
        ed_buf_append(&l->pending, job->reply.data, job->reply.n_bytes);
    else
        dialect_of(x)->put_problem(&l->pending, &job->problem);
    return !l->pending.failed;
}

/* In the log, and among the last ones. */
static void note_refusal(const ed_exchange *x)
{
    ed_problem_code code = x->job.problem.code;
    ed_refusal refusal = {.at_ns = ed_clock_ns(),
                          .code = code,
                          .http_status = x->http_status,
                          .route = ed_route_path(ed_route_number(x->route))};
    memcpy(refusal.request_id, x->request_id, sizeof refusal.request_id);
    ed_refusals_add(&x->http->service->refusals, &refusal);
    ed_log(x->http_status == 500 ? ED_LOG_ERROR : ED_LOG_WARNING, "%s: %u %s, request %s",
           x->route ? x->route->path : "request", x->http_status, ed_problem_name(code),
           x->request_id);
}

void ed_exchange_count(const ed_exchange *x)
{
    const ed_job *job = &x->job;
    ed_metrics *metrics = &x->http->service->metrics;
    ed_metrics_count_request(metrics, ed_route_number(x->route), x->http_status);
    if (job->problem.code != ED_PROBLEM_NONE || job->finished_ns == 0)
        return;
    ed_histogram_add(&metrics->request_us, (job->finished_ns - job->began_ns) / 1000);
    if (job->prepared_ns > 0)
        ed_histogram_add(&metrics->prepare_us, (job->prepared_ns - job->began_ns) / 1000);
    atomic_fetch_add(&metrics->n_truncated, job->n_truncated);
    atomic_fetch_add(&metrics->n_replaced, job->n_replaced);
}

static const ed_dialect *dialect_of(const ed_exchange *x)
{
    if (x->job.request.dialect)
        return x->job.request.dialect;
    return x->route ? x->route->dialect : &ed_dialect_sidecar;
}
