/* embedd bench: how fast is a model here? In: lists of lengths, batches, threads, clients. Out:
 * each combination measured in rounds, so that one that meets a busy moment gets another chance,
 * and embedd and the other server take turns. */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/cpu_peak.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread_pool.h"
#include "cli/bench_report.h"
#include "cli/model_session.h"
#include "cli/number_list.h"
#include "cli/own_server.h"
#include "cli/progress.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_MAX       8192
#define BATCH_MAX        4096
#define CLIENTS_MAX      256
#define THREADS_MAX      1024
#define SECONDS_MAX      600
#define PROBE_TIMEOUT_MS 5000

typedef struct bench {
    const ed_arguments *arguments;
    char *folder, *cache;
    embedd_model *model;
    ed_number_list threads, lengths, batches, clients;
    double seconds;
    ed_bench_load loads[ED_NUMBERS_MAX];
    double peaks[ED_NUMBERS_MAX]; /* of threads */
    ed_own_server own;
    ed_embedding_server compared; /* kind NONE = there is none */
    ed_bench_cell *cells;
    ed_bench_report report;
    ed_progress progress;
    uint64_t n_texts; /* embedded until now */
} bench;

static embedd_status read_options(bench *b, embedd_error *err);
static embedd_status open_model(bench *b, embedd_error *err);
static embedd_status find_compared(bench *b, embedd_error *err);
static embedd_status start_own(bench *b, embedd_error *err);
static embedd_status plan(bench *b, embedd_error *err);
static embedd_status measure_rounds(bench *b, embedd_error *err);

int ed_command_bench(const ed_arguments *arguments)
{
    bench b = {.arguments = arguments};
    embedd_error err;

    embedd_status status = read_options(&b, &err);
    if (status == EMBEDD_OK)
        status = find_compared(&b, &err);
    if (status == EMBEDD_OK)
        status = open_model(&b, &err);
    if (status == EMBEDD_OK)
        status = start_own(&b, &err);
    if (status == EMBEDD_OK)
        status = plan(&b, &err);
    if (status == EMBEDD_OK)
        status = measure_rounds(&b, &err);
    ed_progress_hide(&b.progress);
    if (status == EMBEDD_OK) {
        b.report.peak_bytes = ed_machine_peak_memory(ED_PROCESS_SELF);
        b.report.server_peak_bytes = ed_machine_peak_memory(b.own.pid);
        if (!arguments->values[ED_OPTION_JSON].on)
            ed_bench_report_print(&b.report);
        else if (!ed_bench_report_print_json(&b.report))
            status = ed_fail(&err, EMBEDD_MEMORY, "out of memory");
    }
    ed_own_server_stop(&b.own);
    for (size_t i = 0; i < ED_NUMBERS_MAX; i++)
        ed_bench_load_clear(&b.loads[i]);
    embedd_model_close(b.model);
    ed_free(b.cells);
    ed_free(b.folder);
    ed_free(b.cache);
    return status == EMBEDD_OK ? ED_EXIT_OK : ed_complain(&err);
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static embedd_status read_options(bench *b, embedd_error *err)
{
    const ed_value *values = b->arguments->values;
    const char *threads = values[ED_OPTION_THREADS_LIST].text;
    const struct {
        ed_option option;
        const char *flag;
        size_t max;
        ed_number_list *out;
    } lists[] = {{ED_OPTION_LENGTHS, "--length", LENGTH_MAX, &b->lengths},
                 {ED_OPTION_BATCHES, "--batch", BATCH_MAX, &b->batches},
                 {ED_OPTION_CLIENTS, "--concurrency", CLIENTS_MAX, &b->clients}};
    embedd_status status = EMBEDD_OK;

    for (size_t i = 0; status == EMBEDD_OK && i < sizeof lists / sizeof lists[0]; i++)
        status = ed_read_number_list(values[lists[i].option].text, lists[i].flag, lists[i].max,
                                     lists[i].out, err);
    b->threads = (ed_number_list){.numbers = {ed_cpu_cores()}, .n_numbers = 1};
    if (status == EMBEDD_OK && threads)
        status = ed_read_number_list(threads, "--threads", THREADS_MAX, &b->threads, err);
    if (status == EMBEDD_OK)
        status = ed_read_decimal(values[ED_OPTION_SECONDS].text, "--seconds", SECONDS_MAX,
                                 &b->seconds, err);
    return status;
}

static embedd_status find_compared(bench *b, embedd_error *err)
{
    const char *url = b->arguments->values[ED_OPTION_COMPARE].text;
    const char *model = b->arguments->values[ED_OPTION_COMPARE_MODEL].text;
    ed_http_call call;

    if (url == NULL)
        return EMBEDD_OK;
    embedd_status status = ed_http_call_open(&call, err);
    if (status != EMBEDD_OK)
        return status;
    status = ed_server_probe(&b->compared, &call, url, PROBE_TIMEOUT_MS, err);
    ed_http_call_close(&call);
    if (status != EMBEDD_OK)
        return status;
    if (b->compared.kind == ED_SERVER_NONE || b->compared.kind == ED_SERVER_OTHER)
        return ed_fail(
            err, EMBEDD_NETWORK, "--compare: %s %s", url,
            b->compared.kind == ED_SERVER_NONE ? "does not answer" : "has no route for embeddings");
    if (model)
        snprintf(b->compared.model, sizeof b->compared.model, "%s", model);
    ed_server_title(&b->compared, b->report.compared_title, sizeof b->report.compared_title);
    return EMBEDD_OK;
}

/* ---- before the clock ------------------------------------------------------------------------ */

static embedd_status open_model(bench *b, embedd_error *err)
{
    const embedd_model_options options = ed_model_options(b->arguments, &b->cache);
    const embedd_text text = {"a cat", 5};
    embedd_session *session = NULL;

    embedd_status status = ed_model_find(b->arguments, &b->folder, err);
    uint64_t begin = ed_clock_ns();
    if (status == EMBEDD_OK)
        status = embedd_model_open(b->folder, &options, &b->model, err);
    if (status == EMBEDD_OK)
        status = embedd_session_open(b->model, NULL, &session, err);
    size_t dimensions = b->model ? embedd_model_dimensions(b->model, EMBEDD_POOLING_MODEL) : 0;
    float *vector = ed_calloc(dimensions + 1, sizeof *vector);
    if (status == EMBEDD_OK && vector == NULL)
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (status == EMBEDD_OK)
        status = embedd_embed(session, &text, 1, NULL, vector, dimensions, NULL, err);
    b->report.open_seconds = (double)(ed_clock_ns() - begin) * 1e-9;
    ed_free(vector);
    embedd_session_close(session);
    if (status == EMBEDD_OK) {
        b->report.model = b->arguments->values[ED_OPTION_MODEL].text;
        b->report.info = embedd_model_get_info(b->model);
    }
    return status;
}

/* The last number of threads is the server's. */
static embedd_status start_own(bench *b, embedd_error *err)
{
    const embedd_model_info *info = b->report.info;
    char threads[24];

    b->report.server_threads = b->threads.numbers[b->threads.n_numbers - 1];
    snprintf(threads, sizeof threads, "%zu", b->report.server_threads);
    const char *const arguments[] = {"-m",         b->folder,
                                     "--dtype",    info->dtype,
                                     "--cpu",      info->cpu_level,
                                     "--threads",  threads,
                                     "--cache",    b->cache ? b->cache : "off",
                                     "--max-body", "268435456",
                                     NULL};
    embedd_status status = ed_own_server_start(&b->own, arguments, err);
    b->report.server_start_seconds = b->own.start_seconds;
    ed_server_title(&b->own.address, b->report.own_title, sizeof b->report.own_title);
    return status;
}

/* A multiplication and an addition for each weight that is no embedding, and for each pair of
 * tokens in each layer. */
static double count_operations(const embedd_model_info *info, size_t n_tokens)
{
    double n = (double)n_tokens, width = (double)info->hidden_size;
    double n_weights = (double)info->n_parameters - (double)info->vocabulary * width;

    return n * (2 * n_weights + 4 * n * width * (double)info->n_layers);
}

static embedd_status plan(bench *b, embedd_error *err)
{
    size_t n_servers = b->compared.kind == ED_SERVER_NONE ? 1 : 2;
    size_t n_loads = b->lengths.n_numbers, n_batches = b->batches.n_numbers;
    size_t n_cells =
        n_loads * n_batches * (b->threads.n_numbers + n_servers * b->clients.n_numbers);
    ed_bench_cell *cell = b->cells = ed_calloc(n_cells, sizeof *b->cells);

    if (cell == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    for (size_t i = 0; i < n_loads; i++) {
        embedd_status status =
            ed_bench_load_make(&b->loads[i], b->model, b->lengths.numbers[i], err);
        if (status != EMBEDD_OK)
            return status;
    }
    for (size_t t = 0; t < b->threads.n_numbers; t++)
        for (size_t i = 0; i < n_loads * n_batches; i++)
            *cell++ = (ed_bench_cell){.n_threads = b->threads.numbers[t],
                                      .load = &b->loads[i / n_batches],
                                      .n_texts = b->batches.numbers[i % n_batches]};
    b->report.n_in_process = (size_t)(cell - b->cells);
    for (size_t c = 0; c < b->clients.n_numbers; c++)
        for (size_t i = 0; i < n_loads * n_batches * n_servers; i++)
            *cell++ = (ed_bench_cell){.n_clients = b->clients.numbers[c],
                                      .is_compared = i % n_servers == 1,
                                      .load = &b->loads[i / n_servers / n_batches],
                                      .n_texts = b->batches.numbers[i / n_servers % n_batches]};
    for (size_t i = 0; i < n_cells; i++)
        b->cells[i].operations = count_operations(b->report.info, b->cells[i].load->n_tokens);
    b->report.cells = b->cells;
    b->report.n_cells = n_cells;
    return EMBEDD_OK;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static embedd_status measure_in_process(bench *b, const ed_bench_cell *cell, ed_bench_sample *out,
                                        embedd_error *err)
{
    const embedd_session_options options = {
        .n_threads = cell->n_threads,
        .batch_tokens_max = (size_t)b->arguments->values[ED_OPTION_BATCH_TOKENS].number};
    embedd_session *session = NULL;

    embedd_status status = embedd_session_open(b->model, &options, &session, err);
    if (status == EMBEDD_OK)
        status = ed_bench_calls(session, embedd_model_dimensions(b->model, EMBEDD_POOLING_MODEL),
                                cell->load, cell->n_texts, b->seconds, out, err);
    embedd_session_close(session);
    return status;
}

static embedd_status measure_cell(bench *b, ed_bench_cell *cell, embedd_error *err)
{
    ed_bench_sample sample = {0};
    embedd_status status;

    if (cell->n_clients == 0)
        status = measure_in_process(b, cell, &sample, err);
    else
        status = ed_bench_requests(cell->is_compared ? &b->compared : &b->own.address,
                                   cell->is_compared ? ED_PROCESS_UNKNOWN : b->own.pid, cell->load,
                                   cell->n_texts, cell->n_clients, b->seconds, &sample, err);
    b->n_texts += sample.n_calls * cell->n_texts;
    sample.n_failed += cell->best.n_failed;
    if (sample.texts_per_second > cell->best.texts_per_second)
        cell->best = sample;
    cell->best.n_failed = sample.n_failed;
    return status;
}

/* Measured in every round, as the clock of a CPU moves. */
static void measure_peaks(bench *b)
{
    const embedd_model_info *info = b->report.info;
    embedd_dtype dtype = ed_dtype_parse(info->dtype);

    for (size_t t = 0; t < b->threads.n_numbers; t++) {
        double peak = ed_cpu_peak(info->cpu_level, dtype, b->threads.numbers[t]);
        if (peak > b->peaks[t])
            b->peaks[t] = peak;
        for (size_t i = 0; i < b->report.n_in_process; i++)
            if (b->cells[i].n_threads == b->threads.numbers[t])
                b->cells[i].peak = b->peaks[t];
    }
}

static embedd_status measure_rounds(bench *b, embedd_error *err)
{
    const ed_value *progress = &b->arguments->values[ED_OPTION_PROGRESS];
    size_t n_rounds = (size_t)b->arguments->values[ED_OPTION_ROUNDS].number, n_done = 0;
    size_t n_all = n_rounds * b->report.n_cells;
    embedd_status status = EMBEDD_OK;

    ed_progress_start(&b->progress, ed_progress_choose(progress->given, progress->on, true),
                      ED_PROGRESS_TEXTS, "measuring", 0, 0);
    for (size_t round = 0; round < n_rounds; round++) {
        measure_peaks(b);
        for (size_t i = 0; i < b->report.n_cells; i++) {
            status = measure_cell(b, &b->cells[i], err);
            if (status != EMBEDD_OK)
                return status;
            n_done++;
            ed_progress_update(&b->progress, b->n_texts, 0, (double)n_done / (double)n_all);
        }
    }
    return EMBEDD_OK;
}
