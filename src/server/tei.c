/* POST /embed as text-embeddings-inference has it: {inputs} -> [[0.1, ...], ...]; its fields are in
 * sidecar.c, where the same route is. POST /similarity: one sentence with each of a list. Source:
 * github.com/huggingface/text-embeddings-inference, router 1.9. */
#include "server/dialect.h"

#include "server/float_text.h"
#include "server/json_text.h"

static bool read_compared(ed_request_parser *p, ed_json_token token);
static bool read_parameters(ed_request_parser *p, ed_json_token token);
static bool check_compared(ed_request_parser *p);
static bool put_similarities(ed_buf *reply, const ed_request *request, const ed_result *result,
                             ed_problem *problem);
static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);
static void put_problem(ed_buf *reply, const ed_problem *problem);
static unsigned http_status(ed_problem_code code);

const ed_dialect ed_dialect_tei = {
    .put_vectors = put_vectors, .put_problem = put_problem, .http_status = http_status};

static const ed_request_field similarity_fields[] = {{"inputs", read_compared},
                                                     {"parameters", read_parameters}};

const ed_dialect ed_dialect_similarity = {
    .fields = similarity_fields,
    .n_fields = sizeof similarity_fields / sizeof *similarity_fields,
    .check = check_compared,
    .put_vectors = put_similarities,
    .put_problem = put_problem,
    .http_status = http_status};

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
    else if (problem->code == ED_PROBLEM_MISSING_FIELD)
        type = "Empty";
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

/* ---- POST /similarity ------------------------------------------------------------------------ */

static bool read_source(ed_request_parser *p, ed_json_token token)
{
    p->request->source = (embedd_text){0};
    return ed_read_string(p, token, "\"source_sentence\"", &p->request->source);
}

static bool read_compared(ed_request_parser *p, ed_json_token token)
{
    static const ed_request_field compared[] = {{"source_sentence", read_source},
                                                {"sentences", ed_read_inputs}};
    if (token == ED_JSON_OBJECT)
        return ed_read_fields(p, compared, sizeof compared / sizeof *compared);
    return ed_json_skip(&p->json, token) &&
           ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX,
                          "\"inputs\" is not an object");
}

static bool read_parameters(ed_request_parser *p, ed_json_token token)
{
    static const ed_request_field parameters[] = {{"truncate", ed_read_truncate},
                                                  {"truncation_direction", ed_read_direction},
                                                  {"prompt_name", ed_read_prompt_name}};
    if (token != ED_JSON_OBJECT)
        return ed_json_skip(&p->json, token);
    return ed_read_fields(p, parameters, sizeof parameters / sizeof *parameters);
}

static bool check_compared(ed_request_parser *p)
{
    if (!p->request->source.bytes || p->request->n_texts == 0)
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "expected \"inputs\" with \"source_sentence\", a string, and "
                              "\"sentences\", a list of strings");
    return ed_add_text(p, p->request->source);
}

/* Vectors have length 1: the product is the cosine. */
static bool put_similarities(ed_buf *reply, const ed_request *request, const ed_result *result,
                             ed_problem *problem)
{
    size_t n = result->n_dimensions, n_sentences = request->n_texts - 1;
    const float *source = result->vectors + n_sentences * n;
    for (size_t i = 0; i < n_sentences; i++) {
        char number[ED_FLOAT_TEXT_ROOM];
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += (double)source[j] * (double)result->vectors[i * n + j];
        size_t n_bytes = ed_float_text((float)sum, number);
        if (n_bytes == 0)
            return ed_problem_set(problem, ED_PROBLEM_NONFINITE_OUTPUT, i, NULL);
        ed_buf_append(reply, i > 0 ? "," : "[", 1);
        ed_buf_append(reply, number, n_bytes);
    }
    ed_buf_append(reply, "]", 1);
    return ed_reply_end(reply, problem);
}
