/* In: vectors, or a problem. Out: JSON. Never a number that does not read back to the same float,
 * and never NaN. */
#include "server/reply.h"

#include "server/float_text.h"
#include "server/json_text.h"

#define FLOAT_BYTES_MAX (ED_FLOAT_TEXT_MAX + 1) /* with its comma */
#define TEXT_BYTES_MAX  128 /* brackets, and its line in the truncation report */

static bool put_vector(ed_buf *reply, const float *vector, size_t n_dimensions);
static void put_truncated(ed_buf *reply, const embedd_usage *usages, size_t n_texts);

size_t ed_reply_bytes_max(const ed_request *request, const ed_result *result)
{
    return request->n_texts * (result->n_dimensions * FLOAT_BYTES_MAX + TEXT_BYTES_MAX) + 8192;
}

bool ed_reply_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                      ed_problem *problem)
{
    size_t n_tokens = 0;
    ed_buf_append_text(reply, "{\"vectors\":[");
    for (size_t i = 0; i < request->n_texts; i++) {
        n_tokens += result->usages[i].n_tokens;
        if (i > 0)
            ed_buf_append(reply, ",", 1);
        if (!put_vector(reply, result->vectors + i * result->n_dimensions, result->n_dimensions) &&
            !reply->failed)
            return ed_problem_set(problem, ED_PROBLEM_NONFINITE_OUTPUT, i, NULL);
    }
    ed_buf_append_text(reply, "],\"model\":");
    ed_json_text_string_or_null(reply, result->model_id);
    ed_buf_printf(reply, ",\"dim\":%zu,\"usage\":{\"tokens\":%zu},\"truncated\":[",
                  result->n_dimensions, n_tokens);
    put_truncated(reply, result->usages, request->n_texts);
    ed_buf_append_text(reply, "]}\n");
    if (reply->failed)
        return ed_problem_set(problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    return true;
}

/* False if a number is not finite, or if the buffer has failed. */
static bool put_vector(ed_buf *reply, const float *vector, size_t n_dimensions)
{
    if (!ed_buf_reserve(reply, n_dimensions * FLOAT_BYTES_MAX + ED_FLOAT_TEXT_ROOM))
        return false;
    char *at = reply->data + reply->n_bytes;
    *at++ = '[';
    for (size_t i = 0; i < n_dimensions; i++) {
        size_t n_bytes = ed_float_text(vector[i], at);
        if (n_bytes == 0)
            return false;
        at += n_bytes;
        *at++ = ',';
    }
    at[-1] = ']'; /* a vector has at least one number */
    reply->n_bytes = (size_t)(at - reply->data);
    return true;
}

static void put_truncated(ed_buf *reply, const embedd_usage *usages, size_t n_texts)
{
    const char *comma = "";
    for (size_t i = 0; i < n_texts; i++) {
        if (usages[i].n_tokens_total <= usages[i].n_tokens)
            continue;
        ed_buf_printf(reply, "%s{\"index\":%zu,\"tokens_used\":%zu,\"tokens_total\":%zu}", comma, i,
                      usages[i].n_tokens, usages[i].n_tokens_total);
        comma = ",";
    }
}

void ed_reply_problem(ed_buf *reply, const ed_problem *problem)
{
    ed_buf_printf(reply,
                  "{\"error\":{\"code\":\"%s\",\"message\":", ed_problem_name(problem->code));
    ed_json_text_string_or_null(reply, problem->message);
    if (problem->index == EMBEDD_NO_INDEX)
        ed_buf_append_text(reply, ",\"index\":null");
    else
        ed_buf_printf(reply, ",\"index\":%zu", problem->index);
    if (problem->code == ED_PROBLEM_INPUT_TOO_LONG)
        ed_buf_printf(reply, ",\"tokens\":%zu,\"limit\":%zu", problem->n_tokens,
                      problem->n_tokens_max);
    ed_buf_append_text(reply, "}}\n");
}
