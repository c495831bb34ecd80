/* In: four headers. Out: pass, or why not. Never compares the key in a time that tells how much of
 * it was right. */
#include "server/guard.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool host_is_ours(const ed_guard *guard, const char *host);
static bool port_is_ours(const ed_guard *guard, const char *port);
static bool origin_is_ours(const ed_guard *guard, const char *origin);
static bool origin_passes(const ed_guard *guard, const ed_guard_headers *headers);
static bool key_matches(const char *api_key, const char *authorization);

ed_problem_code ed_guard_check(const ed_guard *guard, const ed_guard_headers *headers,
                               bool key_needed)
{
    if (!guard->any_host && !host_is_ours(guard, headers->host))
        return ED_PROBLEM_FORBIDDEN_HOST;
    if (!origin_passes(guard, headers))
        return ED_PROBLEM_FORBIDDEN_ORIGIN;
    if (guard->api_key && key_needed && !key_matches(guard->api_key, headers->authorization))
        return ED_PROBLEM_UNAUTHORIZED;
    return ED_PROBLEM_NONE;
}

bool ed_guard_lists_origin(const ed_guard *guard, const char *origin)
{
    for (size_t i = 0; origin && i < guard->n_origins; i++)
        if (strcmp(guard->origins[i], origin) == 0)
            return true;
    return false;
}

/* Against DNS rebinding: the name of a page's server may be made to point here, but it stays that
 * name. */
static bool host_is_ours(const ed_guard *guard, const char *host)
{
    char bound[80];
    if (!host)
        return false;
    snprintf(bound, sizeof bound, strchr(guard->host, ':') ? "[%s]" : "%s", guard->host);
    const char *names[] = {"127.0.0.1", "localhost", "[::1]", bound};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n_name = strlen(names[i]);
        if (strncasecmp(host, names[i], n_name) == 0 && port_is_ours(guard, host + n_name))
            return true;
    }
    return false;
}

/* "" or ":8421", what follows the name. */
static bool port_is_ours(const ed_guard *guard, const char *port)
{
    char ours[16];
    snprintf(ours, sizeof ours, ":%u", guard->port);
    return *port == '\0' || strcmp(port, ours) == 0;
}

static bool origin_passes(const ed_guard *guard, const ed_guard_headers *headers)
{
    const char *site = headers->fetch_site;
    bool same = site && strcasecmp(site, "same-origin") == 0; /* a page of this server */
    if (headers->origin)
        return (same && origin_is_ours(guard, headers->origin)) ||
               ed_guard_lists_origin(guard, headers->origin);
    return !site || same || strcasecmp(site, "none") == 0; /* "none" is the address bar */
}

/* The page at GET /, under a name that nobody else can have. Without its port an origin is that of
 * another server on this machine. */
static bool origin_is_ours(const ed_guard *guard, const char *origin)
{
    static const char scheme[] = "http://";
    const char *host = origin + sizeof scheme - 1;
    if (strncmp(origin, scheme, sizeof scheme - 1) != 0 || !host_is_ours(guard, host))
        return false;
    const char *end = strchr(host, ']');
    return guard->port == 80 || strchr(end ? end : host, ':');
}

static bool key_matches(const char *api_key, const char *authorization)
{
    static const char scheme[] = "bearer ";
    size_t n_scheme = sizeof scheme - 1;
    if (!authorization || strncasecmp(authorization, scheme, n_scheme) != 0)
        return false;
    const char *given = authorization + n_scheme + strspn(authorization + n_scheme, " ");
    size_t n_given = strlen(given), n_key = strlen(api_key);
    /* Every byte given is looked at, also of a key with the wrong length. */
    unsigned char difference = n_given != n_key;
    for (size_t i = 0; i < n_given; i++)
        difference |= (unsigned char)(given[i] ^ api_key[n_key ? i % n_key : 0]);
    return difference == 0;
}
