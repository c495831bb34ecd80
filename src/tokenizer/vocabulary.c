/* In: the "vocab" of a tokenizer.json. Out: token to id, id to token. Never trusts an id's size. */
#include "tokenizer/vocabulary.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json_reader.h"

#include <json-c/json.h>
#include <stdlib.h>

static embedd_status read_tokens(ed_vocabulary *vocabulary, ed_trie_builder *builder,
                                 ed_json_reader *reader, const char *where, embedd_error *err);
static embedd_status add_token(ed_vocabulary *vocabulary, ed_trie_builder *builder,
                               const char *text, size_t n_bytes, int32_t id, const char *where,
                               embedd_error *err);
static embedd_status sort_by_id(ed_vocabulary *vocabulary, const char *where, embedd_error *err);

embedd_status ed_vocabulary_open(ed_vocabulary *vocabulary, embedd_text json, const char *where,
                                 embedd_error *err)
{
    *vocabulary = (ed_vocabulary){0};
    ed_json_reader reader;
    ed_json_reader_init(&reader, json.bytes, json.n_bytes);
    if (!json.bytes || ed_json_next(&reader) != ED_JSON_OBJECT)
        return ed_fail(err, EMBEDD_FORMAT, "%s: vocab is not an object", where);

    /* No token is longer than its quoted form, which leaves room for the NULs. */
    ed_trie_builder builder = {0};
    vocabulary->texts = ed_calloc(json.n_bytes, 1);
    embedd_status status = vocabulary->texts
                               ? read_tokens(vocabulary, &builder, &reader, where, err)
                               : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    if (status == EMBEDD_OK && !ed_trie_open(&vocabulary->trie, &builder))
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    ed_trie_builder_clear(&builder);
    return status == EMBEDD_OK ? sort_by_id(vocabulary, where, err) : status;
}

static embedd_status read_tokens(ed_vocabulary *vocabulary, ed_trie_builder *builder,
                                 ed_json_reader *reader, const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    char *text = vocabulary->texts;
    while (ed_json_next(reader) == ED_JSON_KEY && status == EMBEDD_OK) {
        size_t n_bytes = ed_json_unescape(reader, text), id;
        text[n_bytes] = '\0';
        if (ed_json_next(reader) != ED_JSON_NUMBER || !ed_json_whole_number(reader, &id))
            return ed_fail(err, EMBEDD_FORMAT, "%s: the id of %.64s is not a whole number", where,
                           text);
        if (id > (size_t)ED_ID_MAX)
            return ed_fail(err, EMBEDD_FORMAT, "%s: the id of %.64s is larger than %d", where, text,
                           (int)ED_ID_MAX);
        status = add_token(vocabulary, builder, text, n_bytes, (int32_t)id, where, err);
        text += n_bytes + 1;
    }
    return status;
}

static embedd_status add_token(ed_vocabulary *vocabulary, ed_trie_builder *builder,
                               const char *text, size_t n_bytes, int32_t id, const char *where,
                               embedd_error *err)
{
    if (vocabulary->n_tokens == vocabulary->tokens_cap) {
        size_t cap = vocabulary->tokens_cap ? vocabulary->tokens_cap * 2 : 1024;
        ed_vocabulary_token *tokens = ed_realloc(vocabulary->tokens, cap, sizeof *tokens);
        if (!tokens)
            return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
        vocabulary->tokens = tokens;
        vocabulary->tokens_cap = cap;
    }
    uint32_t *value = ed_trie_builder_value(builder, text, n_bytes);
    if (!value)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    if (*value != ED_TRIE_NONE)
        return ed_fail(err, EMBEDD_FORMAT, "%s: vocab has %.64s twice", where, text);
    *value = (uint32_t)id;
    vocabulary->tokens[vocabulary->n_tokens++] = (ed_vocabulary_token){id, text};
    return EMBEDD_OK;
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
