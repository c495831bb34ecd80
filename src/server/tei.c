/* POST /embed as text-embeddings-inference has it: {inputs} -> [[0.1, ...], ...]. Fields:
 * sidecar.c, where the same route is. Source: github.com/huggingface/text-embeddings-inference,
 * router 1.9. */
#include "server/dialect.h"

#include "server/json_text.h"

static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);
static void put_problem(ed_buf *reply, const ed_problem *problem);
static unsigned http_status(ed_problem_code code);

const ed_dialect ed_dialect_tei = {
    .put_vectors = put_vectors, .put_problem = put_problem, .http_status = http_status};

static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem)
{
    ed_buf_append(reply, "[", 1);
    for (size_t i = 0; i < request->n_texts; i++) {
        if (i > 0)
            ed_buf_append(reply, ",", 1);
        if (!ed_reply_vector(reply, request, result, i, problem) && !reply->failed)
            return false;
    }
    ed_buf_append(reply, "]", 1);
    return ed_reply_end(reply, problem);
}

static void put_problem(ed_buf *reply, const ed_problem *problem)
{
    unsigned status = http_status(problem->code);
    const char *type = "Backend";
    if (status == 429)
        type = "Overloaded";
    else if (status >= 400 && status < 500)
        type = "Validation";
    ed_buf_append_text(reply, "{\"error\":");
    ed_json_text_string_or_null(reply, problem->message);
    ed_buf_printf(reply, ",\"error_type\":\"%s\"}\n", type);
}

/* A value that cannot be is 422 there. */
static unsigned http_status(ed_problem_code code)
{
    bool value = code == ED_PROBLEM_INVALID_VALUE || code == ED_PROBLEM_UNKNOWN_PROMPT ||
                 code == ED_PROBLEM_UNKNOWN_POOLING;
    return value ? 422 : ed_problem_http_status(code);
}
