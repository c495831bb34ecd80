/* In: what happened. Out: sums. Never waits: counting is one atomic addition. */
#include "server/metrics.h"

static const unsigned statuses[ED_METRICS_STATUSES] = {200, 204, 400, 401, 403, 404, 405, 413, 415,
                                                       424, 422, 429, 431, 500, 501, 503, 504, 0};

void ed_metrics_init(ed_metrics *metrics)
{
    metrics->request_us.shift = 8; /* 0.000256 s .. 134 s */
    metrics->prepare_us.shift = 4; /* 0.000016 s .. 8 s */
}

void ed_histogram_add(ed_histogram *histogram, uint64_t value)
{
    size_t i = 0;
    while (i < ED_HISTOGRAM_BUCKETS && value > UINT64_C(1) << (histogram->shift + i))
        i++;
    atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void ed_metrics_count_request(ed_metrics *metrics, size_t route_number, unsigned http_status)
{
    size_t i = 0;
    while (statuses[i] != 0 && statuses[i] != http_status)
        i++;
    if (route_number < ED_METRICS_ROUTES)
        atomic_fetch_add_explicit(&metrics->requests[route_number][i], 1, memory_order_relaxed);
}

unsigned ed_metrics_status(size_t i)
{
    return statuses[i];
}
