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
static bool check_inputs(ed_request_parser *p);
static bool put_tokens(ed_buf *reply, const ed_request *request, const ed_result *result,
                       ed_problem *problem);
static bool put_sparse(ed_buf *reply, const ed_request *request, const ed_result *result,
                       ed_problem *problem);
static bool put_weight(ed_buf *reply, size_t token, float weight);

const ed_dialect ed_dialect_tei = {.put_vectors = put_vectors,
                                   .put_problem = ed_tei_put_problem,
                                   .http_status = ed_tei_http_status};

static const ed_request_field similarity_fields[] = {
    {"inputs", read_compared}, {"model", ed_read_any_model}, {"parameters", read_parameters}};

static const ed_request_field input_fields[] = {{"inputs", ed_read_inputs},
                                                {"model", ed_read_any_model},
                                                {"truncate", ed_read_truncate},
                                                {"truncation_direction", ed_read_direction},
                                                {"prompt_name", ed_read_prompt_name}};

const ed_dialect ed_dialect_tokens = {.answer = ED_ANSWER_TOKENS,
                                      .fields = input_fields,
                                      .n_fields = sizeof input_fields / sizeof *input_fields,
                                      .check = check_inputs,
                                      .put_vectors = put_tokens,
                                      .put_problem = ed_tei_put_problem,
                                      .http_status = ed_tei_http_status};

const ed_dialect ed_dialect_sparse = {.answer = ED_ANSWER_SPARSE,
                                      .fields = input_fields,
                                      .n_fields = sizeof input_fields / sizeof *input_fields,
                                      .check = check_inputs,
                                      .put_vectors = put_sparse,
                                      .put_problem = ed_tei_put_problem,
                                      .http_status = ed_tei_http_status};

const ed_dialect ed_dialect_similarity = {
    .fields = similarity_fields,
    .n_fields = sizeof similarity_fields / sizeof *similarity_fields,
    .check = check_compared,
    .put_vectors = put_similarities,
    .put_problem = ed_tei_put_problem,
    .http_status = ed_tei_http_status};

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

void ed_tei_put_problem(ed_buf *reply, const ed_problem *problem)
{
    unsigned status = ed_tei_http_status(problem->code);
    const char *type = "Backend";
    if (status == 429)
        type = "Overloaded";
    else if (status == 424)
        type = "Backend";
    else if (problem->code == ED_PROBLEM_MISSING_FIELD)
        type = "Empty";
    else if (status >= 400 && status < 500)
        type = "Validation";
    ed_buf_append_text(reply, "{\"error\":");
    ed_json_text_string_or_null(reply, problem->message);
    ed_buf_printf(reply, ",\"error_type\":\"%s\"}\n", type);
}

/* A value that cannot be is 422 there, and a model that cannot do it 424. */
unsigned ed_tei_http_status(ed_problem_code code)
{
    bool value = code == ED_PROBLEM_INVALID_VALUE || code == ED_PROBLEM_UNKNOWN_PROMPT ||
                 code == ED_PROBLEM_UNKNOWN_POOLING;
    if (code == ED_PROBLEM_WRONG_TASK)
        return 424;
    return value ? 422 : ed_problem_http_status(code);
}

/* ---- POST /embed_all and /embed_sparse ------------------------------------------------------- */

static bool check_inputs(ed_request_parser *p)
{
    return p->given ? true
                    : ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                                     "expected \"inputs\", a string or a list of strings");
}

/* [[[0.1, ...], ...], ...]: of each text a vector for each token. */
static bool put_tokens(ed_buf *reply, const ed_request *request, const ed_result *result,
                       ed_problem *problem)
{
    size_t vector = 0;
    ed_buf_append(reply, "[", 1);
    for (size_t i = 0; i < request->n_texts; i++) {
        ed_buf_append(reply, i > 0 ? ",[" : "[", i > 0 ? 2 : 1);
        for (size_t j = 0; j < result->usages[i].n_tokens; j++) {
            if (j > 0)
                ed_buf_append(reply, ",", 1);
            if (!ed_reply_vector(reply, request, result, vector++, problem) && !reply->failed)
                return false;
        }
        ed_buf_append(reply, "]", 1);
    }
    ed_buf_append(reply, "]", 1);
    return ed_reply_end(reply, problem);
}

/* [[{"index":7,"value":0.5}, ...], ...]: what is not 0, by token id. */
static bool put_sparse(ed_buf *reply, const ed_request *request, const ed_result *result,
                       ed_problem *problem)
{
    ed_buf_append(reply, "[", 1);
    for (size_t i = 0; i < request->n_texts; i++) {
        const float *weights = result->vectors + i * result->n_dimensions;
        const char *open = i > 0 ? ",[" : "[";
        ed_buf_append_text(reply, open);
        bool first = true;
        for (size_t j = 0; j < result->n_dimensions; j++) {
            if (weights[j] == 0)
                continue;
            ed_buf_append(reply, ",", first ? 0 : 1);
            first = false;
            if (!put_weight(reply, j, weights[j]))
                return ed_problem_set(problem, ED_PROBLEM_NONFINITE_OUTPUT, i, NULL);
        }
        ed_buf_append(reply, "]", 1);
    }
    ed_buf_append(reply, "]", 1);
    return ed_reply_end(reply, problem);
}

static bool put_weight(ed_buf *reply, size_t token, float weight)
{
    char number[ED_FLOAT_TEXT_ROOM];
    size_t n_bytes = ed_float_text(weight, number);
    ed_buf_printf(reply, "{\"index\":%zu,\"value\":", token);
    ed_buf_append(reply, number, n_bytes);
    ed_buf_append(reply, "}", 1);
    return n_bytes > 0;
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
