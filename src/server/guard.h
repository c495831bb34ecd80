/* Who may call: a web page the user visits must not, whatever it tries (DNS rebinding, a form, a
 * fetch without preflight); a program on this machine may, with the key if one is set. */
#ifndef ED_GUARD_H
#define ED_GUARD_H

#include "server/problem.h"

typedef struct ed_guard {
    const char *host; /* the address that is bound; a Host header may name it, too */
    unsigned port;
    bool any_host;              /* callers use names unknown here, or none: any Host passes */
    const char *api_key;        /* NULL = none needed, and any Authorization passes */
    const char *const *origins; /* [n_origins] */
    size_t n_origins;
} ed_guard;

/* Of one request; NULL = absent. */
typedef struct ed_guard_headers {
    const char *host;
    const char *origin;
    const char *fetch_site; /* Sec-Fetch-Site: every current browser sends it */
    const char *authorization;
} ed_guard_headers;

/* ED_PROBLEM_NONE, FORBIDDEN_HOST, FORBIDDEN_ORIGIN, or UNAUTHORIZED if the route needs the key. */
ed_problem_code ed_guard_check(const ed_guard *guard, const ed_guard_headers *headers,
                               bool key_needed);

/* True if this browser's origin was listed: the reply names it in its CORS headers. */
bool ed_guard_lists_origin(const ed_guard *guard, const char *origin);

#endif
