/* In: the "vocab" of a tokenizer.json. Out: token to id, id to token. Never trusts an id's size. */
#include "tokenizer/vocabulary.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "formats/json_reader.h"
#include "tokenizer/score_number.h"

#include <json-c/json.h>
#include <stdlib.h>

static embedd_status read_tokens(ed_vocabulary *vocabulary, ed_trie_builder *builder,
                                 ed_json_reader *reader, const char *where, embedd_error *err);
static embedd_status read_scored(ed_vocabulary *vocabulary, ed_trie_builder *builder,
                                 ed_json_reader *reader, double **scores, bool exact,
                                 const char *where, embedd_error *err);
static embedd_status read_score(ed_json_reader *reader, bool exact, double *score,
                                const char *where, const char *text, embedd_error *err);
static uint32_t *add_token(ed_vocabulary *vocabulary, ed_trie_builder *builder, const char *text,
                           size_t n_bytes, int32_t id);
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
    char *text = vocabulary->texts;
    while (ed_json_next(reader) == ED_JSON_KEY) {
        size_t n_bytes = ed_json_unescape(reader, text), id;
        text[n_bytes] = '\0';
        if (ed_json_next(reader) != ED_JSON_NUMBER || !ed_json_whole_number(reader, &id))
            return ed_fail(err, EMBEDD_FORMAT, "%s: the id of %.64s is not a whole number", where,
                           text);
        if (id > (size_t)ED_ID_MAX)
            return ed_fail(err, EMBEDD_FORMAT, "%s: the id of %.64s is larger than %d", where, text,
                           (int)ED_ID_MAX);
        uint32_t *value = add_token(vocabulary, builder, text, n_bytes, (int32_t)id);
        if (!value)
            return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
        if (*value != ED_TRIE_NONE)
            return ed_fail(err, EMBEDD_FORMAT, "%s: vocab has %.64s twice", where, text);
        *value = (uint32_t)id;
        text += n_bytes + 1;
    }
    return EMBEDD_OK;
}

embedd_status ed_vocabulary_open_scored(ed_vocabulary *vocabulary, double **scores,
                                        embedd_text json, bool exact, const char *where,
                                        embedd_error *err)
{
    *vocabulary = (ed_vocabulary){0};
    *scores = NULL;
    ed_json_reader reader;
    ed_json_reader_init(&reader, json.bytes, json.n_bytes);
    if (!json.bytes || ed_json_next(&reader) != ED_JSON_ARRAY)
        return ed_fail(err, EMBEDD_FORMAT, "%s: vocab is not a list", where);
    ed_trie_builder builder = {0};
    vocabulary->texts = ed_calloc(json.n_bytes, 1);
    embedd_status status =
        vocabulary->texts ? read_scored(vocabulary, &builder, &reader, scores, exact, where, err)
                          : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    if (status == EMBEDD_OK && !ed_trie_open(&vocabulary->trie, &builder))
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    ed_trie_builder_clear(&builder);
    return status;
}

static embedd_status read_scored(ed_vocabulary *vocabulary, ed_trie_builder *builder,
                                 ed_json_reader *reader, double **scores, bool exact,
                                 const char *where, embedd_error *err)
{
    char *text = vocabulary->texts;
    size_t scores_cap = 0;
    while (ed_json_next(reader) == ED_JSON_ARRAY) {
        size_t id = vocabulary->n_tokens;
        if (ed_json_next(reader) != ED_JSON_STRING)
            return ed_fail(err, EMBEDD_FORMAT, "%s: vocab[%zu] has no token", where, id);
        size_t n_bytes = ed_json_unescape(reader, text);
        text[n_bytes] = '\0';
        if (id > (size_t)ED_ID_MAX)
            return ed_fail(err, EMBEDD_FORMAT, "%s: the id of %.64s is larger than %d", where, text,
                           (int)ED_ID_MAX);
        uint32_t *value = add_token(vocabulary, builder, text, n_bytes, (int32_t)id);
        if (value && vocabulary->tokens_cap > scores_cap) {
            double *grown = ed_realloc(*scores, vocabulary->tokens_cap, sizeof *grown);
            *scores = grown ? grown : *scores;
            scores_cap = grown ? vocabulary->tokens_cap : scores_cap;
        }
        if (!value || id >= scores_cap)
            return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
        *value = (uint32_t)id;
        embedd_status status = read_score(reader, exact, &(*scores)[id], where, text, err);
        if (status != EMBEDD_OK)
            return status;
        text += n_bytes + 1;
    }
    return EMBEDD_OK;
}

/* The number, and the end of the pair. */
static embedd_status read_score(ed_json_reader *reader, bool exact, double *score,
                                const char *where, const char *text, embedd_error *err)
{
    bool ok = ed_json_next(reader) == ED_JSON_NUMBER;
    if (ok && exact)
        *score = ed_parse_double(reader->token);
    else if (ok)
        ok = ed_score_number(reader->token, reader->token_bytes, score);
    if (!ok || ed_json_next(reader) != ED_JSON_ARRAY_END)
        return ed_fail(err, EMBEDD_FORMAT, "%s: the score of %.64s is not a number", where, text);
    return EMBEDD_OK;
}

/* Where the token's value goes, ED_TRIE_NONE if it is new; NULL = out of memory. */
static uint32_t *add_token(ed_vocabulary *vocabulary, ed_trie_builder *builder, const char *text,
                           size_t n_bytes, int32_t id)
{
    if (vocabulary->n_tokens == vocabulary->tokens_cap) {
        size_t cap = vocabulary->tokens_cap ? vocabulary->tokens_cap * 2 : 1024;
        ed_vocabulary_token *tokens = ed_realloc(vocabulary->tokens, cap, sizeof *tokens);
        if (!tokens)
            return NULL;
        vocabulary->tokens = tokens;
        vocabulary->tokens_cap = cap;
    }
    vocabulary->tokens[vocabulary->n_tokens++] = (ed_vocabulary_token){id, text};
    return ed_trie_builder_value(builder, text, n_bytes);
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

embedd_status ed_vocabulary_read_unknown(const ed_vocabulary *vocabulary, struct json_object *model,
                                         int32_t *out, const char *where, embedd_error *err)
{
    struct json_object *token = json_object_object_get(model, "unk_token");
    *out = -1;
    if (!token)
        return EMBEDD_OK;
    if (!json_object_is_type(token, json_type_string))
        return ed_fail(err, EMBEDD_FORMAT, "%s: unk_token is not a string", where);
    *out = ed_vocabulary_find(vocabulary, json_object_get_string(token),
                              (size_t)json_object_get_string_len(token));
    if (*out < 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: unk_token %.64s is not in vocab", where,
                       json_object_get_string(token));
    return EMBEDD_OK;
}

void ed_vocabulary_find_bytes(const ed_vocabulary *vocabulary, int32_t ids[256])
{
    static const char digits[] = "0123456789ABCDEF";
    for (unsigned byte = 0; byte < 256; byte++) {
        const char name[6] = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        ids[byte] = ed_vocabulary_find(vocabulary, name, sizeof name);
    }
}
