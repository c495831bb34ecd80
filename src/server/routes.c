/* In: a path. Out: who answers it. */
#include "server/routes.h"

#include "server/embedded_files.h"
#include "server/lifecycle.h"
#include "server/metrics_report.h"
#include "server/model_report.h"
#include "server/status_report.h"

#include <stdio.h>
#include <string.h>

static bool path_matches(const ed_route *route, const char *path);
static bool is_accepted(const ed_route *route, const char *accept);
static unsigned answer_shutdown(const ed_call *call);
static unsigned refuse_delete(const ed_call *call);

#define GET     ED_METHOD_GET
#define POST    ED_METHOD_POST
#define DELETE  ED_METHOD_DELETE
#define SIDECAR &ed_dialect_sidecar
#define OLLAMA  &ed_dialect_ollama
#define OPENAI  &ed_dialect_openai

static const ed_route routes[] = {
    /* our own, and TEI's where it has the same */
    {"/", GET, false, SIDECAR, ed_report_page, "text/html; charset=utf-8", true},
    {"/", GET, false, SIDECAR, ed_report_running, "text/plain; charset=utf-8", false},
    {"/health", GET, false, SIDECAR, ed_report_health, NULL, false},
    {"/info", GET, true, SIDECAR, ed_report_info, NULL, false},
    {"/metrics", GET, true, SIDECAR, ed_report_metrics, "text/plain; version=0.0.4", false},
    {"/openapi.json", GET, true, SIDECAR, ed_report_openapi, NULL, false},
    {"/embed", POST, true, &ed_dialect_binary, NULL, "application/octet-stream", true},
    {"/embed", POST, true, &ed_dialect_lines, NULL, "application/x-ndjson", true},
    {"/embed", POST, true, SIDECAR, NULL, NULL, false},
    {"/embed-file", POST, true, &ed_dialect_file, NULL, NULL, false},
    {"/embed_all", POST, true, &ed_dialect_tokens, NULL, NULL, false},
    {"/embed_sparse", POST, true, &ed_dialect_sparse, NULL, NULL, false},
    {"/tokenize", POST, true, &ed_dialect_tokenize, NULL, NULL, false},
    {"/decode", POST, true, &ed_dialect_decode, NULL, NULL, false},
    {"/rerank", POST, true, &ed_dialect_rerank, NULL, NULL, false},
    {"/v1/rerank", POST, true, &ed_dialect_cohere, NULL, NULL, false},
    {"/v2/rerank", POST, true, &ed_dialect_cohere, NULL, NULL, false},
    {"/similarity", POST, true, &ed_dialect_similarity, NULL, NULL, false},
    {"/shutdown", POST, true, SIDECAR, answer_shutdown, NULL, false},
    /* Ollama's */
    {"/api/embed", POST, true, OLLAMA, NULL, NULL, false},
    {"/api/embeddings", POST, true, &ed_dialect_ollama_prompt, NULL, NULL, false},
    {"/api/version", GET, true, OLLAMA, ed_report_version, NULL, false},
    {"/api/tags", GET, true, OLLAMA, ed_report_tags, NULL, false},
    {"/api/ps", GET, true, OLLAMA, ed_report_running_models, NULL, false},
    {"/api/show", POST, true, OLLAMA, ed_report_show, NULL, false},
    {"/api/pull", POST, true, &ed_dialect_ollama_pull, NULL, "application/x-ndjson", false},
    {"/api/delete", DELETE, true, OLLAMA, refuse_delete, NULL, false},
    /* OpenAI's */
    {"/v1/embeddings", POST, true, OPENAI, NULL, NULL, false},
    {"/embeddings", POST, true, OPENAI, NULL, NULL, false},
    {"/v1/models", GET, true, OPENAI, ed_report_models, NULL, false},
    {"/v1/models/", GET, true, OPENAI, ed_report_models, NULL, false},
};

#define N_ROUTES (sizeof routes / sizeof *routes)
_Static_assert(N_ROUTES < ED_METRICS_ROUTES, "each route is counted by itself");

const ed_route *ed_route_find(const char *path, const char *accept)
{
    for (size_t i = 0; i < N_ROUTES; i++) {
        const ed_route *route = &routes[i];
        if (path_matches(route, path) && (!route->if_accepted || is_accepted(route, accept)))
            return route;
    }
    return NULL;
}

static bool path_matches(const ed_route *route, const char *path)
{
    size_t n = strlen(route->path);
    bool below = n > 1 && route->path[n - 1] == '/' && strncmp(route->path, path, n) == 0;
    return below || strcmp(route->path, path) == 0;
}

/* The first row of a path stands for all of them. */
size_t ed_route_number(const ed_route *route)
{
    size_t i = 0;
    while (i < N_ROUTES && (!route || strcmp(routes[i].path, route->path) != 0))
        i++;
    return i;
}

const char *ed_route_path(size_t number)
{
    return number < N_ROUTES ? routes[number].path : "other";
}

/* By name: a client that takes anything gets what it always got. */
static bool is_accepted(const ed_route *route, const char *accept)
{
    char type[64];
    snprintf(type, sizeof type, "%.*s", (int)strcspn(route->content_type, ";"),
             route->content_type);
    return accept && strstr(accept, type);
}

const char *ed_route_methods(const ed_route *route)
{
    if (route->methods & ED_METHOD_GET)
        return "GET, HEAD";
    return route->methods & ED_METHOD_POST ? "POST" : "DELETE";
}

bool ed_route_allows(const ed_route *route, const char *method)
{
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    return (get && (route->methods & ED_METHOD_GET)) ||
           (strcmp(method, "POST") == 0 && (route->methods & ED_METHOD_POST)) ||
           (strcmp(method, "DELETE") == 0 && (route->methods & ED_METHOD_DELETE));
}

/* The process drains once this reply is on its way, too. */
static unsigned answer_shutdown(const ed_call *call)
{
    ed_lifecycle_tell(ED_EVENT_STOP);
    ed_buf_append_text(call->reply, "{\"status\":\"draining\"}\n");
    return 200;
}

/* Whoever may ask for vectors may not empty the disk. */
static unsigned refuse_delete(const ed_call *call)
{
    ed_problem_set(call->problem, ED_PROBLEM_FORBIDDEN_CHANGE, EMBEDD_NO_INDEX, NULL);
    return 0;
}
