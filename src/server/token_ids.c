/* In: JSON lists of numbers. Out: token ids. Never an id that the model has no row for. */
#include "server/token_ids.h"

#include "server/prepare.h"

#include <string.h>

#define SPECIAL_MAX 16 /* around one text; the templates that there are have 3 at most */

static bool read_special(const ed_prepare_options *options, int32_t special[SPECIAL_MAX],
                         size_t *n_before, size_t *n_after);

/* ---- the request ----------------------------------------------------------------------------- */

bool ed_read_id_lists(ed_request_parser *p, ed_json_token token, const char *field)
{
    size_t begin = p->json.at;
    ed_begin_texts(p, ED_GIVEN_INPUTS);
    if (token != ED_JSON_ARRAY)
        return ed_json_skip(&p->json, token) &&
               ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX,
                              "%s is not a list", field);
    while ((token = ed_json_next(&p->json)) == ED_JSON_ARRAY) {
        size_t list = p->json.at - 1;
        if (!ed_json_skip(&p->json, token) ||
            !ed_add_text(p, (embedd_text){p->body + list, p->json.at - list}))
            return false;
    }
    if (token == ED_JSON_ARRAY_END || token == ED_JSON_ERROR)
        return token == ED_JSON_ARRAY_END;
    if (p->request->n_texts > 0 || token != ED_JSON_NUMBER)
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, p->request->n_texts,
                              "item %zu of %s is not a list of token ids", p->request->n_texts,
                              field);
    while (token != ED_JSON_ARRAY_END) {
        token = ed_json_next(&p->json);
        if (token != ED_JSON_NUMBER && token != ED_JSON_ARRAY_END)
            return token != ED_JSON_ERROR &&
                   ed_problem_set(p->problem, ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX,
                                  "%s holds something that is no token id", field);
    }
    return ed_add_text(p, (embedd_text){p->body + begin - 1, p->json.at - begin + 1});
}

void ed_id_list_open(ed_id_list *list, embedd_text json, size_t list_index)
{
    *list = (ed_id_list){.list_index = list_index};
    ed_json_reader_init(&list->json, json.bytes, json.n_bytes);
    ed_json_next(&list->json); /* its bracket */
}

bool ed_id_list_next(ed_id_list *list, int32_t *id, ed_problem *problem)
{
    size_t number;
    ed_json_token token = ed_json_next(&list->json);
    if (token == ED_JSON_ARRAY_END)
        return false;
    if (token != ED_JSON_NUMBER || !ed_json_whole_number(&list->json, &number) ||
        number > INT32_MAX)
        return ed_problem_set(problem, ED_PROBLEM_INVALID_TYPE, list->list_index,
                              "list %zu of token ids: item %zu is no token id", list->list_index,
                              list->n);
    *id = (int32_t)number;
    list->n++;
    return true;
}

/* ---- ids for the model ----------------------------------------------------------------------- */

bool ed_token_ids_encode(const ed_prepare_options *options, embedd_text json, size_t text_index,
                         int32_t *ids, embedd_usage *usage, ed_problem *problem)
{
    const embedd_model_info *info = embedd_model_get_info(options->model);
    int32_t special[SPECIAL_MAX], last[SPECIAL_MAX] = {0}, id;
    size_t n_before, n_after;
    ed_id_list list;
    if (!read_special(options, special, &n_before, &n_after))
        return ed_problem_set(problem, ED_PROBLEM_WRONG_TASK, EMBEDD_NO_INDEX,
                              "the model puts too many special tokens around a text to take ids");
    ed_id_list_open(&list, json, text_index);
    while (ed_id_list_next(&list, &id, problem)) {
        size_t i = list.n - 1;
        if ((size_t)id >= info->vocabulary)
            return ed_problem_set(problem, ED_PROBLEM_INVALID_VALUE, text_index,
                                  "input %zu: item %zu is no token id of this model, which has "
                                  "%zu; send texts, or ids of its own tokenizer (LangChain in "
                                  "Python: check_embedding_ctx_length=False)",
                                  text_index, i, info->vocabulary);
        if (i < info->tokens_max)
            ids[i] = id;
        last[i % SPECIAL_MAX] = id;
    }
    if (problem->code != ED_PROBLEM_NONE)
        return false;
    size_t n_special = n_before + n_after;
    bool complete = list.n >= n_special && memcmp(ids, special, n_before * sizeof *ids) == 0;
    for (size_t i = 0; i < n_after && complete; i++)
        complete = last[(list.n - n_after + i) % SPECIAL_MAX] == special[n_before + i];
    size_t n_own = complete ? list.n - n_special : list.n;
    size_t n_kept = info->tokens_max - n_special;
    n_kept = n_own < n_kept ? n_own : n_kept;
    memmove(ids + n_before, complete ? ids + n_before : ids, n_kept * sizeof *ids);
    memcpy(ids, special, n_before * sizeof *ids);
    memcpy(ids + n_before + n_kept, special + n_before, n_after * sizeof *ids);
    *usage = (embedd_usage){.n_tokens = n_kept + n_special, .n_tokens_total = n_own + n_special};
    if (usage->n_tokens == 0)
        return ed_problem_set(problem, ED_PROBLEM_INVALID_VALUE, text_index,
                              "input %zu is an empty list of token ids", text_index);
    return true;
}

/* What the tokenizer puts around an empty text. */
static bool read_special(const ed_prepare_options *options, int32_t special[SPECIAL_MAX],
                         size_t *n_before, size_t *n_after)
{
    const embedd_encode_options bare = {.prompt = {"", 0}, .tokens_max = SPECIAL_MAX};
    embedd_usage usage;
    embedd_model_special_tokens(options->model, n_before, n_after);
    if (embedd_encode(options->encoder, (embedd_text){"", 0}, &bare, special, SPECIAL_MAX, &usage,
                      NULL) != EMBEDD_OK ||
        usage.n_tokens < *n_before + *n_after)
        return false;
    memmove(special + *n_before, special + usage.n_tokens - *n_after, *n_after * sizeof *special);
    return true;
}
