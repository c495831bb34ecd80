/* POST /embed as the Python sidecar had it: {texts} -> {vectors}; with {inputs} the client is TEI's
 * (tei.c). In: fields. Out: the reply. Never a field that the sidecar's clients do not expect under
 * that name. */
#include "server/dialect.h"

#include "server/json_text.h"

static bool read_encoding(ed_request_parser *p, ed_json_token token);
static bool check(ed_request_parser *p);
static void put_facts(ed_buf *reply, const ed_request *request, const ed_result *result);
static bool check_numbers(ed_request_parser *p);
static bool check_binary(ed_request_parser *p);
static bool check_lines(ed_request_parser *p);
static bool put_line(ed_buf *line, const ed_request *request, const ed_result *result,
                     size_t text_index, ed_problem *problem);
static bool put_last_line(ed_buf *reply, const ed_request *request, const ed_result *result,
                          ed_problem *problem);
static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);
static bool put_bytes(ed_buf *reply, const ed_request *request, const ed_result *result,
                      ed_problem *problem);

static const ed_request_field fields[] = {
    {"texts", ed_read_texts},
    {"text", ed_read_text},
    {"inputs", ed_read_inputs},
    {"model", ed_read_any_model},
    {"normalize", ed_read_normalize},
    {"truncate", ed_read_truncate},
    {"truncation_direction", ed_read_direction},
    {"pooling", ed_read_pooling},
    {"prompt", ed_read_prompt},
    {"prompt_name", ed_read_prompt_name},
    {"dimensions", ed_read_dimensions},
    {"batch_size", ed_read_batch_size},
    {"encoding", read_encoding},
};

const ed_dialect ed_dialect_sidecar = {.fields = fields,
                                       .n_fields = sizeof fields / sizeof *fields,
                                       .check = check_numbers,
                                       .put_vectors = put_vectors,
                                       .put_problem = ed_put_problem};

const ed_dialect ed_dialect_binary = {.fields = fields,
                                      .n_fields = sizeof fields / sizeof *fields,
                                      .check = check_binary,
                                      .put_vectors = put_bytes,
                                      .put_problem = ed_put_problem};

const ed_dialect ed_dialect_lines = {.fields = fields,
                                     .n_fields = sizeof fields / sizeof *fields,
                                     .check = check_lines,
                                     .put_vectors = put_last_line,
                                     .put_line = put_line,
                                     .put_problem = ed_put_problem};

static bool check(ed_request_parser *p)
{
    unsigned given = p->given;
    if (given == ED_GIVEN_INPUTS)
        p->request->dialect = &ed_dialect_tei;
    if (given & (given - 1))
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"texts\" and \"text\" are both given; send one of them");
    if (!given)
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "expected \"texts\", a list of strings, or \"text\", a string");
    return true;
}

/* Only what is sent as bytes can be of another type: check_binary. */
static bool check_numbers(ed_request_parser *p)
{
    if (p->request->encoding != ED_ENCODING_FLOAT32)
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "that \"encoding\" needs Accept: application/octet-stream");
    return check(p);
}

/* Names as in quantize_embeddings of sentence-transformers. */
static bool read_encoding(ed_request_parser *p, ed_json_token token)
{
    static const char *const names[] = {[ED_ENCODING_FLOAT32] = "float32",
                                        [ED_ENCODING_INT8] = "int8",
                                        [ED_ENCODING_UBINARY] = "ubinary",
                                        [ED_ENCODING_BINARY] = "binary"};
    embedd_text name = {0};
    p->request->encoding = ED_ENCODING_FLOAT32;
    if (!ed_read_string(p, token, "\"encoding\"", &name))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (ed_text_is(name, names[i])) {
            p->request->encoding = (ed_encoding)i;
            return true;
        }
    }
    return !name.bytes || ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                                         "\"encoding\" is float32, int8, binary or ubinary");
}

/* Whoever wants bytes gets them, whatever the field's name. */
static bool check_binary(ed_request_parser *p)
{
    bool ok = check(p);
    p->request->dialect = &ed_dialect_binary;
    return ok;
}

/* Lines, too, whatever the field's name. */
static bool check_lines(ed_request_parser *p)
{
    bool ok = check_numbers(p);
    p->request->dialect = &ed_dialect_lines;
    return ok;
}

static bool put_line(ed_buf *line, const ed_request *request, const ed_result *result,
                     size_t text_index, ed_problem *problem)
{
    const embedd_usage *usage = &result->usages[text_index];
    ed_buf_printf(line,
                  "{\"index\":%zu,\"tokens_used\":%zu,\"tokens_total\":%zu,\"vector\":", text_index,
                  usage->n_tokens, usage->n_tokens_total);
    bool ok = ed_reply_vector(line, request, result, text_index, problem);
    ed_buf_append_text(line, "}\n");
    return ok && !line->failed;
}

static bool put_last_line(ed_buf *reply, const ed_request *request, const ed_result *result,
                          ed_problem *problem)
{
    ed_buf_append_text(reply, "{\"done\":true");
    put_facts(reply, request, result);
    return ed_reply_end(reply, problem);
}

static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem)
{
    ed_buf_append_text(reply, "{\"vectors\":[");
    for (size_t i = 0; i < request->n_texts; i++) {
        if (i > 0)
            ed_buf_append(reply, ",", 1);
        if (!ed_reply_vector(reply, request, result, i, problem) && !reply->failed)
            return false;
    }
    ed_put_summary(reply, request, result);
    return ed_reply_end(reply, problem);
}

void ed_put_summary(ed_buf *reply, const ed_request *request, const ed_result *result)
{
    ed_buf_append(reply, "]", 1);
    put_facts(reply, request, result);
}

static void put_facts(ed_buf *reply, const ed_request *request, const ed_result *result)
{
    ed_buf_append_text(reply, ",\"model\":");
    ed_json_text_string_or_null(reply, result->model_id);
    ed_buf_printf(reply,
                  ",\"dim\":%zu,\"usage\":{\"tokens\":%zu},\"truncated\":", result->n_dimensions,
                  ed_reply_n_tokens(request, result));
    ed_reply_truncated(reply, request, result);
    ed_buf_append_text(reply, "}\n");
}

static bool put_bytes(ed_buf *reply, const ed_request *request, const ed_result *result,
                      ed_problem *problem)
{
    for (size_t i = 0; i < request->n_texts; i++)
        if (!ed_reply_bytes(reply, request, result, i, problem) && !reply->failed)
            return false;
    return ed_reply_end(reply, problem);
}

/* {"error":{"code","message","index"}}: ASCII, and nothing a client has sent. */
void ed_put_problem(ed_buf *reply, const ed_problem *problem)
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
