/* In: a request and a model. Out: rows for the scheduler, and what was cut off. Never computes a
 * text of a request that will be refused: everything is checked first. */
#include "server/prepare.h"

#include "base/checked.h"
#include "base/memory.h"
#include "server/dialect.h"
#include "server/token_ids.h"

#include <string.h>

#define FLOATS_MAX ((size_t)8 << 20) /* of an answer with more than a vector for each text */

static bool resolve_options(ed_job *job, const ed_prepare_options *options);
static bool resolve_dimensions(ed_job *job, const embedd_model *model);
static bool old_route_is_raw(const embedd_model_info *info);
static bool find_prompt(ed_job *job, const embedd_model_info *info);
static bool check_task(ed_job *job, const embedd_model_info *info);
static bool allocate(ed_job *job, ed_budget *budget);
static bool allocate_vectors(ed_job *job, ed_budget *budget);
static bool encode_texts(ed_job *job, const ed_prepare_options *options, size_t *n_ids);
static bool encode_text(ed_job *job, const ed_prepare_options *options, size_t text_index,
                        int32_t *ids, size_t ids_cap);
static bool too_long(ed_job *job, size_t text_index);
static void make_rows(ed_job *job);
static bool no_memory(ed_job *job);

bool ed_prepare(ed_job *job, const ed_prepare_options *options)
{
    const ed_dialect *dialect = job->request.dialect;
    size_t n_ids = 0;
    if ((dialect->make_texts && !dialect->make_texts(job, options)) ||
        !resolve_options(job, options))
        return false;
    if (job->request.dialect->answer == ED_ANSWER_TEXT)
        return job->request.dialect->make_reply(job, options);
    if (job->request.n_texts == 0)
        return true;
    if (!allocate(job, options->budget) || !encode_texts(job, options, &n_ids))
        return false;
    if (job->request.dialect->answer == ED_ANSWER_TOKENS) {
        job->n_vectors = n_ids;
        if (!allocate_vectors(job, options->budget))
            return false;
    }
    if (!ed_budget_take(options->budget, &job->memory, n_ids * sizeof *job->ids))
        return ed_problem_set(&job->problem, ED_PROBLEM_OVERLOADED, EMBEDD_NO_INDEX, NULL);
    job->ticket.n_tokens = n_ids;
    make_rows(job);
    return true;
}

bool ed_prepare_request(ed_job *job, const ed_pipeline_options *options)
{
    char *json = job->body_is_file ? job->options.data : job->body;
    size_t n_bytes = job->body_is_file ? job->options.n_bytes : job->n_body;
    if (!ed_request_parse(&job->request, job->request.dialect, json, n_bytes, options->texts_max,
                          &job->problem))
        return false;
    /* Most clients that send ids have them of another model's tokenizer, and would get a vector. */
    if (job->request.token_ids && !options->token_ids)
        return ed_problem_set(&job->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX,
                              "the input is token ids: send texts (LangChain in Python: "
                              "check_embedding_ctx_length=False), or start the server with "
                              "--token-input accept if they are of the model's own tokenizer");
    return true;
}

static bool resolve_options(ed_job *job, const ed_prepare_options *options)
{
    ed_request *request = &job->request;
    const embedd_model_info *info = embedd_model_get_info(options->model);
    if (request->raw_if_model && old_route_is_raw(info))
        request->normalize = false;
    job->encode = (embedd_encode_options){.prompt = request->prompt,
                                          .no_truncate = !request->truncate,
                                          .tokens_max = request->tokens_max};
    if (!check_task(job, info) || !resolve_dimensions(job, options->model))
        return false;
    /* A long prompt or query with each of many texts would be work without bound. */
    if (request->n_texts > 0 && request->prompt.n_bytes + request->query.n_bytes >
                                    options->body_bytes_max / request->n_texts)
        return ed_problem_set(&job->problem, ED_PROBLEM_BODY_TOO_LARGE, EMBEDD_NO_INDEX,
                              "the prompt or query with each text makes more than %zu bytes",
                              options->body_bytes_max);
    return find_prompt(job, info);
}

/* TEI's clients know the sentences. */
static bool check_task(ed_job *job, const embedd_model_info *info)
{
    switch (job->request.dialect->answer) {
    case ED_ANSWER_VECTORS:
    case ED_ANSWER_TOKENS:
        return info->task == EMBEDD_TASK_VECTOR ||
               ed_problem_set(&job->problem, ED_PROBLEM_WRONG_TASK, EMBEDD_NO_INDEX,
                              "model is not an embedding model; it answers POST %s",
                              info->task == EMBEDD_TASK_SPARSE ? "/embed_sparse" : "/rerank");
    case ED_ANSWER_SPARSE:
        return info->task == EMBEDD_TASK_SPARSE ||
               ed_problem_set(&job->problem, ED_PROBLEM_WRONG_TASK, EMBEDD_NO_INDEX,
                              "model is not an embedding model with SPLADE pooling");
    case ED_ANSWER_SCORES:
        break;
    case ED_ANSWER_TEXT:
    case ED_ANSWER_PULL:
        return true;
    }
    return (info->task == EMBEDD_TASK_SCORE && info->dimensions == 1) ||
           ed_problem_set(&job->problem, ED_PROBLEM_WRONG_TASK, EMBEDD_NO_INDEX,
                          "model is not a re-ranker model");
}

static bool resolve_dimensions(ed_job *job, const embedd_model *model)
{
    ed_request *request = &job->request;
    if (request->dialect->answer == ED_ANSWER_TOKENS) {
        job->n_dimensions = embedd_model_get_info(model)->hidden_size;
        return true;
    }
    job->n_dimensions = embedd_model_dimensions(model, request->pooling);
    if (job->n_dimensions == 0)
        return ed_problem_set(&job->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "this model's layers after pooling do not accept that pooling");
    if (request->dimensions > job->n_dimensions && !request->dimensions_at_most)
        return ed_problem_set(&job->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"dimensions\" is more than the model's %zu", job->n_dimensions);
    if (request->dimensions >= job->n_dimensions)
        request->dimensions = 0;
    if (request->dimensions > 0)
        job->n_dimensions = request->dimensions;
    return true;
}

/* Which models' vectors Ollama's /api/embeddings leaves as they are (its legacyEmbeddingsWereRaw),
 * so that tables written through it stay comparable. */
static bool old_route_is_raw(const embedd_model_info *info)
{
    static const char *const raw[] = {"nomic_bert", "xlm-roberta", "camembert"};
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++)
        if (strcmp(info->architecture, raw[i]) == 0)
            return true;
    return false;
}

static bool find_prompt(ed_job *job, const embedd_model_info *info)
{
    embedd_text name = job->request.prompt_name;
    if (!name.bytes)
        return true;
    for (size_t i = 0; i < info->n_prompts && !job->encode.prompt_name; i++)
        if (strlen(info->prompts[i].name) == name.n_bytes &&
            memcmp(info->prompts[i].name, name.bytes, name.n_bytes) == 0)
            job->encode.prompt_name = info->prompts[i].name;
    if (!job->encode.prompt_name)
        return ed_problem_set(&job->problem, ED_PROBLEM_UNKNOWN_PROMPT, EMBEDD_NO_INDEX,
                              "the model has no such prompt; GET /info lists its %zu prompts",
                              info->n_prompts);
    return true;
}

/* All but the ids, whose number is not known yet, and vectors of tokens. */
static bool allocate(ed_job *job, ed_budget *budget)
{
    size_t n_texts = job->request.n_texts;
    if (!ed_budget_take(budget, &job->memory,
                        n_texts * (sizeof(embedd_usage) + sizeof(embedd_row))))
        return ed_problem_set(&job->problem, ED_PROBLEM_OVERLOADED, EMBEDD_NO_INDEX, NULL);
    job->usages = ed_calloc(n_texts, sizeof *job->usages);
    job->ticket.rows = ed_calloc(n_texts, sizeof *job->ticket.rows);
    if (!job->usages || !job->ticket.rows)
        return no_memory(job);
    job->n_vectors = n_texts;
    return job->request.dialect->answer == ED_ANSWER_TOKENS || allocate_vectors(job, budget);
}

/* The reply's bytes are counted here, too. */
static bool allocate_vectors(ed_job *job, ed_budget *budget)
{
    ed_answer answer = job->request.dialect->answer;
    size_t n_floats, n_bytes;
    const ed_result result = {.n_dimensions = job->n_dimensions, .n_vectors = job->n_vectors};
    bool large = answer == ED_ANSWER_TOKENS || answer == ED_ANSWER_SPARSE;
    if (large && job->n_vectors > FLOATS_MAX / job->n_dimensions)
        return ed_problem_set(&job->problem, ED_PROBLEM_BATCH_TOO_LARGE, EMBEDD_NO_INDEX,
                              "too many inputs: the answer would have more than %zu numbers",
                              FLOATS_MAX);
    if (!ed_mul_size(job->n_vectors, job->n_dimensions, &n_floats) ||
        !ed_mul_size(n_floats, sizeof(float), &n_bytes) ||
        !ed_add_size(n_bytes, ed_reply_bytes_max(&job->request, &result), &n_bytes) ||
        !ed_budget_take(budget, &job->memory, n_bytes))
        return ed_problem_set(&job->problem, ED_PROBLEM_OVERLOADED, EMBEDD_NO_INDEX, NULL);
    job->vectors = ed_calloc(n_floats, sizeof *job->vectors);
    return job->vectors ? true : no_memory(job);
}

static bool encode_texts(ed_job *job, const ed_prepare_options *options, size_t *n_ids)
{
    size_t tokens_max = embedd_model_get_info(options->model)->tokens_max;
    size_t ids_cap = 0;
    for (size_t i = 0; i < job->request.n_texts; i++) {
        if (atomic_load(&job->cancel) != ED_CANCEL_NONE)
            return false;
        if (ids_cap - *n_ids < tokens_max) {
            ids_cap = ids_cap * 2 + tokens_max;
            int32_t *ids = ed_realloc(job->ids, ids_cap, sizeof *ids);
            if (!ids)
                return no_memory(job);
            job->ids = ids;
        }
        if (!encode_text(job, options, i, job->ids + *n_ids, ids_cap - *n_ids))
            return false;
        *n_ids += job->usages[i].n_tokens;
    }
    return true;
}

static bool encode_text(ed_job *job, const ed_prepare_options *options, size_t text_index,
                        int32_t *ids, size_t ids_cap)
{
    embedd_error err;
    embedd_encoder *encoder = options->encoder;
    embedd_usage *usage = &job->usages[text_index];
    embedd_text text = job->request.texts[text_index];
    if (job->request.token_ids)
        return ed_token_ids_encode(options, text, text_index, ids, usage, &job->problem) &&
               (job->request.truncate || usage->n_tokens_total <= usage->n_tokens ||
                too_long(job, text_index));
    embedd_status status =
        job->request.dialect->answer == ED_ANSWER_SCORES
            ? embedd_encode_pair(encoder, job->request.query, text, &job->encode, ids, ids_cap,
                                 usage, &err)
            : embedd_encode(encoder, text, &job->encode, ids, ids_cap, usage, &err);
    if (status == EMBEDD_OK)
        return true;
    if (status == EMBEDD_ARGUMENT && job->request.tokens_max > 0)
        return ed_problem_set(&job->problem, ED_PROBLEM_INVALID_VALUE, text_index,
                              "input after truncation exceeds maximum context length");
    if (status != EMBEDD_TOO_LONG)
        return ed_problem_set(&job->problem, ed_problem_of(status), text_index, NULL);
    return too_long(job, text_index);
}

static bool too_long(ed_job *job, size_t text_index)
{
    const embedd_usage *usage = &job->usages[text_index];
    ed_problem_set(&job->problem, ED_PROBLEM_INPUT_TOO_LONG, text_index,
                   "text %zu has %zu tokens, the model reads %zu", text_index,
                   usage->n_tokens_total, usage->n_tokens);
    job->problem.n_tokens = usage->n_tokens_total;
    job->problem.n_tokens_max = usage->n_tokens;
    return false;
}

/* When the ids do not move any more. */
static void make_rows(ed_job *job)
{
    const int32_t *ids = job->ids;
    float *out = job->vectors;
    bool tokens = job->request.dialect->answer == ED_ANSWER_TOKENS;
    for (size_t i = 0; i < job->request.n_texts; i++) {
        const embedd_usage *usage = &job->usages[i];
        job->ticket.rows[i] = (embedd_row){
            .ids = ids,
            .n_tokens = usage->n_tokens,
            .n_tokens_prompt = usage->n_tokens_prompt,
            .n_tokens_first = usage->n_tokens_first,
            .output = tokens ? EMBEDD_OUTPUT_TOKENS : EMBEDD_OUTPUT_MODEL,
            .pooling = job->request.pooling,
            .dimensions = job->request.dimensions,
            .normalize = job->request.normalize,
            .out = out,
        };
        out += job->n_dimensions * (tokens ? usage->n_tokens : 1);
        ids += usage->n_tokens;
        job->n_truncated += usage->n_tokens_total > usage->n_tokens;
    }
    job->ticket.n_rows = job->request.n_texts;
}

static bool no_memory(ed_job *job)
{
    return ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
}
