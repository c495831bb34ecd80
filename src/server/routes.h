/* The table of routes: paths, methods, and what answers them. */
#ifndef ED_ROUTES_H
#define ED_ROUTES_H

#include "server/dialect.h"
#include "server/service.h"

enum {
    ED_METHOD_GET = 1 << 0, /* and HEAD */
    ED_METHOD_POST = 1 << 1,
    ED_METHOD_DELETE = 1 << 2
};

/* A request that is answered at once. */
typedef struct ed_call {
    ed_service *service;
    const char *path;
    char *body; /* [n_body], read in place; empty for GET */
    size_t n_body;
    ed_buf *reply;
    ed_problem *problem;
} ed_call;

typedef struct ed_route {
    const char *path; /* one that ends in '/' stands for all below it, too; but not "/" */
    unsigned methods;
    bool key_needed;           /* if one is set */
    const ed_dialect *dialect; /* of its errors, and of vectors */
    /* Answered at once, on the HTTP thread: fills `reply`, returns the HTTP status or 0 with a
     * problem. NULL = a request for vectors, which goes through the pipeline. */
    unsigned (*answer)(const ed_call *call);
    const char *content_type; /* NULL = JSON */
    bool if_accepted;         /* only for a client whose Accept header names the content_type */
} ed_route;

/* `accept` is the header's value or NULL. NULL = there is none. */
const ed_route *ed_route_find(const char *path, const char *accept);
/* For counting: another number for another path, one of its own for NULL; and that path. */
size_t ed_route_number(const ed_route *route);
const char *ed_route_path(size_t number);
/* "GET, HEAD" */
const char *ed_route_methods(const ed_route *route);
bool ed_route_allows(const ed_route *route, const char *method);

#endif
