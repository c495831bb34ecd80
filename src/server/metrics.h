/* What is counted while the server runs, for GET /metrics. Any thread may count. */
#ifndef ED_METRICS_H
#define ED_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ED_HISTOGRAM_BUCKETS 20
#define ED_METRICS_ROUTES    64 /* room; the table of routes is shorter */
#define ED_METRICS_STATUSES  20

/* Bucket i holds values up to 2^(shift + i), the one behind the last all others. */
typedef struct ed_histogram {
    unsigned shift;
    atomic_uint_fast64_t counts[ED_HISTOGRAM_BUCKETS + 1];
    atomic_uint_fast64_t sum;
} ed_histogram;

void ed_histogram_add(ed_histogram *histogram, uint64_t value);

typedef struct ed_metrics {
    atomic_uint_fast64_t requests[ED_METRICS_ROUTES][ED_METRICS_STATUSES];
    atomic_uint_fast64_t n_truncated; /* texts that were cut */
    atomic_uint_fast64_t n_replaced;  /* code points that were U+FFFD instead */
    ed_histogram request_us;          /* of answers with vectors, from body to reply */
    ed_histogram prepare_us;          /* of that: JSON and tokens */
    ed_histogram batch_tokens;
} ed_metrics;

void ed_metrics_init(ed_metrics *metrics);
void ed_metrics_count_request(ed_metrics *metrics, size_t route_number, unsigned http_status);
/* The HTTP status counted in column i; 0 = all that have no column. */
unsigned ed_metrics_status(size_t i);

#endif
