/* POST /v1/embeddings: {input} -> {data:[{embedding}]}. Source: OpenAI's API reference, and what
 * openai-node and openai-python send: base64 by default, and no `truncate`. An input may be token
 * ids instead of texts, if the server takes such. */
#include "server/dialect.h"

#include "server/json_text.h"
#include "server/token_ids.h"

#define TEXTS_MAX 2048

static bool read_input(ed_request_parser *p, ed_json_token token);
static bool read_format(ed_request_parser *p, ed_json_token token);
static bool check(ed_request_parser *p);
static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);
static void put_problem(ed_buf *reply, const ed_problem *problem);

static const ed_request_field fields[] = {
    {"model", ed_read_model},
    {"input", read_input},
    {"encoding_format", read_format},
    {"dimensions", ed_read_dimensions},
    {"prompt_name", ed_read_prompt_name},
};

const ed_dialect ed_dialect_openai = {.fields = fields,
                                      .n_fields = sizeof fields / sizeof *fields,
                                      .check = check,
                                      .put_vectors = put_vectors,
                                      .put_problem = put_problem};

/* What a list holds is seen at its first item. */
static bool read_input(ed_request_parser *p, ed_json_token token)
{
    ed_json_reader ahead = p->json;
    ed_json_token first = token == ED_JSON_ARRAY ? ed_json_next(&ahead) : ED_JSON_END;
    p->request->token_ids = first == ED_JSON_NUMBER || first == ED_JSON_ARRAY;
    return p->request->token_ids ? ed_read_id_lists(p, token, "the input")
                                 : ed_read_inputs(p, token);
}

static bool read_format(ed_request_parser *p, ed_json_token token)
{
    embedd_text format = {0};
    if (!ed_read_string(p, token, "\"encoding_format\"", &format))
        return false;
    p->request->base64 = ed_text_is(format, "base64");
    if (!format.bytes || p->request->base64 || ed_text_is(format, "float"))
        return true;
    return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                          "Invalid value for 'encoding_format'. "
                          "Supported values: ['float', 'base64'].");
}

static bool check(ed_request_parser *p)
{
    if (!p->given || p->request->n_texts == 0)
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "expected \"input\", a string or a list of strings");
    if (p->request->n_texts > TEXTS_MAX)
        return ed_problem_set(p->problem, ED_PROBLEM_BATCH_TOO_LARGE, EMBEDD_NO_INDEX,
                              "too many inputs: the maximum batch size is %d", TEXTS_MAX);
    return true;
}

static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem)
{
    size_t n_tokens = ed_reply_n_tokens(request, result);
    ed_buf_append_text(reply, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < request->n_texts; i++) {
        ed_buf_printf(
            reply, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i > 0 ? "," : "", i);
        if (!ed_reply_vector(reply, request, result, i, problem) && !reply->failed)
            return false;
        ed_buf_append(reply, "}", 1);
    }
    ed_buf_append_text(reply, "],\"model\":");
    ed_reply_model(reply, request, result);
    ed_buf_printf(reply, ",\"usage\":{\"prompt_tokens\":%zu,\"total_tokens\":%zu},\"truncated\":",
                  n_tokens, n_tokens);
    ed_reply_truncated(reply, request, result);
    ed_buf_append_text(reply, "}\n");
    return ed_reply_end(reply, problem);
}

static void put_problem(ed_buf *reply, const ed_problem *problem)
{
    unsigned status = ed_problem_http_status(problem->code);
    const char *type = "invalid_request_error";
    if (status == 429)
        type = "rate_limit_error";
    else if (status >= 500)
        type = "server_error";
    ed_buf_append_text(reply, "{\"error\":{\"message\":");
    ed_json_text_string_or_null(reply, problem->message);
    ed_buf_printf(reply, ",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}\n", type,
                  ed_problem_name(problem->code));
}
