/* POST /api/embed: {model, input} -> {embeddings}; POST /api/embeddings: {model, prompt} ->
 * {embedding}; POST /api/pull: {model} -> {status}, {status}, ... Source: github.com/ollama/ollama,
 * docs/api.md and server/routes.go, 2026-08. */
#include "server/dialect.h"

#include "base/duration.h"
#include "server/json_text.h"

static bool read_input(ed_request_parser *p, ed_json_token token);
static bool read_dimensions(ed_request_parser *p, ed_json_token token);
static bool read_options(ed_request_parser *p, ed_json_token token);
static bool read_num_ctx(ed_request_parser *p, ed_json_token token);
static bool read_keep_alive(ed_request_parser *p, ed_json_token token);
static bool check(ed_request_parser *p);
static bool check_prompt(ed_request_parser *p);
static bool put_embeddings(ed_buf *reply, const ed_request *request, const ed_result *result,
                           ed_problem *problem);
static bool put_embedding(ed_buf *reply, const ed_request *request, const ed_result *result,
                          ed_problem *problem);
static bool read_stream(ed_request_parser *p, ed_json_token token);
static bool check_name(ed_request_parser *p);
static bool put_success(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);
static bool put_step(ed_buf *line, const ed_request *request, const ed_result *result, size_t step,
                     ed_problem *problem);
static void put_problem(ed_buf *reply, const ed_problem *problem);
static void put_problem_line(ed_buf *reply, const ed_problem *problem);
static unsigned http_status(ed_problem_code code);

static const ed_request_field fields[] = {
    {"model", ed_read_model},
    {"input", read_input},
    {"truncate", ed_read_truncate},
    {"dimensions", read_dimensions},
    {"options", read_options},
    {"keep_alive", read_keep_alive},
    {"prompt_name", ed_read_prompt_name},
};

static const ed_request_field prompt_fields[] = {
    {"model", ed_read_model},
    {"prompt", ed_read_text},
    {"options", read_options},
    {"keep_alive", read_keep_alive},
};

const ed_dialect ed_dialect_ollama = {.fields = fields,
                                      .n_fields = sizeof fields / sizeof *fields,
                                      .check = check,
                                      .put_vectors = put_embeddings,
                                      .put_problem = put_problem,
                                      .http_status = http_status};

const ed_dialect ed_dialect_ollama_prompt = {
    .fields = prompt_fields,
    .n_fields = sizeof prompt_fields / sizeof *prompt_fields,
    .check = check_prompt,
    .put_vectors = put_embedding,
    .put_problem = put_problem,
    .http_status = http_status};

/* ollama-js says "name". */
static const ed_request_field pull_fields[] = {
    {"model", ed_read_model},
    {"name", ed_read_model},
    {"stream", read_stream},
};

const ed_dialect ed_dialect_ollama_pull = {.answer = ED_ANSWER_PULL,
                                           .fields = pull_fields,
                                           .n_fields = sizeof pull_fields / sizeof *pull_fields,
                                           .check = check_name,
                                           .put_vectors = put_success,
                                           .put_line = put_step,
                                           .put_problem = put_problem_line,
                                           .http_status = http_status};

static bool read_input(ed_request_parser *p, ed_json_token token)
{
    if (ed_read_inputs(p, token))
        return true;
    if (!p->json.reason && p->problem->code == ED_PROBLEM_INVALID_TYPE)
        ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, p->problem->index,
                       "invalid input type");
    return false;
}

static bool read_dimensions(ed_request_parser *p, ed_json_token token)
{
    p->request->dimensions = 0;
    p->request->dimensions_at_most = true;
    return ed_read_whole_number(p, token, "\"dimensions\"", 0, &p->request->dimensions);
}

/* Of all that a client may set, num_ctx alone changes a vector: it cuts texts. */
static bool read_options(ed_request_parser *p, ed_json_token token)
{
    static const ed_request_field options[] = {{"num_ctx", read_num_ctx}};
    return token == ED_JSON_OBJECT ? ed_read_fields(p, options, 1) : ed_json_skip(&p->json, token);
}

static bool read_num_ctx(ed_request_parser *p, ed_json_token token)
{
    p->request->tokens_max = 0;
    return ed_read_whole_number(p, token, "\"num_ctx\"", 0, &p->request->tokens_max);
}

/* Seconds, or "5m"; negative = for ever, 0 = not at all. */
static bool read_keep_alive(ed_request_parser *p, ed_json_token token)
{
    embedd_text text = {p->json.token, p->json.token_bytes};
    p->request->keeps = false;
    if (token == ED_JSON_NULL)
        return true;
    if (token == ED_JSON_STRING && !ed_read_string(p, token, "\"keep_alive\"", &text))
        return false;
    if (token != ED_JSON_STRING && token != ED_JSON_NUMBER)
        return token != ED_JSON_ERROR &&
               ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX,
                              "\"keep_alive\" is not a number of seconds or a duration");
    p->request->keeps = ed_duration_parse(text.bytes, text.n_bytes, &p->request->keep_alive_ns);
    if (!p->request->keeps)
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"keep_alive\" is not a duration, such as 300, \"5m\" or -1");
    return true;
}

/* No input, or an empty string, only loads the model: an empty list. */
static bool check(ed_request_parser *p)
{
    if (p->single && p->request->texts[0].n_bytes == 0)
        p->request->n_texts = 0;
    return true;
}

static bool check_prompt(ed_request_parser *p)
{
    ed_request *request = p->request;
    request->raw_if_model = true;
    if (request->n_texts == 1 && request->texts[0].n_bytes == 0)
        request->n_texts = 0;
    return true;
}

static bool put_embeddings(ed_buf *reply, const ed_request *request, const ed_result *result,
                           ed_problem *problem)
{
    ed_buf_append_text(reply, "{\"model\":");
    ed_reply_model(reply, request, result);
    ed_buf_append_text(reply, ",\"embeddings\":[");
    for (size_t i = 0; i < request->n_texts; i++) {
        if (i > 0)
            ed_buf_append(reply, ",", 1);
        if (!ed_reply_vector(reply, request, result, i, problem) && !reply->failed)
            return false;
    }
    ed_buf_append(reply, "]", 1);
    if (request->n_texts > 0) {
        ed_buf_printf(reply, ",\"total_duration\":%.0f,\"prompt_eval_count\":%zu,\"truncated\":",
                      result->seconds * 1e9, ed_reply_n_tokens(request, result));
        ed_reply_truncated(reply, request, result);
    }
    ed_buf_append(reply, "}", 1);
    return ed_reply_end(reply, problem);
}

static bool put_embedding(ed_buf *reply, const ed_request *request, const ed_result *result,
                          ed_problem *problem)
{
    ed_buf_append_text(reply, "{\"embedding\":");
    if (request->n_texts == 0)
        ed_buf_append_text(reply, "[]");
    else if (!ed_reply_vector(reply, request, result, 0, problem) && !reply->failed)
        return false;
    ed_buf_append(reply, "}", 1);
    return ed_reply_end(reply, problem);
}

/* ---- pull ------------------------------------------------------------------------------------ */

static bool read_stream(ed_request_parser *p, ed_json_token token)
{
    return ed_read_bool(p, token, "\"stream\"", &p->request->stream);
}

static bool check_name(ed_request_parser *p)
{
    return p->request->model.n_bytes > 0 || ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD,
                                                           EMBEDD_NO_INDEX, "model is required");
}

static bool put_success(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem)
{
    if (request->stream && !result->pull->pull)
        ed_pulls_put_status(result->pulls, result->pull, reply); /* nobody has waited */
    ed_buf_append_text(reply, "{\"status\":\"success\"}\n");
    return ed_reply_end(reply, problem);
}

static bool put_step(ed_buf *line, const ed_request *request, const ed_result *result, size_t step,
                     ed_problem *problem)
{
    (void)request;
    (void)step;
    ed_pulls_put_status(result->pulls, result->pull, line);
    return ed_reply_end(line, problem);
}

/* ---- problems -------------------------------------------------------------------------------- */

static void put_problem_line(ed_buf *reply, const ed_problem *problem)
{
    put_problem(reply, problem);
    ed_buf_append(reply, "\n", 1);
}

/* {"error":"..."}; clients look for some of the sentences. */
static void put_problem(ed_buf *reply, const ed_problem *problem)
{
    const char *sentence = problem->message;
    if (problem->code == ED_PROBLEM_INPUT_TOO_LONG)
        sentence = "the input length exceeds the context length";
    if (problem->code == ED_PROBLEM_OVERLOADED)
        sentence = "server busy, please try again.  maximum pending requests exceeded";
    ed_buf_append_text(reply, "{\"error\":");
    ed_json_text_string_or_null(reply, sentence);
    ed_buf_append(reply, "}", 1);
}

static unsigned http_status(ed_problem_code code)
{
    if (code == ED_PROBLEM_INPUT_TOO_LONG)
        return 400;
    if (code == ED_PROBLEM_OVERLOADED)
        return 503;
    return ed_problem_http_status(code);
}
