/* The last requests that were refused, for the page and /info: enough to find them in the log. */
#ifndef ED_REFUSALS_H
#define ED_REFUSALS_H

#include "base/memory.h"
#include "server/problem.h"
#include "server/request_id.h"

#define ED_REFUSALS_MAX 8

typedef struct ed_refusal {
    uint64_t at_ns; /* by ed_clock_ns */
    ed_problem_code code;
    unsigned http_status;
    const char *route; /* one of the table's, or "other" */
    char request_id[ED_REQUEST_ID_MAX + 1];
} ed_refusal;

/* Zeroed before the first use; the HTTP thread's alone. */
typedef struct ed_refusals {
    ed_refusal last[ED_REFUSALS_MAX]; /* the number i at i % ED_REFUSALS_MAX */
    size_t n;                         /* since the start */
} ed_refusals;

void ed_refusals_add(ed_refusals *refusals, const ed_refusal *refusal);
/* A list of {"seconds_ago","status","code","route","request_id"}, the latest first. */
void ed_refusals_put(ed_buf *reply, const ed_refusals *refusals);

#endif
