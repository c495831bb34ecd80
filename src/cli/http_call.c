/* In: a URL of the user's, who measures or looks after servers of this machine. Out: a code and a
 * bounded body, with libcurl. No credentials are sent. */
#include "cli/http_call.h"

#include "base/error.h"

#include <curl/curl.h>
#include <string.h>

#define BODY_BYTES_MAX ((size_t)256 << 20)

static size_t take_body(char *data, size_t one, size_t n_bytes, void *context)
{
    (void)one;
    return ed_buf_append(context, data, n_bytes) ? n_bytes : 0;
}

embedd_status ed_http_call_open(ed_http_call *call, embedd_error *err)
{
    *call = (ed_http_call){0};
    ed_buf_init(&call->body, BODY_BYTES_MAX);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    call->curl = curl;
    call->headers = headers;
    /* Without it a large body waits for a 100 that some servers never send. */
    struct curl_slist *more = headers ? curl_slist_append(headers, "Expect:") : NULL;
    if (curl == NULL || more == NULL) {
        ed_http_call_close(call);
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "embedd/" EMBEDD_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    return EMBEDD_OK;
}

void ed_http_call_close(ed_http_call *call)
{
    curl_easy_cleanup(call->curl);
    curl_slist_free_all(call->headers);
    if (call->curl)
        curl_global_cleanup();
    ed_buf_clear(&call->body);
    *call = (ed_http_call){0};
}

embedd_status ed_http_call_send(ed_http_call *call, const char *url, const char *json,
                                size_t n_bytes, unsigned timeout_ms, embedd_error *err)
{
    CURL *curl = call->curl;

    call->code = 0;
    ed_buf_reset(&call->body);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &call->body);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    if (json) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n_bytes);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &call->code);
    if (code != CURLE_OK)
        return ed_fail(err, EMBEDD_NETWORK, "%s: %s", url, curl_easy_strerror(code));
    if (!ed_buf_append(&call->body, "", 1))
        return ed_fail(err, EMBEDD_MEMORY, "%s: the answer is too large", url);
    call->body.n_bytes--;
    return EMBEDD_OK;
}
