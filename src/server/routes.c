/* In: a path. Out: who answers it. */
#include "server/routes.h"

#include "server/lifecycle.h"
#include "server/status_report.h"

#include <string.h>

static unsigned answer_shutdown(ed_service *service, ed_buf *reply, ed_problem *problem);

static const ed_route routes[] = {
    {"/health", ED_METHOD_GET, false, ed_report_health},
    {"/info", ED_METHOD_GET, true, ed_report_info},
    {"/embed", ED_METHOD_POST, true, NULL},
    {"/shutdown", ED_METHOD_POST, true, answer_shutdown},
};

const ed_route *ed_route_find(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

const char *ed_route_methods(const ed_route *route)
{
    return route->methods & ED_METHOD_GET ? "GET, HEAD" : "POST";
}

bool ed_route_allows(const ed_route *route, const char *method)
{
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    return (get && (route->methods & ED_METHOD_GET)) ||
           (strcmp(method, "POST") == 0 && (route->methods & ED_METHOD_POST));
}

/* The process drains once this reply is on its way, too. */
static unsigned answer_shutdown(ed_service *service, ed_buf *reply, ed_problem *problem)
{
    (void)service;
    (void)problem;
    ed_lifecycle_tell(ED_EVENT_STOP);
    ed_buf_append_text(reply, "{\"status\":\"draining\"}\n");
    return 200;
}
