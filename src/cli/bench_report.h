/* What bench found, for a terminal or for a program. */
#ifndef ED_BENCH_REPORT_H
#define ED_BENCH_REPORT_H

#include "cli/bench_measure.h"

/* One line: a way to ask, and the best of its rounds. */
typedef struct ed_bench_cell {
    const ed_bench_load *load;
    size_t n_texts;       /* of a call */
    size_t n_threads;     /* of a cell in this process, else 0 */
    size_t n_clients;     /* of a cell over HTTP, else 0 */
    bool is_compared;     /* over HTTP: asks the other server */
    ed_bench_sample best; /* of most texts a second */
    double operations;    /* of a text */
    double peak;          /* operations a second that its threads can do at most, or 0 */
} ed_bench_cell;

typedef struct ed_bench_report {
    const char *model;
    const embedd_model_info *info;
    const ed_bench_cell *cells; /* [n_cells]: those of this process first */
    size_t n_cells, n_in_process;
    double open_seconds;                    /* to the first vector */
    double server_start_seconds;            /* to the ready line */
    uint64_t peak_bytes, server_peak_bytes; /* 0 = not known */
    size_t server_threads;
    char own_title[64], compared_title[160]; /* "" = there is none */
} ed_bench_report;

/* On standard output. */
void ed_bench_report_print(const ed_bench_report *report);
bool ed_bench_report_print_json(const ed_bench_report *report); /* false: out of memory */

#endif
