/* In: what is known when a reply is ready. Out: header lines. Never a value that a client has sent,
 * but for an origin that is listed, a request id that was checked, and names of headers that a
 * listed origin asks for. */
#include "server/http_headers.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

static ed_problem_code code_of(const ed_reply_head *head);
static const char *header_of(const ed_reply_head *head, const char *name);
static void add_number(struct MHD_Response *response, const char *name, uint64_t value);
static void add_retry(struct MHD_Response *response, const ed_reply_head *head);
static void add_timing(struct MHD_Response *response, const ed_job *job);
static void add_shape(struct MHD_Response *response, const ed_job *job);
static void add_page_rules(struct MHD_Response *response);
static void add_cors(struct MHD_Response *response, const ed_reply_head *head);

void ed_http_add_headers(struct MHD_Response *response, const ed_reply_head *head)
{
    const ed_route *route = head->route;
    ed_problem_code code = code_of(head);
    bool other = code == ED_PROBLEM_NONE && route && route->content_type;
    if (!head->preflight)
        MHD_add_response_header(response, "Content-Type",
                                other ? route->content_type : "application/json");
    if (head->request_id[0])
        MHD_add_response_header(response, "X-Request-Id", head->request_id);
    if (code == ED_PROBLEM_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", ed_route_methods(route));
    if (code == ED_PROBLEM_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    add_retry(response, head);
    if (route && !route->answer && !head->begun_only && head->job->finished_ns > 0)
        add_timing(response, head->job);
    if (other && !route->answer && head->job->n_dimensions > 0)
        add_shape(response, head->job);
    if (other && strncmp(route->content_type, "text/html", 9) == 0)
        add_page_rules(response);
    if (ed_guard_lists_origin(head->guard, header_of(head, "Origin")))
        add_cors(response, head);
}

static ed_problem_code code_of(const ed_reply_head *head)
{
    return head->begun_only ? ED_PROBLEM_NONE : head->job->problem.code;
}

static const char *header_of(const ed_reply_head *head, const char *name)
{
    return MHD_lookup_connection_value(head->connection, MHD_HEADER_KIND, name);
}

static void add_number(struct MHD_Response *response, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    MHD_add_response_header(response, name, text);
}

static void add_retry(struct MHD_Response *response, const ed_reply_head *head)
{
    ed_problem_code code = code_of(head);
    unsigned seconds = code == ED_PROBLEM_NONE ? 0 : ed_problem_retry_seconds(code);
    if (seconds > 0)
        add_number(response, "Retry-After", seconds);
    if (head->http_status >= 500 ||
        head->http_status == 429) /* clients retry these by themselves */
        MHD_add_response_header(response, "x-should-retry", seconds > 0 ? "true" : "false");
}

/* Milliseconds, as browsers and curl show them; "compute" is the wait for a batch, too. */
static void add_timing(struct MHD_Response *response, const ed_job *job)
{
    char text[128];
    double began = (double)job->began_ns, total = (double)job->finished_ns - began;
    double prepare = job->prepared_ns ? (double)job->prepared_ns - began : total;
    double computed = job->computed_ns ? (double)job->computed_ns - began : prepare;
    snprintf(text, sizeof text,
             "prepare;dur=%.3f, compute;dur=%.3f, reply;dur=%.3f, total;dur=%.3f", prepare * 1e-6,
             (computed - prepare) * 1e-6, (total - computed) * 1e-6, total * 1e-6);
    MHD_add_response_header(response, "Server-Timing", text);
}

/* What a reply of bytes does not say by itself. */
static void add_shape(struct MHD_Response *response, const ed_job *job)
{
    add_number(response, "X-Embedd-Dimensions", job->n_dimensions);
    add_number(response, "X-Embedd-Tokens", job->ticket.n_tokens);
    add_number(response, "X-Embedd-Truncated", job->n_truncated);
}

/* The page asks this server only, and stands in no other page's frame. */
static void add_page_rules(struct MHD_Response *response)
{
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; "
                            "script-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
                            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Vary", "Accept");
}

/* For a listed origin only, and never for any other. */
static void add_cors(struct MHD_Response *response, const ed_reply_head *head)
{
    MHD_add_response_header(response, "Access-Control-Allow-Origin", header_of(head, "Origin"));
    MHD_add_response_header(response, "Vary", "Origin");
    if (!head->preflight) {
        MHD_add_response_header(response, "Access-Control-Expose-Headers",
                                "Retry-After, Server-Timing, X-Request-Id, X-Embedd-Dimensions, "
                                "X-Embedd-Tokens, X-Embedd-Truncated");
        return;
    }
    const char *headers = header_of(head, "Access-Control-Request-Headers");
    MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET, HEAD, POST");
    if (headers)
        MHD_add_response_header(response, "Access-Control-Allow-Headers", headers);
    if (header_of(head, "Access-Control-Request-Private-Network"))
        MHD_add_response_header(response, "Access-Control-Allow-Private-Network", "true");
    MHD_add_response_header(response, "Access-Control-Max-Age", "600");
}
