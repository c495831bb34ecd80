/* Texts in the order of how well they answer a query. POST /rerank as text-embeddings-inference has
 * it: {query, texts} -> [{index, score}]; with {documents} as Cohere, Jina and llama.cpp: ->
 * {results: [{index, relevance_score}]}. In: scores as the model computes them. Out: the best
 * first, equal ones in the request's order. */
#include "server/dialect.h"

#include "server/float_text.h"
#include "server/json_text.h"

#include <math.h>
#include <stdlib.h>

static bool read_query(ed_request_parser *p, ed_json_token token);
static bool read_documents(ed_request_parser *p, ed_json_token token);
static bool read_raw_scores(ed_request_parser *p, ed_json_token token);
static bool read_return(ed_request_parser *p, ed_json_token token);
static bool read_top_n(ed_request_parser *p, ed_json_token token);
static bool check_either(ed_request_parser *p);
static bool check(ed_request_parser *p);
static bool put_ranks(ed_buf *reply, const ed_request *request, const ed_result *result,
                      ed_problem *problem);
static bool put_results(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);
static void put_problem(ed_buf *reply, const ed_problem *problem);

static const ed_request_field fields[] = {
    {"query", read_query},
    {"texts", ed_read_texts},
    {"documents", read_documents},
    {"model", ed_read_model},
    {"truncate", ed_read_truncate},
    {"truncation_direction", ed_read_direction},
    {"raw_scores", read_raw_scores},
    {"return_text", read_return},
    {"return_documents", read_return},
    {"top_n", read_top_n},
};

const ed_dialect ed_dialect_rerank = {.answer = ED_ANSWER_SCORES,
                                      .fields = fields,
                                      .n_fields = sizeof fields / sizeof *fields,
                                      .check = check_either,
                                      .put_vectors = put_ranks,
                                      .put_problem = ed_tei_put_problem,
                                      .http_status = ed_tei_http_status};

const ed_dialect ed_dialect_cohere = {.answer = ED_ANSWER_SCORES,
                                      .fields = fields,
                                      .n_fields = sizeof fields / sizeof *fields,
                                      .check = check,
                                      .put_vectors = put_results,
                                      .put_problem = put_problem};

/* ---- the request ----------------------------------------------------------------------------- */

static bool read_query(ed_request_parser *p, ed_json_token token)
{
    p->request->query = (embedd_text){0};
    return ed_read_string(p, token, "\"query\"", &p->request->query);
}

static bool read_raw_scores(ed_request_parser *p, ed_json_token token)
{
    return ed_read_bool(p, token, "\"raw_scores\"", &p->request->raw_scores);
}

static bool read_return(ed_request_parser *p, ed_json_token token)
{
    return ed_read_bool(p, token, "\"return_documents\"", &p->request->return_texts);
}

static bool read_top_n(ed_request_parser *p, ed_json_token token)
{
    p->request->top_n = 0;
    return ed_read_whole_number(p, token, "\"top_n\"", 1, &p->request->top_n);
}

static bool read_document_text(ed_request_parser *p, ed_json_token token)
{
    p->request->source = (embedd_text){0};
    return ed_read_string(p, token, "\"text\" of a document", &p->request->source);
}

/* A list of strings, or of objects with a "text". */
static bool read_documents(ed_request_parser *p, ed_json_token token)
{
    static const ed_request_field document[] = {{"text", read_document_text}};
    ed_request *request = p->request;
    if (token == ED_JSON_NULL)
        return ed_read_inputs(p, token);
    ed_begin_texts(p, ED_GIVEN_INPUTS);
    if (token != ED_JSON_ARRAY)
        return ed_json_skip(&p->json, token) &&
               ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX,
                              "\"documents\" is not a list");
    while ((token = ed_json_next(&p->json)) != ED_JSON_ARRAY_END) {
        request->source = (embedd_text){0};
        if (token == ED_JSON_STRING && !ed_read_string(p, token, "", &request->source))
            return false;
        if (token == ED_JSON_OBJECT && !ed_read_fields(p, document, 1))
            return false;
        if (!request->source.bytes)
            return token != ED_JSON_ERROR &&
                   ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, request->n_texts,
                                  "item %zu of \"documents\" is no string, and no object with "
                                  "\"text\"",
                                  request->n_texts);
        if (!ed_add_text(p, request->source))
            return false;
    }
    return true;
}

static bool check_either(ed_request_parser *p)
{
    if (p->given == ED_GIVEN_INPUTS)
        p->request->dialect = &ed_dialect_cohere;
    return check(p);
}

static bool check(ed_request_parser *p)
{
    if (p->given & (p->given - 1))
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"texts\" and \"documents\" are both given; send one of them");
    if (!p->request->query.bytes || p->request->n_texts == 0)
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "expected \"query\", a string, and \"texts\" or \"documents\", a "
                              "list of strings that is not empty");
    return true;
}

/* ---- the reply ------------------------------------------------------------------------------- */

typedef struct rank {
    size_t index;
    float score; /* as it is shown */
} rank;

static int compare_ranks(const void *a, const void *b)
{
    const rank *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* All texts, the best first; NULL with the problem. */
static rank *sort(const ed_request *request, const ed_result *result, ed_problem *problem)
{
    rank *ranks = ed_calloc(request->n_texts, sizeof *ranks);
    if (!ranks)
        ed_problem_set(problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    for (size_t i = 0; ranks && i < request->n_texts; i++) {
        double raw = (double)result->vectors[i];
        ranks[i] =
            (rank){i, request->raw_scores ? result->vectors[i] : (float)(1 / (1 + exp(-raw)))};
    }
    if (ranks)
        qsort(ranks, request->n_texts, sizeof *ranks, compare_ranks);
    return ranks;
}

static size_t count_shown(const ed_request *request)
{
    return request->top_n && request->top_n < request->n_texts ? request->top_n : request->n_texts;
}

static void put_score(ed_buf *reply, float score)
{
    char number[ED_FLOAT_TEXT_ROOM];
    ed_buf_append(reply, number, ed_float_text(score, number));
}

static bool put_ranks(ed_buf *reply, const ed_request *request, const ed_result *result,
                      ed_problem *problem)
{
    rank *ranks = sort(request, result, problem);
    if (!ranks)
        return false;
    for (size_t i = 0; i < count_shown(request); i++) {
        embedd_text text = request->texts[ranks[i].index];
        ed_buf_printf(reply, "%s{\"index\":%zu,", i > 0 ? "," : "[", ranks[i].index);
        if (request->return_texts) {
            ed_buf_append_text(reply, "\"text\":");
            ed_json_text_string(reply, text.bytes, text.n_bytes);
            ed_buf_append(reply, ",", 1);
        }
        ed_buf_append_text(reply, "\"score\":");
        put_score(reply, ranks[i].score);
        ed_buf_append(reply, "}", 1);
    }
    ed_buf_append(reply, "]", 1);
    ed_free(ranks);
    return ed_reply_end(reply, problem);
}

static bool put_results(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem)
{
    size_t n_tokens = ed_reply_n_tokens(request, result);
    rank *ranks = sort(request, result, problem);
    if (!ranks)
        return false;
    ed_buf_append_text(reply, "{\"object\":\"list\",\"model\":");
    ed_reply_model(reply, request, result);
    ed_buf_append_text(reply, ",\"results\":[");
    for (size_t i = 0; i < count_shown(request); i++) {
        embedd_text text = request->texts[ranks[i].index];
        ed_buf_printf(reply, "%s{\"index\":%zu,\"relevance_score\":", i > 0 ? "," : "",
                      ranks[i].index);
        put_score(reply, ranks[i].score);
        if (request->return_texts) {
            ed_buf_append_text(reply, ",\"document\":{\"text\":");
            ed_json_text_string(reply, text.bytes, text.n_bytes);
            ed_buf_append(reply, "}", 1);
        }
        ed_buf_append(reply, "}", 1);
    }
    ed_buf_printf(reply, "],\"usage\":{\"prompt_tokens\":%zu,\"total_tokens\":%zu},\"truncated\":",
                  n_tokens, n_tokens);
    ed_reply_truncated(reply, request, result);
    ed_buf_append_text(reply, "}\n");
    ed_free(ranks);
    return ed_reply_end(reply, problem);
}

/* Cohere's clients read "message", others OpenAI's object. */
static void put_problem(ed_buf *reply, const ed_problem *problem)
{
    ed_buf_append_text(reply, "{\"message\":");
    ed_json_text_string_or_null(reply, problem->message);
    ed_buf_append_text(reply, ",\"error\":{\"message\":");
    ed_json_text_string_or_null(reply, problem->message);
    ed_buf_printf(
        reply, ",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}\n",
        ed_problem_http_status(problem->code) < 500 ? "invalid_request_error" : "server_error",
        ed_problem_name(problem->code));
}
