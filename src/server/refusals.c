/* In: what was refused. Out: JSON. Never a path or a text that a client has sent. */
#include "server/refusals.h"

#include "base/clock.h"
#include "server/json_text.h"

void ed_refusals_add(ed_refusals *refusals, const ed_refusal *refusal)
{
    refusals->last[refusals->n++ % ED_REFUSALS_MAX] = *refusal;
}

void ed_refusals_put(ed_buf *reply, const ed_refusals *refusals)
{
    uint64_t now_ns = ed_clock_ns();
    size_t n = refusals->n < ED_REFUSALS_MAX ? refusals->n : ED_REFUSALS_MAX;
    ed_buf_append(reply, "[", 1);
    for (size_t i = 1; i <= n; i++) {
        const ed_refusal *refusal = &refusals->last[(refusals->n - i) % ED_REFUSALS_MAX];
        ed_buf_printf(reply,
                      "%s{\"seconds_ago\":%.3f,\"status\":%u,\"code\":\"%s\",\"route\":\"%s\","
                      "\"request_id\":",
                      i > 1 ? "," : "", (double)(now_ns - refusal->at_ns) * 1e-9,
                      refusal->http_status, ed_problem_name(refusal->code), refusal->route);
        ed_json_text_string_or_null(reply, refusal->request_id);
        ed_buf_append(reply, "}", 1);
    }
    ed_buf_append(reply, "]", 1);
}
