/* In: options. Out: an exit code, after serving. Listens first and loads then, so that a client can
 * ask; prints one line on standard output, and nothing else there. */
#include "server/server.h"

#include "base/clock.h"
#include "base/memory.h"
#include "server/http.h"
#include "server/json_text.h"
#include "server/lifecycle.h"
#include "server/listen.h"
#include "server/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_RESERVED 64 /* files that are no connections */
#define QUEUE_TOKENS   ((size_t)1 << 20)
#define DRAIN_TICK_MS  5
#define DRAIN_REPLY_MS 250 /* to say "draining" to whoever is still waiting */
#define PROTOCOL       1

typedef struct server {
    ed_server_options options;
    ed_service service;
    ed_listener listener;
    ed_http *http;
    ed_model_use first; /* the model that is loaded before the server is ready */
    embedd_error err;
} server;

static void hold_standard_files(void);
static ed_exit open_front(server *s);
static void raise_file_limit(ed_server_options *options);
static ed_exit serve(server *s);
static embedd_status open_back(server *s);
static void on_first_ready(ed_model_use *use);
static bool print_ready_line(const server *s);
static void drain(server *s);
static bool wait_until_idle(server *s, unsigned limit_ms);
static void clear(server *s);
static unsigned env_ms(const char *name, unsigned by_default);

void ed_server_options_init(ed_server_options *options)
{
    *options = (ed_server_options){
        .host = "127.0.0.1",
        .port = 8421,
        .keep_alive_ns = ED_FOREVER,
        .body_bytes_max = (size_t)8 << 20,
        .texts_max = 4096,
        .queue_tokens_max = QUEUE_TOKENS,
        .queue_requests_max = 512,
        .connections_max = 1024,
        .request_bytes_max = (size_t)160 << 20,
        .deadline_ms = 120000,
        .drain_ms = env_ms("EMBEDD_DRAIN_MS", 5000),
        .header_ms = env_ms("EMBEDD_HEADER_MS", 10000),
        .body_ms = env_ms("EMBEDD_BODY_MS", 10000),
        .idle_ms = env_ms("EMBEDD_IDLE_MS", 75000),
        .stuck_ms = env_ms("EMBEDD_STUCK_MS", 10000),
    };
}

static unsigned env_ms(const char *name, unsigned by_default)
{
    const char *text = getenv(name);
    char *end;
    unsigned long value = text ? strtoul(text, &end, 10) : 0;
    return text && *text && *end == '\0' && value > 0 && value < 1u << 30 ? (unsigned)value
                                                                          : by_default;
}

ed_exit ed_server_run(const ed_server_options *options)
{
    server s = {.options = *options, .listener = {.fd = -1}};
    if (s.options.api_key && s.options.api_key[0] == '\0')
        s.options.api_key = NULL;
    if (s.options.queue_tokens_max == 0)
        s.options.queue_tokens_max = QUEUE_TOKENS;
    hold_standard_files();
    ed_log_init(s.options.log_json);
    ed_exit result = open_front(&s);
    if (result == ED_EXIT_OK)
        result = serve(&s);
    if (result != ED_EXIT_OK)
        ed_log(ED_LOG_ERROR, "%s", s.err.message);
    clear(&s);
    return result;
}

ed_exit ed_exit_of(embedd_status status)
{
    switch (status) {
    case EMBEDD_OK:
        return ED_EXIT_OK;
    case EMBEDD_NOT_FOUND:
        return ED_EXIT_NOT_FOUND;
    case EMBEDD_FORMAT:
    case EMBEDD_UNSUPPORTED:
    case EMBEDD_NONFINITE:
    case EMBEDD_CHECKSUM:
    case EMBEDD_LIMIT:
        return ED_EXIT_MODEL;
    case EMBEDD_CPU:
        return ED_EXIT_CPU;
    case EMBEDD_MEMORY:
        return ED_EXIT_MEMORY;
    case EMBEDD_ARGUMENT:
        return ED_EXIT_USAGE;
    case EMBEDD_UTF8:
    case EMBEDD_TOO_LONG:
    case EMBEDD_IO:
    case EMBEDD_NETWORK:
        return ED_EXIT_FAILURE;
    }
    return ED_EXIT_FAILURE;
}

/* Where one is closed, the next socket would get its number, and the ready line. */
static void hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR); /* the lowest free number, which is fd */
}

/* ---- listening, before there is a model -------------------------------------------------------
 */

static ed_exit open_front(server *s)
{
    const ed_server_options *o = &s->options;
    ed_service *service = &s->service;
    raise_file_limit(&s->options);
    ed_exit result = ed_listener_open(&s->listener, o, &s->err);
    if (result != ED_EXIT_OK)
        return result;
    service->options = o;
    service->began_ns = ed_clock_ns();
    ed_metrics_init(&service->metrics);
    ed_clients_init(&service->clients);
    service->budget.n_max = o->request_bytes_max;
    service->budget.clients = &service->clients;
    service->guard = (ed_guard){.host = s->listener.host,
                                .port = s->listener.port,
                                .any_host = (o->allow_remote && o->api_key) || s->listener.path[0],
                                .api_key = o->api_key,
                                .origins = o->origins,
                                .n_origins = o->n_origins};
    const ed_connections_options connections = {.header_ms = o->header_ms,
                                                .body_ms = o->body_ms,
                                                .idle_ms = o->idle_ms,
                                                .deadline_ms = o->deadline_ms};
    if (o->n_file_roots > 0 && ed_file_roots_open(&service->file_roots, o->file_roots,
                                                  o->n_file_roots, &s->err) != EMBEDD_OK)
        return ED_EXIT_USAGE;
    embedd_status status = ed_lifecycle_open(o->exit_with_parent, &s->err);
    if (status == EMBEDD_OK)
        status = ed_connections_open(&service->connections, &connections, &s->err);
    if (status == EMBEDD_OK)
        status = ed_http_open(&s->http, service, s->listener.fd, &s->err);
    if (status == EMBEDD_OK)
        s->listener.fd = -1; /* the HTTP server's now */
    return ed_exit_of(status);
}

/* Each connection is an open file, and the usual limit is low. */
static void raise_file_limit(ed_server_options *options)
{
    struct rlimit files;
    rlim_t wanted = options->connections_max + FILES_RESERVED;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    if (files.rlim_cur < wanted) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            getrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur < wanted)
        options->connections_max =
            files.rlim_cur > 2 * FILES_RESERVED ? files.rlim_cur - FILES_RESERVED : FILES_RESERVED;
}

/* ---- serving --------------------------------------------------------------------------------- */

static ed_exit serve(server *s)
{
    embedd_status status = open_back(s);
    if (status != EMBEDD_OK)
        return ed_exit_of(status);
    if (s->options.n_models > 0) {
        ed_models *models = s->service.models;
        s->first.model = ed_models_find(models, (embedd_text){0});
        s->first.ready = on_first_ready;
        if (ed_models_take(models, &s->first))
            on_first_ready(&s->first);
        /* A model that is being read cannot be interrupted, and nothing is in flight yet. */
        ed_event event = ED_EVENT_RELOAD;
        while (event == ED_EVENT_RELOAD)
            event = ed_lifecycle_wait(-1);
        if (event == ED_EVENT_STOP)
            _exit(ED_EXIT_OK);
        s->err = s->first.error;
        if (!s->first.loaded)
            return ed_exit_of(s->err.status);
    }
    atomic_store(&s->service.state, ED_SERVICE_READY);
    if (!print_ready_line(s))
        ed_log(ED_LOG_WARNING, "nobody reads standard output: the ready line is lost");
    ed_models_give(s->service.models, &s->first, NULL);
    for (ed_event event; (event = ed_lifecycle_wait(-1)) != ED_EVENT_STOP;)
        if (event == ED_EVENT_RELOAD)
            ed_models_reload(s->service.models);
    drain(s);
    return ED_EXIT_OK;
}

/* What works behind the HTTP server, without a model yet. */
static embedd_status open_back(server *s)
{
    ed_service *service = &s->service;
    const ed_server_options *o = &s->options;
    const ed_models_options models = {
        .loading = {.model = o->model,
                    .session = {.n_threads = o->n_threads, .batch_tokens_max = o->batch_tokens_max},
                    .n_encoders = ed_pipeline_n_workers()},
        .memory_bytes_max = o->memory_bytes_max,
        .keep_alive_ns = o->keep_alive_ns,
        .folder = o->models_folder};
    embedd_status status = ed_models_open(&service->models, &models, &s->err);
    for (size_t i = 0; status == EMBEDD_OK && i < o->n_models; i++)
        status = ed_models_add(service->models, o->models[i].id, o->models[i].path, &s->err);
    if (status != EMBEDD_OK)
        return status;
    ed_models_rescan(service->models);
    if (o->allow_pull)
        status = ed_pulls_open(&service->pulls, service->models, o->models_folder, &s->err);
    if (status != EMBEDD_OK)
        return status;
    const ed_pipeline_options pipeline = {.models = service->models,
                                          .pulls = service->pulls,
                                          .file_roots = service->file_roots,
                                          .budget = &service->budget,
                                          .batch_tokens = &service->metrics.batch_tokens,
                                          .token_ids = o->token_ids,
                                          .texts_max = o->texts_max,
                                          .body_bytes_max = o->body_bytes_max,
                                          .queue_tokens_max = o->queue_tokens_max,
                                          .queue_requests_max = o->queue_requests_max,
                                          .stuck_ms = o->stuck_ms};
    return ed_pipeline_open(&service->pipeline, &pipeline, &s->err);
}

static void on_first_ready(ed_model_use *use)
{
    (void)use;
    ed_lifecycle_tell(ED_EVENT_LOADED);
}

static bool print_ready_line(const server *s)
{
    const ed_loaded_model *loaded = s->first.loaded;
    ed_buf line;
    char url[128];
    ed_listener_url(&s->listener, url, sizeof url);
    ed_buf_init(&line, 65536);
    ed_buf_printf(&line, "{\"event\":\"ready\",\"pid\":%ld,\"host\":\"%s\",\"port\":%u,\"url\":",
                  (long)getpid(), s->listener.host, s->listener.port);
    ed_json_text_string_or_null(&line, url);
    ed_buf_printf(&line, ",\"version\":\"%s\",\"protocol\":%d,\"model\":", embedd_version(),
                  PROTOCOL);
    ed_json_text_string_or_null(&line, loaded ? ed_served_model_id(s->first.model) : NULL);
    if (loaded)
        ed_buf_printf(&line, ",\"dimensions\":%zu}\n", loaded->info->dimensions);
    else
        ed_buf_append_text(&line, ",\"dimensions\":null}\n"); /* models are loaded when asked for */
    bool ok =
        !line.failed && write(STDOUT_FILENO, line.data, line.n_bytes) == (ssize_t)line.n_bytes;
    ed_buf_clear(&line);
    ed_log(ED_LOG_INFO, "ready on %s after %.3f s", url,
           (double)(ed_clock_ns() - s->service.began_ns) * 1e-9);
    return ok;
}

/* ---- draining -------------------------------------------------------------------------------- */

/* What is in flight is finished, what comes is refused. After drain_ms whoever still waits is told;
 * if even that takes too long, the batch that runs is not worth waiting for. */
static void drain(server *s)
{
    ed_log(ED_LOG_INFO, "draining");
    atomic_store(&s->service.state, ED_SERVICE_DRAINING);
    if (!wait_until_idle(s, s->options.drain_ms)) {
        ed_connections_cancel_all(s->service.connections, ED_CANCEL_DRAINING);
        wait_until_idle(s, DRAIN_REPLY_MS);
    }
    if (ed_http_jobs(s->http) > 0) {
        ed_log(ED_LOG_WARNING, "%zu requests were not finished in time", ed_http_jobs(s->http));
        _exit(ED_EXIT_OK);
    }
    if (ed_models_are_loading(s->service.models))
        _exit(ED_EXIT_OK);
}

static bool wait_until_idle(server *s, unsigned limit_ms)
{
    uint64_t until_ns = ed_clock_ns() + (uint64_t)limit_ms * 1000000;
    while (ed_http_exchanges(s->http) > 0) {
        if (ed_clock_ns() >= until_ns)
            return false;
        ed_lifecycle_wait(DRAIN_TICK_MS);
    }
    return true;
}

static void clear(server *s)
{
    ed_http_close(s->http);
    ed_clients_clear(&s->service.clients);
    ed_connections_close(s->service.connections);
    ed_pipeline_close(s->service.pipeline);
    ed_pulls_close(s->service.pulls);
    ed_models_close(s->service.models);
    ed_file_roots_close(s->service.file_roots);
    ed_lifecycle_close();
    ed_listener_close(&s->listener);
}
