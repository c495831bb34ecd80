/* In: the header lines as libmicrohttpd has parsed them. Out: whether they can be trusted. Never
 * looks at the body. */
#include "server/http_framing.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_BYTES_MAX 16384
#define HEADER_LINES_MAX 100

/* A second line of these would be another request, or another caller. */
static const char *const singles[] = {"Host",   "Content-Length", "Transfer-Encoding",
                                      "Origin", "Authorization",  "Sec-Fetch-Site"};
#define N_SINGLES (sizeof singles / sizeof *singles)
enum { HOST = 0 };

typedef struct header_sum {
    size_t n_lines;
    size_t n_bytes; /* that the parsed lines account for */
    bool malformed;
    unsigned seen; /* bit i: singles[i] */
} header_sum;

static enum MHD_Result add_line(void *context, enum MHD_ValueKind kind, const char *name,
                                size_t n_name, const char *value, size_t n_value);
static bool is_token(const char *name, size_t n_name);
static bool adds_up(struct MHD_Connection *connection, const ed_request_line *line,
                    const header_sum *sum);

ed_problem_code ed_http_check_framing(struct MHD_Connection *connection,
                                      const ed_request_line *line, size_t *body_bytes)
{
    header_sum sum = {0};
    *body_bytes = 0;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_line, &sum);
    if (sum.malformed)
        return ED_PROBLEM_MALFORMED_HTTP;
    if (sum.n_lines > HEADER_LINES_MAX || sum.n_bytes > HEADER_BYTES_MAX)
        return ED_PROBLEM_HEADER_TOO_LARGE;
    bool has_host = sum.seen & 1u << HOST;
    if (!adds_up(connection, line, &sum) || (!has_host && strcmp(line->version, "HTTP/1.0") != 0))
        return ED_PROBLEM_MALFORMED_HTTP;

    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    const char *coding =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding");
    if (length && coding)
        return ED_PROBLEM_MALFORMED_HTTP;
    if (coding) {
        *body_bytes = SIZE_MAX;
        return strcasecmp(coding, "chunked") == 0 ? ED_PROBLEM_NONE : ED_PROBLEM_UNSUPPORTED_CODING;
    }
    if (length) { /* digits only, libmicrohttpd has seen to that; ULLONG_MAX if there are too many
                   */
        unsigned long long value = strtoull(length, NULL, 10);
        *body_bytes = value < SIZE_MAX - 1 ? (size_t)value : SIZE_MAX - 1;
    }
    return ED_PROBLEM_NONE;
}

static enum MHD_Result add_line(void *context, enum MHD_ValueKind kind, const char *name,
                                size_t n_name, const char *value, size_t n_value)
{
    header_sum *sum = context;
    (void)kind;
    /* name, colon, blanks, value, line end: the value is where it was received */
    size_t n_before = (size_t)((uintptr_t)value - (uintptr_t)name);
    if (!is_token(name, n_name) || n_before <= n_name || n_before > HEADER_BYTES_MAX)
        sum->malformed = true;
    sum->n_lines++;
    sum->n_bytes += n_before + n_value + 2;
    for (size_t i = 0; i < N_SINGLES; i++) {
        if (strcasecmp(name, singles[i]) != 0)
            continue;
        sum->malformed |= sum->seen >> i & 1;
        sum->seen |= 1u << i;
    }
    return MHD_YES;
}

/* "Content-Length :" is another field to some readers and the same to others. */
static bool is_token(const char *name, size_t n_name)
{
    for (size_t i = 0; i < n_name; i++)
        if (name[i] <= ' ' || name[i] > '~' || strchr("\"(),/:;<=>?@[\\]{}", name[i]))
            return false;
    return n_name > 0;
}

/* libmicrohttpd before 1.0 takes a bare LF for a line end, joins folded lines, cuts a value at a
 * NUL and skips blanks in the request line. In each case the parsed parts account for other bytes
 * than were received. Later versions refuse by themselves, see MHD_OPTION_CLIENT_DISCIPLINE_LVL. */
static bool adds_up(struct MHD_Connection *connection, const ed_request_line *line,
                    const header_sum *sum)
{
#if MHD_VERSION < 0x01000000
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size_t n_line = strlen(line->method) + 1 + line->uri_bytes + 1 + strlen(line->version) + 2;
    return info && info->header_size == n_line + sum->n_bytes + 2;
#else
    (void)connection, (void)line, (void)sum;
    return true;
#endif
}
