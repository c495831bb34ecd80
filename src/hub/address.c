/* In: addresses from the environment and from servers. Out: answers about them; no secret of an
 * address gets into a message. */
#include "hub/address.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = NULL;
    char *y = NULL;
    bool same = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK && strcasecmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return same;
}

bool ed_address_same_origin(const char *a, const char *b)
{
    CURLU *x = curl_url();
    CURLU *y = curl_url();
    bool same = x && y && curl_url_set(x, CURLUPART_URL, a, 0) == CURLUE_OK &&
                curl_url_set(y, CURLUPART_URL, b, 0) == CURLUE_OK &&
                same_part(x, y, CURLUPART_SCHEME) && same_part(x, y, CURLUPART_HOST) &&
                same_part(x, y, CURLUPART_PORT);
    curl_url_cleanup(x);
    curl_url_cleanup(y);
    return same;
}

const char *ed_address_show(const char *address, char shown[ED_ADDRESS_MAX])
{
    const char *host = strstr(address, "://");
    host = host ? host + 3 : address;
    size_t n_host = strcspn(host, "/?#");
    const char *user_end = memchr(host, '@', n_host);
    size_t n = 0;

    for (const char *c = address; *c && *c != '?' && *c != '#' && n < ED_ADDRESS_MAX - 1; c++)
        if ((c < host || !user_end || c > user_end) && *c > ' ' && *c < 0x7f)
            shown[n++] = *c;
    shown[n] = '\0';
    return shown;
}
