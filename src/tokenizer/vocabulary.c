/* In: the "vocab" of a tokenizer.json. Out: token to id, id to token. Never trusts an id's size. */
#include "tokenizer/vocabulary.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static embedd_status read_tokens(ed_vocabulary *vocabulary, struct json_object *json,
                                 const char *where, embedd_error *err);
static embedd_status sort_by_id(ed_vocabulary *vocabulary, const char *where, embedd_error *err);

embedd_status ed_vocabulary_open(ed_vocabulary *vocabulary, struct json_object *json,
                                 const char *where, embedd_error *err)
{
    *vocabulary = (ed_vocabulary){0};
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: vocab is not an object", where);

    size_t n_bytes = 0;
    json_object_object_foreach(json, token, id)
    {
        (void)id;
        if (!ed_add_size(n_bytes, strlen(token) + 1, &n_bytes))
            return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    }
    size_t n_max = (size_t)json_object_object_length(json);
    vocabulary->texts = ed_calloc(n_bytes, 1);
    vocabulary->tokens = ed_calloc(n_max, sizeof *vocabulary->tokens);
    if (!vocabulary->texts || !vocabulary->tokens)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);

    embedd_status status = read_tokens(vocabulary, json, where, err);
    return status == EMBEDD_OK ? sort_by_id(vocabulary, where, err) : status;
}

static embedd_status read_tokens(ed_vocabulary *vocabulary, struct json_object *json,
                                 const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    ed_trie_builder builder = {0};
    char *to = vocabulary->texts;
    json_object_object_foreach(json, token, number)
    {
        int32_t id;
        size_t n_bytes = strlen(token);
        status = ed_read_id(number, &id, token, where, err);
        if (status != EMBEDD_OK)
            goto done;
        uint32_t *value = ed_trie_builder_value(&builder, token, n_bytes);
        if (!value) {
            status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
            goto done;
        }
        *value = (uint32_t)id;
        memcpy(to, token, n_bytes + 1);
        vocabulary->tokens[vocabulary->n_tokens++] = (ed_vocabulary_token){id, to};
        to += n_bytes + 1;
    }
    if (!ed_trie_open(&vocabulary->trie, &builder))
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
done:
    ed_trie_builder_clear(&builder);
    return status;
}

static int compare_ids(const void *a, const void *b)
{
    const ed_vocabulary_token *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static embedd_status sort_by_id(ed_vocabulary *vocabulary, const char *where, embedd_error *err)
{
    const ed_vocabulary_token *tokens = vocabulary->tokens;
    bool sorted = true;
    for (size_t i = 1; i < vocabulary->n_tokens && sorted; i++)
        sorted = tokens[i - 1].id <= tokens[i].id;
    if (!sorted)
        qsort(vocabulary->tokens, vocabulary->n_tokens, sizeof *tokens, compare_ids);
    for (size_t i = 1; i < vocabulary->n_tokens; i++)
        if (tokens[i - 1].id == tokens[i].id)
            return ed_fail(err, EMBEDD_FORMAT, "%s: two tokens have the id %d: %.64s and %.64s",
                           where, (int)tokens[i].id, tokens[i - 1].text, tokens[i].text);
    return EMBEDD_OK;
}

embedd_status ed_read_id(struct json_object *json, int32_t *out, const char *what,
                         const char *where, embedd_error *err)
{
    if (!json_object_is_type(json, json_type_int) || json_object_get_int64(json) < 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: the id of %.64s is not a whole number", where,
                       what);
    if (json_object_get_int64(json) > ED_ID_MAX)
        return ed_fail(err, EMBEDD_FORMAT, "%s: the id of %.64s is larger than %d", where, what,
                       (int)ED_ID_MAX);
    *out = json_object_get_int(json);
    return EMBEDD_OK;
}

void ed_vocabulary_close(ed_vocabulary *vocabulary)
{
    ed_trie_close(&vocabulary->trie);
    ed_free(vocabulary->tokens);
    ed_free(vocabulary->texts);
    *vocabulary = (ed_vocabulary){0};
}

int32_t ed_vocabulary_find(const ed_vocabulary *vocabulary, const char *bytes, size_t n_bytes)
{
    uint32_t id = ed_trie_find(&vocabulary->trie, bytes, n_bytes);
    return id == ED_TRIE_NONE ? -1 : (int32_t)id;
}

const char *ed_vocabulary_token_of(const ed_vocabulary *vocabulary, int32_t id)
{
    ed_vocabulary_token key = {id, NULL};
    const ed_vocabulary_token *found = NULL;
    if (vocabulary->n_tokens > 0)
        found = bsearch(&key, vocabulary->tokens, vocabulary->n_tokens, sizeof key, compare_ids);
    return found ? found->text : NULL;
}
