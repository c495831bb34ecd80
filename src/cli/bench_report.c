/* In: measured cells. Out: two tables, or one JSON object. */
#include "cli/bench_report.h"

#include "cli/progress.h"
#include "cli/vector_sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUT_BYTES_MAX ((size_t)4 << 20)

static double get_share(const ed_bench_cell *cell)
{
    return cell->peak > 0 ? cell->best.texts_per_second * cell->operations / cell->peak : 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void print_times(const ed_bench_sample *s)
{
    printf("  %8.1f  %9.0f  %8.2f  %8.2f  %8.2f  %8.3f", s->texts_per_second, s->tokens_per_second,
           s->p50_ms, s->p95_ms, s->p99_ms, s->wall_ms);
    if (s->cpu_ms >= 0)
        printf("  %8.3f", s->cpu_ms);
    else
        printf("  %8s", "?");
}

static void print_in_process(const ed_bench_report *report)
{
    printf("\nIn this process, calls one after the other; times in ms\n"
           "%7s  %6s  %5s  %8s  %9s  %8s  %8s  %8s  %8s  %8s  %7s\n",
           "THREADS", "TOKENS", "TEXTS", "TEXTS/S", "TOKENS/S", "P50", "P95", "P99", "WALL/TXT",
           "CPU/TXT", "OF PEAK");
    for (size_t i = 0; i < report->n_in_process; i++) {
        const ed_bench_cell *cell = &report->cells[i];
        printf("%7zu  %6zu  %5zu", cell->n_threads, cell->load->n_tokens, cell->n_texts);
        print_times(&cell->best);
        if (cell->peak > 0)
            printf("  %5.1f %%", 100 * get_share(cell));
        printf("\n");
    }
}

/* The other server's line comes right behind embedd's. */
static void print_over_http(const ed_bench_report *report)
{
    const char *titles[] = {report->own_title, report->compared_title};
    int columns = 6;

    if (report->n_cells == report->n_in_process)
        return;
    for (size_t i = 0; i < 2; i++)
        if ((int)strlen(titles[i]) > columns)
            columns = (int)strlen(titles[i]);
    printf("\nOver HTTP, embedd serve with %zu thread%s; times in ms\n"
           "%7s  %6s  %5s  %-*s  %8s  %9s  %8s  %8s  %8s  %8s  %8s\n",
           report->server_threads, report->server_threads == 1 ? "" : "s", "CLIENTS", "TOKENS",
           "TEXTS", columns, "SERVER", "TEXTS/S", "TOKENS/S", "P50", "P95", "P99", "WALL/TXT",
           "CPU/TXT");
    for (size_t i = report->n_in_process; i < report->n_cells; i++) {
        const ed_bench_cell *cell = &report->cells[i];
        printf("%7zu  %6zu  %5zu  %-*s", cell->n_clients, cell->load->n_tokens, cell->n_texts,
               columns, titles[cell->is_compared]);
        print_times(&cell->best);
        if (cell->is_compared && cell->best.texts_per_second > 0)
            printf("  embedd is %.2f times as fast",
                   cell[-1].best.texts_per_second / cell->best.texts_per_second);
        if (cell->best.n_failed > 0)
            printf("  %zu failed", cell->best.n_failed);
        printf("\n");
    }
}

void ed_bench_report_print(const ed_bench_report *report)
{
    const embedd_model_info *info = report->info;
    char cpu[128], own[16], served[16];

    ed_machine_cpu_name(cpu, sizeof cpu);
    ed_size_text(report->peak_bytes, own);
    ed_size_text(report->server_peak_bytes, served);
    printf("%-9s %s, %s on %s, %.1f M parameters\n", "model", report->model, info->dtype,
           info->cpu_level, (double)info->n_parameters * 1e-6);
    printf("%-9s %s\n", "machine", cpu);
    for (size_t i = 0; i < report->n_in_process; i++) {
        const ed_bench_cell *cell = &report->cells[i];
        if (cell->peak > 0 && (i == 0 || cell->n_threads != cell[-1].n_threads))
            printf("%-9s %.0f G operations/s with %zu thread%s, measured\n", "peak",
                   cell->peak * 1e-9, cell->n_threads, cell->n_threads == 1 ? "" : "s");
    }
    printf("%-9s %.2f s to the first vector; %.2f s until embedd serve is ready\n", "start",
           report->open_seconds, report->server_start_seconds);
    printf("%-9s %s at most; embedd serve %s\n", "memory", own,
           report->server_peak_bytes ? served : "?");
    print_in_process(report);
    print_over_http(report);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void append_string(ed_buf *out, const char *field, const char *text)
{
    ed_buf_printf(out, "\"%s\":", field);
    ed_append_json_string(out, text, strlen(text));
}

static void append_cell(ed_buf *out, const ed_bench_report *report, const ed_bench_cell *cell)
{
    const ed_bench_sample *s = &cell->best;

    ed_buf_append_text(out, "\n{");
    if (cell->n_clients > 0) {
        append_string(out, "server",
                      cell->is_compared ? report->compared_title : report->own_title);
        ed_buf_printf(out, ",\"clients\":%zu", cell->n_clients);
    } else {
        ed_buf_printf(out, "\"threads\":%zu", cell->n_threads);
    }
    ed_buf_printf(out,
                  ",\"tokens\":%zu,\"texts\":%zu,\"calls\":%zu,\"failed\":%zu,"
                  "\"texts_per_second\":%.6g,\"tokens_per_second\":%.6g,\"p50_ms\":%.6g,"
                  "\"p95_ms\":%.6g,\"p99_ms\":%.6g,\"wall_ms_per_text\":%.6g,"
                  "\"cpu_ms_per_text\":",
                  cell->load->n_tokens, cell->n_texts, s->n_calls, s->n_failed, s->texts_per_second,
                  s->tokens_per_second, s->p50_ms, s->p95_ms, s->p99_ms, s->wall_ms);
    if (s->cpu_ms >= 0)
        ed_buf_printf(out, "%.6g", s->cpu_ms);
    else
        ed_buf_append_text(out, "null");
    if (cell->peak > 0)
        ed_buf_printf(out, ",\"peak_operations_per_second\":%.6g,\"share_of_peak\":%.4f",
                      cell->peak, get_share(cell));
    ed_buf_append_text(out, "}");
}

bool ed_bench_report_print_json(const ed_bench_report *report)
{
    const embedd_model_info *info = report->info;
    char cpu[128];
    ed_buf out;

    ed_buf_init(&out, OUT_BYTES_MAX);
    ed_machine_cpu_name(cpu, sizeof cpu);
    ed_buf_append_text(&out, "{");
    append_string(&out, "model", report->model);
    ed_buf_append_text(&out, ",");
    append_string(&out, "cpu", cpu);
    ed_buf_printf(&out,
                  ",\"version\":\"%s\",\"dtype\":\"%s\",\"cpu_level\":\"%s\",\"parameters\":%zu,"
                  "\"open_seconds\":%.6g,\"server_start_seconds\":%.6g,\"peak_bytes\":%" PRIu64
                  ",\"server_peak_bytes\":%" PRIu64 ",\"server_threads\":%zu,\"in_process\":[",
                  EMBEDD_VERSION, info->dtype, info->cpu_level, info->n_parameters,
                  report->open_seconds, report->server_start_seconds, report->peak_bytes,
                  report->server_peak_bytes, report->server_threads);
    for (size_t i = 0; i < report->n_cells; i++) {
        if (i == report->n_in_process)
            ed_buf_append_text(&out, "],\n\"over_http\":[");
        else if (i > 0)
            ed_buf_append_text(&out, ",");
        append_cell(&out, report, &report->cells[i]);
    }
    ed_buf_append_text(&out, "]}\n");
    bool good = !out.failed;
    if (good)
        fwrite(out.data, 1, out.n_bytes, stdout);
    ed_buf_clear(&out);
    return good;
}
