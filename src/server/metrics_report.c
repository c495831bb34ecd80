/* In: counters. Out: Prometheus' text. Never a label that a client has chosen. */
#include "server/metrics_report.h"

#include "base/clock.h"
#include "server/status_report.h"

#include <inttypes.h>

static void put_value(ed_buf *reply, const char *name, const char *type, const char *help,
                      double value);
static void put_requests(ed_buf *reply, ed_metrics *metrics);
static void put_histogram(ed_buf *reply, const char *name, const char *help,
                          ed_histogram *histogram, double unit);

unsigned ed_report_metrics(const ed_call *call)
{
    ed_service *service = call->service;
    ed_metrics *metrics = &service->metrics;
    ed_buf *reply = call->reply;
    ed_scheduler_stats stats = {0};
    ed_models_stats models = {0};
    ed_service_state state = ed_service_get_state(service);
    if (state != ED_SERVICE_LOADING) {
        ed_pipeline_get_stats(service->pipeline, &stats);
        ed_models_get_stats(service->models, &models);
    }
    put_value(reply, "embedd_up", "gauge", "1 when requests are served.",
              state == ED_SERVICE_READY && !stats.stuck);
    put_requests(reply, metrics);
    put_histogram(reply, "embedd_request_seconds",
                  "From a complete body to its vectors, of answers with vectors.",
                  &metrics->request_us, 1e-6);
    put_histogram(reply, "embedd_prepare_seconds", "Of that, parsing and tokenization.",
                  &metrics->prepare_us, 1e-6);
    put_histogram(reply, "embedd_batch_tokens", "Tokens of the packed batches.",
                  &metrics->batch_tokens, 1);
    put_value(reply, "embedd_texts_total", "counter", "Texts embedded.",
              (double)stats.n_texts_done);
    put_value(reply, "embedd_texts_truncated_total", "counter",
              "Texts that were longer than the model reads.",
              (double)atomic_load(&metrics->n_truncated));
    put_value(reply, "embedd_replaced_codepoints_total", "counter",
              "Halves of surrogate pairs in texts, read as U+FFFD.",
              (double)atomic_load(&metrics->n_replaced));
    put_value(reply, "embedd_tokens_total", "counter", "Tokens embedded.",
              (double)stats.n_tokens_done);
    put_value(reply, "embedd_batches_total", "counter", "Packed batches computed.",
              (double)stats.n_batches_done);
    put_value(reply, "embedd_queue_requests", "gauge", "Requests waiting or running.",
              (double)stats.n_requests);
    put_value(reply, "embedd_queue_tokens", "gauge", "Tokens waiting or running.",
              (double)stats.n_tokens);
    put_value(reply, "embedd_models", "gauge", "Models that can be asked for.",
              (double)models.n_models);
    put_value(reply, "embedd_models_loaded", "gauge", "Models in memory.", (double)models.n_loaded);
    put_value(reply, "embedd_model_memory_bytes", "gauge", "Their weights and scratch memory.",
              (double)models.n_bytes);
    put_value(reply, "embedd_model_loads_total", "counter", "Models loaded.",
              (double)models.n_loads);
    put_value(reply, "embedd_model_failures_total", "counter", "Models that could not be loaded.",
              (double)models.n_failures);
    put_value(reply, "embedd_model_unloads_total", "counter", "Models unloaded.",
              (double)models.n_unloads);
    put_value(reply, "embedd_request_memory_bytes", "gauge",
              "Memory held for bodies, tokens, vectors and replies.",
              (double)atomic_load(&service->budget.n_used));
    put_value(reply, "embedd_uptime_seconds", "gauge", "Since the start.",
              (double)(ed_clock_ns() - service->began_ns) * 1e-9);
    put_value(reply, "process_resident_memory_bytes", "gauge", "Memory in use.",
              (double)ed_report_resident_bytes());
    return 200;
}

static void put_value(ed_buf *reply, const char *name, const char *type, const char *help,
                      double value)
{
    ed_buf_printf(reply, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name,
                  value);
}

/* What has not happened has no line. */
static void put_requests(ed_buf *reply, ed_metrics *metrics)
{
    ed_buf_append_text(reply, "# HELP embedd_requests_total Answers, by route and HTTP status.\n"
                              "# TYPE embedd_requests_total counter\n");
    for (size_t i = 0; i < ED_METRICS_ROUTES; i++) {
        for (size_t j = 0; j < ED_METRICS_STATUSES; j++) {
            uint64_t n = atomic_load(&metrics->requests[i][j]);
            if (n > 0)
                ed_buf_printf(reply,
                              "embedd_requests_total{route=\"%s\",status=\"%u\"} %" PRIu64 "\n",
                              ed_route_path(i), ed_metrics_status(j), n);
        }
    }
}

static void put_histogram(ed_buf *reply, const char *name, const char *help,
                          ed_histogram *histogram, double unit)
{
    uint64_t n = 0;
    ed_buf_printf(reply, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
    for (size_t i = 0; i < ED_HISTOGRAM_BUCKETS; i++) {
        n += atomic_load(&histogram->counts[i]);
        ed_buf_printf(reply, "%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", name,
                      (double)(UINT64_C(1) << (histogram->shift + i)) * unit, n);
    }
    n += atomic_load(&histogram->counts[ED_HISTOGRAM_BUCKETS]);
    ed_buf_printf(reply, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.17g\n%s_count %" PRIu64 "\n",
                  name, n, name, (double)atomic_load(&histogram->sum) * unit, name, n);
}
