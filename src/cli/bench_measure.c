/* In: a load and how to hand it over. Out: rates and times. What is timed is the call or the
 * request alone; bodies are written and answers put away between two of them. */
#include "cli/bench_measure.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX          ((size_t)1 << 20)
#define REQUEST_TIMEOUT_MS 120000
#define ANSWER_SHOWN       200

/* ---- numbers --------------------------------------------------------------------------------- */

static int compare_times(const void *left, const void *right)
{
    uint64_t x, y;

    memcpy(&x, left, sizeof x);
    memcpy(&y, right, sizeof y);
    return x < y ? -1 : x > y;
}

/* Of sorted times: the smallest that a share of all does not exceed. */
static double get_percentile(const uint64_t *times, size_t n, double share)
{
    size_t index = (size_t)ceil(share * (double)n);
    return n > 0 ? (double)times[index > 0 ? index - 1 : 0] * 1e-6 : 0;
}

/* `times` holds a uint64_t of nanoseconds for each call that succeeded; it is sorted. */
static void summarize(ed_buf *times, const ed_bench_load *load, size_t n_texts, double seconds,
                      double cpu_seconds, ed_bench_sample *out)
{
    uint64_t *ns = (uint64_t *)(void *)times->data;
    size_t n = times->n_bytes / sizeof *ns;
    double n_all = (double)n * (double)n_texts;

    if (n > 0)
        qsort(ns, n, sizeof *ns, compare_times);
    out->n_calls = n;
    out->texts_per_second = n_all / seconds;
    out->tokens_per_second = out->texts_per_second * (double)load->n_tokens;
    out->wall_ms = n > 0 ? 1e3 * seconds / n_all : 0;
    out->cpu_ms = n > 0 && cpu_seconds >= 0 ? 1e3 * cpu_seconds / n_all : -1;
    out->p50_ms = get_percentile(ns, n, 0.5);
    out->p95_ms = get_percentile(ns, n, 0.95);
    out->p99_ms = get_percentile(ns, n, 0.99);
}

static uint64_t add_seconds(uint64_t begin, double seconds)
{
    return begin + (uint64_t)(seconds * 1e9);
}

/* The next n_texts of the load, which begins anew at its end. */
static void take_texts(const ed_bench_load *load, size_t *at, embedd_text *out, size_t n_texts)
{
    for (size_t i = 0; i < n_texts; i++)
        out[i] = load->texts[(*at)++ % load->n_texts];
}

/* ---- calls ----------------------------------------------------------------------------------- */

embedd_status ed_bench_calls(embedd_session *session, size_t dimensions, const ed_bench_load *load,
                             size_t n_texts, double seconds, ed_bench_sample *out,
                             embedd_error *err)
{
    float *vectors = ed_calloc(n_texts, dimensions * sizeof *vectors);
    embedd_text *texts = ed_calloc(n_texts, sizeof *texts);
    size_t at = 0;
    ed_buf times;

    *out = (ed_bench_sample){0};
    ed_buf_init(&times, CALLS_MAX * sizeof(uint64_t));
    embedd_status status = EMBEDD_OK;
    if (vectors == NULL || texts == NULL) {
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
        goto done;
    }
    take_texts(load, &at, texts, n_texts);
    status = embedd_embed(session, texts, n_texts, NULL, vectors, n_texts * dimensions, NULL, err);
    uint64_t begin = ed_clock_ns(), now = begin, end = add_seconds(begin, seconds);
    double cpu = ed_machine_cpu_seconds(ED_PROCESS_SELF);
    while (status == EMBEDD_OK && (now < end || times.n_bytes == 0)) {
        take_texts(load, &at, texts, n_texts);
        uint64_t before = ed_clock_ns();
        status =
            embedd_embed(session, texts, n_texts, NULL, vectors, n_texts * dimensions, NULL, err);
        now = ed_clock_ns();
        uint64_t ns = now - before;
        if (!ed_buf_append(&times, &ns, sizeof ns))
            break;
    }
    summarize(&times, load, n_texts, (double)(now - begin) * 1e-9,
              ed_machine_cpu_seconds(ED_PROCESS_SELF) - cpu, out);

done:
    ed_buf_clear(&times);
    ed_free(vectors);
    ed_free(texts);
    return status;
}

/* ---- requests -------------------------------------------------------------------------------- */

typedef struct client {
    const ed_embedding_server *server;
    const ed_bench_load *load;
    size_t n_texts, at;
    uint64_t end;
    embedd_text *texts; /* [n_texts] */
    ed_http_call call;
    ed_buf body, times;
    size_t n_failed;
    pthread_t thread;
    bool started;
} client;

static embedd_status open_client(client *c, embedd_error *err)
{
    ed_buf_init(&c->body, (size_t)1 << 28);
    ed_buf_init(&c->times, CALLS_MAX * sizeof(uint64_t));
    c->texts = ed_calloc(c->n_texts, sizeof *c->texts);
    if (c->texts == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    return ed_http_call_open(&c->call, err);
}

static void close_client(client *c)
{
    ed_http_call_close(&c->call);
    ed_buf_clear(&c->body);
    ed_buf_clear(&c->times);
    ed_free(c->texts);
}

/* One request; the time it took is in *ns. */
static embedd_status request(client *c, uint64_t *ns, embedd_error *err)
{
    char url[ED_SERVER_URL_MAX + 32];

    take_texts(c->load, &c->at, c->texts, c->n_texts);
    ed_buf_reset(&c->body);
    ed_server_request_url(c->server, url);
    if (!ed_server_request_body(c->server, c->texts, c->n_texts, &c->body))
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    uint64_t before = ed_clock_ns();
    embedd_status status =
        ed_http_call_send(&c->call, url, c->body.data, c->body.n_bytes, REQUEST_TIMEOUT_MS, err);
    *ns = ed_clock_ns() - before;
    if (status != EMBEDD_OK || c->call.code == 200)
        return status;
    char shown[ANSWER_SHOWN + 1];
    size_t n = 0;
    for (; n < ANSWER_SHOWN && n < c->call.body.n_bytes; n++)
        shown[n] =
            c->call.body.data[n] >= ' ' && c->call.body.data[n] < 0x7f ? c->call.body.data[n] : ' ';
    shown[n] = '\0';
    return ed_fail(err, EMBEDD_NETWORK, "%s answers %ld: %s", url, c->call.code, shown);
}

static void *run_client(void *context)
{
    client *c = context;
    uint64_t ns;

    do {
        if (request(c, &ns, NULL) != EMBEDD_OK)
            c->n_failed++;
        else if (!ed_buf_append(&c->times, &ns, sizeof ns))
            break;
    } while (ed_clock_ns() < c->end && c->n_failed < 1000);
    return NULL;
}

static embedd_status start_clients(client *clients, size_t n_clients, double seconds,
                                   embedd_error *err)
{
    uint64_t end = add_seconds(ed_clock_ns(), seconds);

    for (size_t i = 0; i < n_clients; i++) {
        clients[i].end = end;
        clients[i].started = pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) == 0;
        if (!clients[i].started)
            return ed_fail(err, EMBEDD_MEMORY, "there is no thread for client %zu", i + 1);
    }
    return EMBEDD_OK;
}

embedd_status ed_bench_requests(const ed_embedding_server *server, long pid,
                                const ed_bench_load *load, size_t n_texts, size_t n_clients,
                                double seconds, ed_bench_sample *out, embedd_error *err)
{
    client *clients = ed_calloc(n_clients, sizeof *clients);
    embedd_status status = EMBEDD_OK;
    uint64_t ns;

    *out = (ed_bench_sample){0};
    if (clients == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    for (size_t i = 0; status == EMBEDD_OK && i < n_clients; i++) {
        clients[i] =
            (client){.server = server, .load = load, .n_texts = n_texts, .at = i * n_texts};
        status = open_client(&clients[i], err);
    }
    if (status == EMBEDD_OK)
        status = request(&clients[0], &ns, err);
    uint64_t begin = ed_clock_ns();
    double cpu = ed_machine_cpu_seconds(pid);
    if (status == EMBEDD_OK)
        status = start_clients(clients, n_clients, seconds, err);
    for (size_t i = 0; i < n_clients; i++) {
        if (clients[i].started)
            pthread_join(clients[i].thread, NULL);
        if (i > 0 &&
            !ed_buf_append(&clients[0].times, clients[i].times.data, clients[i].times.n_bytes))
            status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
        out->n_failed += clients[i].n_failed;
    }
    if (status == EMBEDD_OK)
        summarize(&clients[0].times, load, n_texts, (double)(ed_clock_ns() - begin) * 1e-9,
                  cpu < 0 ? -1 : ed_machine_cpu_seconds(pid) - cpu, out);
    for (size_t i = 0; i < n_clients; i++)
        close_client(&clients[i]);
    ed_free(clients);
    return status;
}
