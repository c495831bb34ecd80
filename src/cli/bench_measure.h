/* One measurement: calls of a session, or requests to a server, for a while. */
#ifndef ED_BENCH_MEASURE_H
#define ED_BENCH_MEASURE_H

#include "cli/embedding_server.h"
#include "cli/machine_facts.h"

/* Texts of one length, so that a call of any size has the same work for each text. */
typedef struct ed_bench_load {
    embedd_text *texts; /* [n_texts] */
    size_t n_texts;
    size_t n_tokens; /* of each, special tokens included */
} ed_bench_load;

/* MEMORY; ARGUMENT: the model does not read so short a text. */
embedd_status ed_bench_load_make(ed_bench_load *load, const embedd_model *model, size_t n_tokens,
                                 embedd_error *err);
void ed_bench_load_clear(ed_bench_load *load);

typedef struct ed_bench_sample {
    double texts_per_second, tokens_per_second;
    double wall_ms, cpu_ms;        /* of a text; cpu_ms < 0 = not known */
    double p50_ms, p95_ms, p99_ms; /* of a call */
    size_t n_calls, n_failed;
} ed_bench_sample;

/* Calls of n_texts texts each, one after the other. */
embedd_status ed_bench_calls(embedd_session *session, size_t dimensions, const ed_bench_load *load,
                             size_t n_texts, double seconds, ed_bench_sample *out,
                             embedd_error *err);

/* Requests of n_texts texts each, from n_clients connections at once. `pid` of the server, or
 * ED_PROCESS_UNKNOWN. A first request is not counted; NETWORK: it was not answered with 200. */
embedd_status ed_bench_requests(const ed_embedding_server *server, long pid,
                                const ed_bench_load *load, size_t n_texts, size_t n_clients,
                                double seconds, ed_bench_sample *out, embedd_error *err);

#endif
