/* In: the service. Out: JSON about it. */
#include "server/status_report.h"

#include "base/clock.h"
#include "server/json_text.h"
#include "server/model_type.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void put_model(void *context, const ed_model_view *view);
static void put_models(ed_buf *reply, ed_models *models);
static void put_line(void *context, const ed_model_view *view);
static void put_queue(ed_buf *reply, const ed_scheduler_stats *stats);
static void put_limits(ed_buf *reply, const ed_server_options *options);
static void put_prompts(ed_buf *reply, const embedd_model_info *info);
static double uptime_s(const ed_service *service);

unsigned ed_report_health(const ed_call *call)
{
    ed_service *service = call->service;
    ed_buf *reply = call->reply;
    ed_scheduler_stats stats = {0};
    ed_models_stats models = {0};
    ed_service_state state = ed_service_get_state(service);
    const char *status = "ok";
    if (state != ED_SERVICE_LOADING) {
        ed_pipeline_get_stats(service->pipeline, &stats);
        ed_models_get_stats(service->models, &models);
    }
    if (state == ED_SERVICE_LOADING)
        status = "loading";
    else if (state == ED_SERVICE_DRAINING)
        status = "draining";
    else if (stats.stuck)
        status = "stuck";
    bool ready = state == ED_SERVICE_READY && !stats.stuck;
    ed_buf_printf(reply,
                  "{\"status\":\"%s\",\"ready\":%s,\"version\":\"%s\",\"uptime_s\":%.3f,"
                  "\"rss_bytes\":%zu,\"models\":{\"served\":%zu,\"loaded\":%zu},",
                  status, ready ? "true" : "false", embedd_version(), uptime_s(service),
                  ed_report_resident_bytes(), models.n_models, models.n_loaded);
    put_queue(reply, &stats);
    ed_buf_append_text(reply, "}\n");
    return ready ? 200 : 503;
}

unsigned ed_report_info(const ed_call *call)
{
    static const embedd_text first = {0};
    ed_service *service = call->service;
    ed_buf *reply = call->reply;
    ed_scheduler_stats stats;
    if (ed_service_get_state(service) == ED_SERVICE_LOADING) {
        ed_problem_set(call->problem, ED_PROBLEM_LOADING, EMBEDD_NO_INDEX, NULL);
        return 0;
    }
    const ed_served_model *model = ed_models_find(service->models, first);
    ed_pipeline_get_stats(service->pipeline, &stats);
    ed_buf_append_text(reply, "{\"model_id\":");
    ed_json_text_string_or_null(reply, model ? ed_served_model_id(model) : "");
    ed_buf_printf(reply, ",\"device\":\"cpu\",\"version\":\"%s\",\"rss_bytes\":%zu,",
                  embedd_version(), ed_report_resident_bytes());
    if (model)
        ed_models_each(service->models, model, put_model, reply);
    put_models(reply, service->models);
    put_limits(reply, service->options);
    ed_buf_printf(reply, "\"uptime_s\":%.3f,", uptime_s(service));
    ed_buf_printf(reply, "\"done\":{\"texts\":%llu,\"tokens\":%llu,\"batches\":%llu},",
                  (unsigned long long)stats.n_texts_done, (unsigned long long)stats.n_tokens_done,
                  (unsigned long long)stats.n_batches_done);
    put_queue(reply, &stats);
    ed_buf_append_text(reply, ",\"refused\":");
    ed_refusals_put(reply, &service->refusals);
    ed_buf_append_text(reply, "}\n");
    return 200;
}

/* The first model's fields; those under TEI's names tell the same again. */
static void put_model(void *context, const ed_model_view *view)
{
    ed_buf *reply = context;
    const ed_model_facts *facts = view->facts;
    const ed_loaded_model *loaded = view->loaded;
    ed_buf_printf(reply, "\"dim\":%zu,\"architecture\":", facts->dimensions);
    ed_json_text_string_or_null(reply, facts->architecture);
    ed_buf_printf(reply,
                  ",\"max_tokens\":%zu,\"pooling\":\"%s\",\"normalized\":%s,\"dtype\":\"%s\","
                  "\"n_layers\":%zu,\"n_parameters\":%zu,\"weight_bytes\":%zu,"
                  "\"model_dtype\":\"%s\",\"max_input_length\":%zu,",
                  facts->tokens_max, facts->pooling, facts->normalized ? "true" : "false",
                  facts->dtype, facts->n_layers, facts->n_parameters, facts->weight_bytes,
                  facts->dtype, facts->tokens_max);
    if (!loaded)
        return;
    const embedd_model_info *info = loaded->info;
    size_t batch_tokens = embedd_session_batch_tokens_max(loaded->session);
    put_prompts(reply, info);
    ed_buf_append_text(reply, "\"model_type\":");
    ed_put_model_type(reply, info);
    ed_buf_append_text(reply, ",\"dtype_reason\":");
    ed_json_text_string_or_null(reply, info->dtype_reason);
    ed_buf_append_text(reply, ",\"packed_file\":");
    ed_json_text_string_or_null(reply, info->packed_file);
    ed_buf_append(reply, ",", 1);
    ed_buf_printf(reply,
                  "\"cpu_level\":\"%s\",\"threads\":%zu,\"hidden_size\":%zu,\"vocabulary\":%zu,"
                  "\"scratch_bytes\":%zu,\"batch_tokens_max\":%zu,\"max_batch_tokens\":%zu,",
                  info->cpu_level, embedd_session_threads(loaded->session), info->hidden_size,
                  info->vocabulary, loaded->n_bytes - info->weight_bytes, batch_tokens,
                  batch_tokens);
}

typedef struct listing {
    ed_buf *reply;
    const char *separator;
} listing;

static void put_models(ed_buf *reply, ed_models *models)
{
    listing l = {reply, ""};
    ed_buf_append_text(reply, "\"models\":[");
    ed_models_each(models, NULL, put_line, &l);
    ed_buf_append_text(reply, "],");
}

static void put_line(void *context, const ed_model_view *view)
{
    listing *l = context;
    ed_buf_append_text(l->reply, l->separator);
    ed_buf_append_text(l->reply, "{\"id\":");
    ed_json_text_string_or_null(l->reply, view->id);
    ed_buf_printf(l->reply, ",\"state\":\"%s\",\"dim\":%zu,\"bytes\":%zu,\"failure\":",
                  ed_model_state_name(view->state), view->facts->dimensions,
                  view->loaded ? view->loaded->n_bytes : 0);
    ed_json_text_string_or_null(l->reply, view->failure);
    ed_buf_append_text(l->reply, "}");
    l->separator = ",";
}

/* What GET / says to a client that looks whether Ollama is there. */
unsigned ed_report_running(const ed_call *call)
{
    ed_buf_append_text(call->reply, "Ollama is running");
    return 200;
}

static void put_queue(ed_buf *reply, const ed_scheduler_stats *stats)
{
    ed_buf_printf(reply, "\"queue\":{\"requests\":%zu,\"tokens\":%zu}", stats->n_requests,
                  stats->n_tokens);
}

static void put_limits(ed_buf *reply, const ed_server_options *options)
{
    ed_buf_printf(reply,
                  "\"max_client_batch_size\":%zu,\"max_concurrent_requests\":%zu,"
                  "\"auto_truncate\":true,"
                  "\"limits\":{\"body_bytes\":%zu,\"texts\":%zu,\"queue_tokens\":%zu,"
                  "\"queue_requests\":%zu,\"request_bytes\":%zu,\"connections\":%zu,"
                  "\"deadline_ms\":%u},",
                  options->texts_max, options->queue_requests_max, options->body_bytes_max,
                  options->texts_max, options->queue_tokens_max, options->queue_requests_max,
                  options->request_bytes_max, options->connections_max, options->deadline_ms);
}

static void put_prompts(ed_buf *reply, const embedd_model_info *info)
{
    ed_buf_append_text(reply, "\"prompts\":{");
    for (size_t i = 0; i < info->n_prompts; i++) {
        if (i > 0)
            ed_buf_append(reply, ",", 1);
        ed_json_text_string_or_null(reply, info->prompts[i].name);
        ed_buf_append(reply, ":", 1);
        ed_json_text_string_or_null(reply, info->prompts[i].text);
    }
    ed_buf_append_text(reply, "},\"default_prompt\":");
    ed_json_text_string_or_null(reply, info->default_prompt);
    ed_buf_append(reply, ",", 1);
}

static double uptime_s(const ed_service *service)
{
    return (double)(ed_clock_ns() - service->began_ns) * 1e-9;
}

size_t ed_report_resident_bytes(void)
{
#if defined(__linux__)
    size_t n_pages = 0;
    FILE *file = fopen("/proc/self/statm", "rbe");
    if (file) {
        if (fscanf(file, "%*s %zu", &n_pages) != 1)
            n_pages = 0;
        fclose(file);
    }
    return n_pages * (size_t)sysconf(_SC_PAGESIZE);
#else
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (size_t)usage.ru_maxrss; /* bytes on macOS */
#endif
}
