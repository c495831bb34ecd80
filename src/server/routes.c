/* In: a path. Out: who answers it. */
#include "server/routes.h"

#include "server/lifecycle.h"
#include "server/model_report.h"
#include "server/status_report.h"

#include <string.h>

static unsigned answer_shutdown(const ed_call *call);

#define GET     ED_METHOD_GET
#define POST    ED_METHOD_POST
#define SIDECAR &ed_dialect_sidecar
#define OLLAMA  &ed_dialect_ollama
#define OPENAI  &ed_dialect_openai

static const ed_route routes[] = {
    /* our own, and TEI's where it has the same */
    {"/", GET, false, SIDECAR, ed_report_running, "text/plain; charset=utf-8"},
    {"/health", GET, false, SIDECAR, ed_report_health, NULL},
    {"/info", GET, true, SIDECAR, ed_report_info, NULL},
    {"/metrics", GET, true, SIDECAR, ed_report_metrics, "text/plain; version=0.0.4"},
    {"/embed", POST, true, SIDECAR, NULL, NULL},
    {"/shutdown", POST, true, SIDECAR, answer_shutdown, NULL},
    /* Ollama's */
    {"/api/embed", POST, true, OLLAMA, NULL, NULL},
    {"/api/embeddings", POST, true, &ed_dialect_ollama_prompt, NULL, NULL},
    {"/api/version", GET, true, OLLAMA, ed_report_version, NULL},
    {"/api/tags", GET, true, OLLAMA, ed_report_tags, NULL},
    {"/api/ps", GET, true, OLLAMA, ed_report_running_models, NULL},
    {"/api/show", POST, true, OLLAMA, ed_report_show, NULL},
    {"/api/pull", POST, true, OLLAMA, ed_report_pull, "application/x-ndjson"},
    /* OpenAI's */
    {"/v1/embeddings", POST, true, OPENAI, NULL, NULL},
    {"/embeddings", POST, true, OPENAI, NULL, NULL},
    {"/v1/models", GET, true, OPENAI, ed_report_models, NULL},
    {"/v1/models/", GET, true, OPENAI, ed_report_models, NULL},
};

const ed_route *ed_route_find(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t n = strlen(routes[i].path);
        bool below = n > 1 && routes[i].path[n - 1] == '/' && strncmp(routes[i].path, path, n) == 0;
        if (below || strcmp(routes[i].path, path) == 0)
            return &routes[i];
    }
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
static unsigned answer_shutdown(const ed_call *call)
{
    ed_lifecycle_tell(ED_EVENT_STOP);
    ed_buf_append_text(call->reply, "{\"status\":\"draining\"}\n");
    return 200;
}
