/* In: a path at the hub. Out: its bytes, in order, each once. The access token goes to the hub and
 * nowhere else; redirects are followed here, one by one, so that this is plain to see. */
#include "hub/transfer.h"

#include "base/error.h"
#include "base/memory.h"
#include "hub/address.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define HOPS_MAX          10
#define TRIES_MAX         5 /* in a row, without a new byte */
#define FIRST_PAUSE_MS    300u
#define PAUSE_MS_MAX      60000u
#define PAUSE_TICK_MS     100u
#define CONNECT_SECONDS   20L
#define STALL_SECONDS     30L /* without a byte */
#define ENDPOINT_MAX      512
#define HEADER_VALUE_MAX  128
#define HEADERS_BYTES_MAX ((size_t)1024)

struct ed_transfer {
    CURL *curl;
    struct curl_slist *plain_headers;
    struct curl_slist *token_headers; /* plain_headers and the token */
    char endpoint[ENDPOINT_MAX];
    char shown[ED_ADDRESS_MAX]; /* endpoint, as messages show it */
    ed_hub_watcher watcher;
};

/* One request and its answer. */
typedef struct attempt {
    ed_transfer *transfer;
    ed_transfer_sink *sink;
    uint64_t asked_from; /* the Range's begin, 0 = no Range */
    uint64_t got_from;   /* Content-Range's begin */
    bool first_byte_seen;
    bool may_pass; /* the failure may be gone at the next try */
    unsigned retry_after_ms;
    char error_code[HEADER_VALUE_MAX]; /* the hub's own words */
    char error_message[HEADER_VALUE_MAX];
    embedd_status sink_status;
    embedd_error *err;
} attempt;

static embedd_status try_get(attempt *at, const char *path);
static bool pause_before_retry(const ed_transfer *transfer, unsigned ms, const char *reason);

/* ---- life ------------------------------------------------------------------------------------ */

static struct curl_slist *new_headers(const char *token)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept-Encoding: identity");
    char line[HEADERS_BYTES_MAX];

    if (headers == NULL || token == NULL)
        return headers;
    snprintf(line, sizeof line, "Authorization: Bearer %s", token);
    struct curl_slist *longer = curl_slist_append(headers, line);
    if (longer == NULL)
        curl_slist_free_all(headers);
    return longer;
}

static bool is_token(const char *token)
{
    for (const char *c = token; *c; c++)
        if (*c <= ' ' || *c == 0x7f)
            return false;
    return token[0] && strlen(token) < HEADERS_BYTES_MAX - 64;
}

embedd_status ed_transfer_open(ed_transfer **out, const char *endpoint, const char *token,
                               const ed_hub_watcher *watcher, embedd_error *err)
{
    size_t n = strlen(endpoint);

    while (n > 0 && endpoint[n - 1] == '/')
        n--;
    if (n >= ENDPOINT_MAX ||
        (strncasecmp(endpoint, "http://", 7) != 0 && strncasecmp(endpoint, "https://", 8) != 0))
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "HF_ENDPOINT: an address that begins with https:// or http://, not '%s'",
                       endpoint);
    if (token != NULL && !is_token(token))
        return ed_fail(err, EMBEDD_ARGUMENT, "HF_TOKEN: not an access token");
    ed_transfer *transfer = ed_calloc(1, sizeof *transfer);
    if (transfer == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        ed_free(transfer);
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    if (watcher != NULL)
        transfer->watcher = *watcher;
    memcpy(transfer->endpoint, endpoint, n);
    ed_address_show(transfer->endpoint, transfer->shown);
    transfer->curl = curl_easy_init();
    transfer->plain_headers = new_headers(NULL);
    transfer->token_headers = new_headers(token);
    if (!transfer->curl || !transfer->plain_headers || !transfer->token_headers) {
        ed_transfer_close(transfer);
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    *out = transfer;
    return EMBEDD_OK;
}

void ed_transfer_close(ed_transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_easy_cleanup(transfer->curl);
    curl_slist_free_all(transfer->plain_headers);
    curl_slist_free_all(transfer->token_headers);
    curl_global_cleanup();
    ed_free(transfer);
}

/* ---- tries ----------------------------------------------------------------------------------- */

embedd_status ed_transfer_get(ed_transfer *transfer, const char *path, ed_transfer_sink *sink,
                              embedd_error *err)
{
    embedd_error failure = {0};
    unsigned pause_ms = FIRST_PAUSE_MS;

    for (int n_tries = 1;; n_tries++) {
        uint64_t n_before = sink->n_bytes;
        attempt at = {.transfer = transfer, .sink = sink, .err = &failure};
        embedd_status status = try_get(&at, path);
        if (status == EMBEDD_OK)
            return EMBEDD_OK;
        if (sink->n_bytes > n_before) {
            n_tries = 1;
            pause_ms = FIRST_PAUSE_MS;
        }
        if (!at.may_pass || n_tries == TRIES_MAX)
            return ed_fail(err, status, "%s", failure.message);
        if (!pause_before_retry(transfer, at.retry_after_ms ? at.retry_after_ms : pause_ms,
                                failure.message))
            return ed_fail(err, status, "%s", failure.message);
        pause_ms *= 2;
    }
}

/* False if nobody waits for the next try. */
static bool pause_before_retry(const ed_transfer *transfer, unsigned ms, const char *reason)
{
    char sentence[700];
    const struct timespec tick = {.tv_nsec = PAUSE_TICK_MS * 1000000L};

    if (ms > PAUSE_MS_MAX)
        ms = PAUSE_MS_MAX;

    snprintf(sentence, sizeof sentence, "%s; trying again in %u.%u s", reason, ms / 1000,
             ms % 1000 / 100);
    if (transfer->watcher.note)
        transfer->watcher.note(transfer->watcher.context, sentence);
    for (unsigned slept_ms = 0; slept_ms < ms; slept_ms += PAUSE_TICK_MS) {
        if (ed_hub_stopped(&transfer->watcher))
            return false;
        nanosleep(&tick, NULL);
    }
    return true;
}

/* ---- one try --------------------------------------------------------------------------------- */

static size_t take_header(char *data, size_t one, size_t n_bytes, void *context);
static size_t take_body(char *data, size_t one, size_t n_bytes, void *context);
static int look_around(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d);
static embedd_status curl_failure(attempt *at, CURLcode code, const char *url);
static embedd_status http_failure(attempt *at, long http_code, const char *url);
static embedd_status next_hop(attempt *at, long http_code, char url[ED_ADDRESS_MAX]);
static embedd_status check_end(attempt *at, const char *url);

static void set_options(attempt *at)
{
    CURL *curl = at->transfer->curl;

    curl_easy_reset(curl); /* keeps the connections */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "embedd/" EMBEDD_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, at);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_around);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, at->transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, at);
}

static embedd_status try_get(attempt *at, const char *path)
{
    ed_transfer *transfer = at->transfer;
    CURL *curl = transfer->curl;
    char url[ED_ADDRESS_MAX];
    char range[64];

    at->asked_from = at->sink->n_bytes;
    snprintf(range, sizeof range, "%" PRIu64 "-", at->asked_from);
    snprintf(url, sizeof url, "%s%s", transfer->endpoint, path);
    for (int n_hops = 0; n_hops <= HOPS_MAX; n_hops++) {
        long http_code = 0;
        set_options(at);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER,
                         ed_address_same_origin(url, transfer->endpoint) ? transfer->token_headers
                                                                         : transfer->plain_headers);
        if (at->asked_from > 0)
            curl_easy_setopt(curl, CURLOPT_RANGE, range);
        CURLcode code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_code);
        if (code != CURLE_OK)
            return curl_failure(at, code, url);
        if (http_code == 200 || http_code == 206)
            return check_end(at, url);
        if (http_code < 300 || http_code >= 400)
            return http_failure(at, http_code, url);
        embedd_status status = next_hop(at, http_code, url);
        if (status != EMBEDD_OK)
            return status;
    }
    return ed_fail(at->err, EMBEDD_NETWORK, "%s%s: more than %d redirects", transfer->shown, path,
                   HOPS_MAX);
}

/* A body without a length can end anywhere. */
static embedd_status check_end(attempt *at, const char *url)
{
    const ed_transfer_sink *sink = at->sink;
    char shown[ED_ADDRESS_MAX];

    if (sink->n_bytes_total == 0 || sink->n_bytes == sink->n_bytes_total)
        return EMBEDD_OK;
    at->may_pass = true;
    return ed_fail(at->err, EMBEDD_NETWORK, "%s: ended after %" PRIu64 " of %" PRIu64 " bytes",
                   ed_address_show(url, shown), sink->n_bytes, sink->n_bytes_total);
}

/* `url` becomes the redirect's target. */
static embedd_status next_hop(attempt *at, long http_code, char url[ED_ADDRESS_MAX])
{
    char *target = NULL;
    char shown[ED_ADDRESS_MAX];

    curl_easy_getinfo(at->transfer->curl, CURLINFO_REDIRECT_URL, &target);
    if (target == NULL || strlen(target) >= ED_ADDRESS_MAX)
        return http_failure(at, http_code, url);
    bool was_secure = strncasecmp(url, "https://", 8) == 0;
    if (strncasecmp(target, "https://", 8) != 0 &&
        (was_secure || strncasecmp(target, "http://", 7) != 0))
        return ed_fail(at->err, EMBEDD_NETWORK,
                       "%s: redirects to an address that is not https, which is refused",
                       ed_address_show(url, shown));
    memcpy(url, target, strlen(target) + 1);
    return EMBEDD_OK;
}

/* ---- what comes ------------------------------------------------------------------------------ */

/* The value of header `name` in the line, without blanks and control bytes, if it is that one. */
static void read_header(const char *line, size_t n, const char *name, char *out)
{
    size_t n_name = strlen(name);
    size_t n_out = 0;

    if (n <= n_name || strncasecmp(line, name, n_name) != 0)
        return;
    for (size_t i = n_name; i < n && n_out < HEADER_VALUE_MAX - 1; i++)
        if (line[i] >= 0x20 && line[i] < 0x7f && (n_out > 0 || line[i] != ' '))
            out[n_out++] = line[i];
    out[n_out] = '\0';
}

static size_t take_header(char *data, size_t one, size_t n_bytes, void *context)
{
    attempt *at = context;
    char range[HEADER_VALUE_MAX] = "";

    (void)one;
    read_header(data, n_bytes, "x-error-code:", at->error_code);
    read_header(data, n_bytes, "x-error-message:", at->error_message);
    read_header(data, n_bytes, "content-range:", range);
    if (range[0])
        sscanf(range, "bytes %" SCNu64, &at->got_from);
    return n_bytes;
}

/* The body of 200 and 206 goes to the sink; that of errors and redirects is dropped. */
static size_t take_body(char *data, size_t one, size_t n_bytes, void *context)
{
    attempt *at = context;
    ed_transfer_sink *sink = at->sink;
    long http_code = 0;

    (void)one;
    curl_easy_getinfo(at->transfer->curl, CURLINFO_RESPONSE_CODE, &http_code);
    if (http_code != 200 && http_code != 206)
        return n_bytes;
    if (!at->first_byte_seen && http_code == 206 && at->got_from != sink->n_bytes) {
        at->sink_status =
            ed_fail(at->err, EMBEDD_NETWORK, "the server sent other bytes than those asked for");
    } else if (!at->first_byte_seen && http_code == 200 && sink->n_bytes > 0) {
        at->sink_status = sink->restart(sink->context, at->err);
        sink->n_bytes = 0;
    }
    at->first_byte_seen = true;
    if (at->sink_status == EMBEDD_OK)
        at->sink_status = sink->write(sink->context, data, n_bytes, at->err);
    if (at->sink_status != EMBEDD_OK)
        return 0;
    sink->n_bytes += n_bytes;
    return n_bytes;
}

/* Called at least once a second; not 0 ends the transfer. */
static int look_around(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const ed_transfer *transfer = context;

    (void)a, (void)b, (void)c, (void)d;
    return ed_hub_stopped(&transfer->watcher);
}

/* ---- what fails ------------------------------------------------------------------------------ */

static embedd_status curl_failure(attempt *at, CURLcode code, const char *url)
{
    char shown[ED_ADDRESS_MAX];

    if (code == CURLE_WRITE_ERROR && at->sink_status != EMBEDD_OK)
        return at->sink_status; /* err is filled */
    if (code == CURLE_OUT_OF_MEMORY)
        return ed_fail(at->err, EMBEDD_MEMORY, "out of memory");
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return ed_fail(at->err, EMBEDD_NETWORK, "%s: the pull was given up",
                       ed_address_show(url, shown));
    at->may_pass = code != CURLE_URL_MALFORMAT && code != CURLE_UNSUPPORTED_PROTOCOL &&
                   code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE &&
                   code != CURLE_COULDNT_RESOLVE_HOST && code != CURLE_WRITE_ERROR;
    return ed_fail(at->err, EMBEDD_NETWORK, "%s: %s", ed_address_show(url, shown),
                   curl_easy_strerror(code));
}

static embedd_status http_failure(attempt *at, long http_code, const char *url)
{
    curl_off_t seconds = 0;
    char shown[ED_ADDRESS_MAX];

    ed_address_show(url, shown);
    if (strcmp(at->error_code, "GatedRepo") == 0)
        return ed_fail(at->err, EMBEDD_NOT_FOUND,
                       "%s: its owner asks you to accept terms first: open the model's page at %s, "
                       "accept them, and set HF_TOKEN to your access token",
                       shown, at->transfer->shown);
    if (strcmp(at->error_code, "RevisionNotFound") == 0)
        return ed_fail(at->err, EMBEDD_NOT_FOUND, "%s: the model has no such revision", shown);
    if (http_code == 401 || http_code == 403)
        return ed_fail(at->err, EMBEDD_NOT_FOUND,
                       "%s: there is no such model, or it is private and HF_TOKEN is missing or "
                       "does not open it (%s)",
                       shown, at->error_message[0] ? at->error_message : "access denied");
    if (http_code == 404 || http_code == 410)
        return ed_fail(at->err, EMBEDD_NOT_FOUND, "%s: not found", shown);
    if (http_code == 416) { /* more is held than there is: begin again */
        embedd_status status = at->sink->restart(at->sink->context, at->err);
        if (status != EMBEDD_OK)
            return status;
        at->sink->n_bytes = 0;
    }
    curl_easy_getinfo(at->transfer->curl, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0)
        at->retry_after_ms = seconds > 60 ? PAUSE_MS_MAX : (unsigned)seconds * 1000;
    at->may_pass = http_code == 408 || http_code == 416 || http_code == 429 || http_code >= 500;
    return ed_fail(at->err, EMBEDD_NETWORK, "%s: HTTP %ld%s%s", shown, http_code,
                   at->error_message[0] ? ", " : "", at->error_message);
}
