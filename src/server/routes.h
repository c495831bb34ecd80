/* The table of routes: paths, methods, and what answers them. */
#ifndef ED_ROUTES_H
#define ED_ROUTES_H

#include "server/service.h"

enum { ED_METHOD_GET = 1 << 0 /* and HEAD */, ED_METHOD_POST = 1 << 1 };

typedef struct ed_route {
    const char *path;
    unsigned methods;
    bool key_needed; /* if one is set */
    /* Answered at once, on the HTTP thread: fills `reply`, returns the HTTP status or 0 with a
     * problem. NULL = a request for vectors, which goes through the pipeline. */
    unsigned (*answer)(ed_service *service, ed_buf *reply, ed_problem *problem);
} ed_route;

/* NULL = there is none. */
const ed_route *ed_route_find(const char *path);
/* "GET, HEAD" */
const char *ed_route_methods(const ed_route *route);
bool ed_route_allows(const ed_route *route, const char *method);

#endif
