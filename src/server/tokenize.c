/* Texts as tokens and tokens as texts, as text-embeddings-inference has it. POST /tokenize:
 * {inputs}
 * -> [[{id, text, special, start, stop}]]; POST /decode: {ids} -> ["text"]. Nothing is computed:
 * the reply is made where others are encoded. */
#include "server/dialect.h"
#include "server/prepare.h"

#include "server/json_text.h"
#include "server/token_ids.h"

#include <string.h>

#define TOKEN_BYTES_MAX 112 /* of a token in the reply, without its text */
#define IDS_MAX         ((size_t)1 << 20)
#define REPLY_BYTES_MAX ((size_t)256 << 20)

static bool read_add_special(ed_request_parser *p, ed_json_token token);
static bool read_ids(ed_request_parser *p, ed_json_token token);
static bool read_skip_special(ed_request_parser *p, ed_json_token token);
static bool check_inputs(ed_request_parser *p);
static bool check_ids(ed_request_parser *p);
static bool tokenize(ed_job *job, const ed_prepare_options *options);
static bool decode(ed_job *job, const ed_prepare_options *options);
static bool encode_whole(ed_job *job, const ed_prepare_options *options, size_t text_index,
                         size_t *ids_cap);
static bool put_tokens(ed_job *job, const ed_prepare_options *options, size_t text_index);
static bool parse_ids(ed_job *job, size_t list_index, size_t *ids_cap, size_t *n_ids);
static bool take(ed_job *job, const ed_prepare_options *options, size_t n_bytes);

static const ed_request_field tokenize_fields[] = {
    {"inputs", ed_read_inputs},
    {"model", ed_read_any_model},
    {"add_special_tokens", read_add_special},
    {"prompt_name", ed_read_prompt_name},
};

static const ed_request_field decode_fields[] = {
    {"ids", read_ids},
    {"model", ed_read_any_model},
    {"skip_special_tokens", read_skip_special},
};

const ed_dialect ed_dialect_tokenize = {
    .answer = ED_ANSWER_TEXT,
    .fields = tokenize_fields,
    .n_fields = sizeof tokenize_fields / sizeof *tokenize_fields,
    .check = check_inputs,
    .make_reply = tokenize,
    .put_problem = ed_tei_put_problem,
    .http_status = ed_tei_http_status};

const ed_dialect ed_dialect_decode = {.answer = ED_ANSWER_TEXT,
                                      .fields = decode_fields,
                                      .n_fields = sizeof decode_fields / sizeof *decode_fields,
                                      .check = check_ids,
                                      .make_reply = decode,
                                      .put_problem = ed_tei_put_problem,
                                      .http_status = ed_tei_http_status};

/* ---- the request ----------------------------------------------------------------------------- */

static bool read_add_special(ed_request_parser *p, ed_json_token token)
{
    bool add = true;
    bool ok = ed_read_bool(p, token, "\"add_special_tokens\"", &add);
    p->request->no_special = !add;
    return ok;
}

static bool read_skip_special(ed_request_parser *p, ed_json_token token)
{
    bool skip = true;
    bool ok = ed_read_bool(p, token, "\"skip_special_tokens\"", &skip);
    p->request->keep_special = !skip;
    return ok;
}

static bool read_ids(ed_request_parser *p, ed_json_token token)
{
    return ed_read_id_lists(p, token, "\"ids\"");
}

static bool check_inputs(ed_request_parser *p)
{
    return p->given ? true
                    : ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                                     "expected \"inputs\", a string or a list of strings");
}

static bool check_ids(ed_request_parser *p)
{
    if (!(p->given & ED_GIVEN_INPUTS))
        return ed_problem_set(p->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "expected \"ids\", a list of token ids or a list of such lists");
    return true;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool tokenize(ed_job *job, const ed_prepare_options *options)
{
    size_t ids_cap = 0;
    ed_buf_init(&job->reply, REPLY_BYTES_MAX);
    ed_buf_append(&job->reply, "[", 1);
    job->usages = ed_calloc(1, sizeof *job->usages);
    if (!job->usages)
        return ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    for (size_t i = 0; i < job->request.n_texts; i++)
        if (atomic_load(&job->cancel) != ED_CANCEL_NONE ||
            !encode_whole(job, options, i, &ids_cap) || !put_tokens(job, options, i))
            return false;
    ed_buf_append(&job->reply, "]", 1);
    return ed_reply_end(&job->reply, &job->problem);
}

/* All ids of a text, however many: the first try tells the number. */
static bool encode_whole(ed_job *job, const ed_prepare_options *options, size_t text_index,
                         size_t *ids_cap)
{
    embedd_error err;
    embedd_usage *usage = job->usages;
    embedd_encode_options encode = job->encode;
    size_t n_needed = embedd_model_get_info(options->model)->tokens_max;
    encode.whole = true;
    do {
        if (n_needed > IDS_MAX)
            return ed_problem_set(&job->problem, ED_PROBLEM_BATCH_TOO_LARGE, text_index,
                                  "text %zu has more than %zu tokens", text_index, IDS_MAX);
        if (n_needed > *ids_cap) {
            int32_t *ids = ed_realloc(job->ids, n_needed, sizeof *ids);
            if (!ids || !take(job, options, (n_needed - *ids_cap) * sizeof *ids))
                return ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX,
                                      NULL);
            job->ids = ids;
            *ids_cap = n_needed;
        }
        embedd_status status = embedd_encode(options->encoder, job->request.texts[text_index],
                                             &encode, job->ids, *ids_cap, usage, &err);
        if (status != EMBEDD_OK)
            return ed_problem_set(&job->problem, ed_problem_of(status), text_index, NULL);
        n_needed = usage->n_tokens_total;
    } while (n_needed > *ids_cap);
    return true;
}

static bool put_tokens(ed_job *job, const ed_prepare_options *options, size_t text_index)
{
    ed_buf *reply = &job->reply;
    size_t begin = 0, n_after = 0, n_bytes = 0;
    if (job->request.no_special)
        embedd_model_special_tokens(options->model, &begin, &n_after);
    size_t end = job->usages->n_tokens - n_after;
    for (size_t i = begin; i < end; i++) {
        const char *text = embedd_token_text(options->model, job->ids[i], NULL);
        n_bytes += TOKEN_BYTES_MAX + (text ? strlen(text) * 6 : 0);
    }
    if (!take(job, options, n_bytes))
        return false;
    ed_buf_append_text(reply, text_index > 0 ? ",[" : "[");
    for (size_t i = begin; i < end; i++) {
        bool special = false;
        const char *text = embedd_token_text(options->model, job->ids[i], &special);
        ed_buf_printf(reply, "%s{\"id\":%d,\"text\":", i > begin ? "," : "", job->ids[i]);
        ed_json_text_string_or_null(reply, text);
        ed_buf_printf(reply, ",\"special\":%s,\"start\":null,\"stop\":null}",
                      special ? "true" : "false");
    }
    ed_buf_append(reply, "]", 1);
    return true;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool decode(ed_job *job, const ed_prepare_options *options)
{
    size_t ids_cap = 0, n_ids = 0;
    ed_buf_init(&job->reply, REPLY_BYTES_MAX);
    ed_buf_append(&job->reply, "[", 1);
    for (size_t i = 0; i < job->request.n_texts; i++) {
        embedd_error err;
        embedd_text text;
        if (atomic_load(&job->cancel) != ED_CANCEL_NONE || !parse_ids(job, i, &ids_cap, &n_ids))
            return false;
        embedd_status status = embedd_decode(options->encoder, job->ids, n_ids,
                                             !job->request.keep_special, &text, &err);
        if (status == EMBEDD_UNSUPPORTED)
            return ed_problem_set(&job->problem, ED_PROBLEM_WRONG_TASK, EMBEDD_NO_INDEX,
                                  "the model's tokenizer cannot turn ids into text");
        if (status != EMBEDD_OK)
            return ed_problem_set(&job->problem, ed_problem_of(status), i, NULL);
        if (!take(job, options, text.n_bytes * 6))
            return false;
        ed_buf_append(&job->reply, ",", i > 0);
        ed_json_text_string(&job->reply, text.bytes, text.n_bytes);
    }
    ed_buf_append(&job->reply, "]", 1);
    return ed_reply_end(&job->reply, &job->problem);
}

/* The list's ids, in job->ids: at most one for two bytes. */
static bool parse_ids(ed_job *job, size_t list_index, size_t *ids_cap, size_t *n_ids)
{
    ed_id_list list;
    size_t cap = job->request.texts[list_index].n_bytes / 2 + 1;
    if (cap > *ids_cap) {
        int32_t *ids = ed_realloc(job->ids, cap, sizeof *ids);
        if (!ids)
            return ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
        job->ids = ids;
        *ids_cap = cap;
    }
    ed_id_list_open(&list, job->request.texts[list_index], list_index);
    while (ed_id_list_next(&list, &job->ids[list.n], &job->problem))
        ;
    *n_ids = list.n;
    return job->problem.code == ED_PROBLEM_NONE;
}

static bool take(ed_job *job, const ed_prepare_options *options, size_t n_bytes)
{
    return ed_budget_take(options->budget, &job->memory, n_bytes) ||
           ed_problem_set(&job->problem, ED_PROBLEM_OVERLOADED, EMBEDD_NO_INDEX, NULL);
}
