/* In: the "added_tokens" of tokenizer.json. Out: the sets to look for. The search is in
 * added_token_search.c. Source: huggingface/tokenizers, tokenizer/added_vocabulary.rs. */
#include "tokenizer/added_tokens.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <stdlib.h>

typedef struct added_reader {
    ed_added_tokens *added;
    const ed_vocabulary *vocabulary;
    ed_trie_builder indices; /* of the tokens, by text */
    size_t next_id;          /* of a token that the vocabulary lacks */
    const char *where;
    embedd_error *err;
} added_reader;

static embedd_status read_tokens(ed_added_tokens *added, struct json_object *json,
                                 const ed_vocabulary *vocabulary, const char *where,
                                 embedd_error *err);
static embedd_status read_token(added_reader *reader, struct json_object *json);
static embedd_status choose_id(added_reader *reader, ed_added_token *token);
static embedd_status read_flags(ed_added_token *token, struct json_object *json, const char *where,
                                embedd_error *err);
static embedd_status open_special(ed_added_tokens *added, const char *where, embedd_error *err);
static embedd_status open_shown(ed_added_tokens *added, const ed_normalizer *normalizer,
                                const char *where, embedd_error *err);
static embedd_status open_set(ed_added_set *set, const ed_added_tokens *added, bool normalized,
                              const ed_normalizer *normalizer, const char *where,
                              embedd_error *err);

embedd_status ed_added_tokens_open(ed_added_tokens *added, struct json_object *json,
                                   const ed_vocabulary *vocabulary, const ed_normalizer *normalizer,
                                   const char *where, embedd_error *err)
{
    *added = (ed_added_tokens){0};
    embedd_status status = EMBEDD_OK;
    if (json)
        status = read_tokens(added, json, vocabulary, where, err);
    if (status == EMBEDD_OK)
        status = open_special(added, where, err);
    if (status == EMBEDD_OK)
        status = open_shown(added, normalizer, where, err);
    if (status == EMBEDD_OK)
        status = open_set(&added->raw, added, false, normalizer, where, err);
    if (status == EMBEDD_OK)
        status = open_set(&added->normalized, added, true, normalizer, where, err);
    return status;
}

void ed_added_tokens_close(ed_added_tokens *added)
{
    for (size_t i = 0; i < added->n_tokens; i++) {
        ed_free(added->tokens[i].text);
        ed_free(added->tokens[i].shown);
    }
    ed_free(added->shown);
    ed_free(added->tokens);
    ed_trie_close(&added->special);
    ed_trie_close(&added->raw.trie);
    ed_trie_close(&added->normalized.trie);
    *added = (ed_added_tokens){0};
}

static embedd_status read_tokens(ed_added_tokens *added, struct json_object *json,
                                 const ed_vocabulary *vocabulary, const char *where,
                                 embedd_error *err)
{
    if (!json_object_is_type(json, json_type_array))
        return ed_fail(err, EMBEDD_FORMAT, "%s: added_tokens is not a list", where);
    size_t n_max = json_object_array_length(json);
    added->tokens = ed_calloc(n_max, sizeof *added->tokens);
    if (!added->tokens)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);

    embedd_status status = EMBEDD_OK;
    added_reader reader = {added, vocabulary, {0}, vocabulary->n_tokens, where, err};
    for (size_t i = 0; i < n_max && status == EMBEDD_OK; i++)
        status = read_token(&reader, json_object_array_get_idx(json, i));
    ed_trie_builder_clear(&reader.indices);
    return status;
}

static embedd_status read_token(added_reader *reader, struct json_object *json)
{
    ed_added_tokens *added = reader->added;
    ed_added_token token = {0};
    struct json_object *content = NULL;
    if (!json_object_is_type(json, json_type_object) ||
        !json_object_object_get_ex(json, "content", &content) ||
        !json_object_is_type(content, json_type_string))
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: an added token has no content",
                       reader->where);
    token.text_bytes = (size_t)json_object_get_string_len(content);
    if (token.text_bytes == 0)
        return EMBEDD_OK;
    embedd_status status = read_flags(&token, json, reader->where, reader->err);
    if (status != EMBEDD_OK)
        return status;

    uint32_t *index =
        ed_trie_builder_value(&reader->indices, json_object_get_string(content), token.text_bytes);
    if (index && *index != ED_TRIE_NONE) { /* listed before: the last flags count */
        token.text = added->tokens[*index].text;
        token.id = added->tokens[*index].id;
        token.special = token.special || added->tokens[*index].special;
        token.shown_normalized = token.normalized || added->tokens[*index].shown_normalized;
        added->tokens[*index] = token;
        return EMBEDD_OK;
    }
    token.shown_normalized = token.normalized;
    token.text = ed_strndup(json_object_get_string(content), token.text_bytes);
    if (!index || !token.text) {
        ed_free(token.text);
        return ed_fail(reader->err, EMBEDD_MEMORY, "%s: out of memory", reader->where);
    }
    *index = (uint32_t)added->n_tokens;
    added->tokens[added->n_tokens++] = token;
    return choose_id(reader, &added->tokens[*index]);
}

static embedd_status choose_id(added_reader *reader, ed_added_token *token)
{
    token->id = ed_vocabulary_find(reader->vocabulary, token->text, token->text_bytes);
    if (token->id >= 0)
        return EMBEDD_OK;
    if (reader->next_id > (size_t)ED_ID_MAX ||
        ed_vocabulary_token_of(reader->vocabulary, (int32_t)reader->next_id))
        return ed_fail(reader->err, EMBEDD_FORMAT,
                       "%s: the added token %.64s would get the id %zu, which is taken",
                       reader->where, token->text, reader->next_id);
    token->id = (int32_t)reader->next_id++;
    return EMBEDD_OK;
}

static embedd_status read_flags(ed_added_token *token, struct json_object *json, const char *where,
                                embedd_error *err)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"special", &token->special},         {"normalized", &token->normalized},
        {"single_word", &token->single_word}, {"lstrip", &token->lstrip},
        {"rstrip", &token->rstrip},
    };
    embedd_status status = EMBEDD_OK;
    for (size_t i = 0; i < sizeof flags / sizeof *flags && status == EMBEDD_OK; i++)
        status = ed_json_get_bool(json, flags[i].name, flags[i].flag, where, err);
    return status;
}

static embedd_status open_special(ed_added_tokens *added, const char *where, embedd_error *err)
{
    ed_trie_builder builder = {0};
    bool ok = true;
    for (size_t i = 0; i < added->n_tokens && ok; i++) {
        const ed_added_token *token = &added->tokens[i];
        uint32_t *index =
            token->special ? ed_trie_builder_value(&builder, token->text, token->text_bytes) : NULL;
        ok = index || !token->special;
        if (index)
            *index = (uint32_t)i;
    }
    ok = ok && ed_trie_open(&added->special, &builder);
    ed_trie_builder_clear(&builder);
    return ok ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
}

static int compare_ids(const void *a, const void *b)
{
    const ed_vocabulary_token *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static embedd_status open_shown(ed_added_tokens *added, const ed_normalizer *normalizer,
                                const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    ed_normalizer_scratch scratch;
    ed_normalizer_scratch_init(&scratch);
    added->shown = ed_calloc(added->n_tokens, sizeof *added->shown);
    if (!added->shown)
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    for (size_t i = 0; i < added->n_tokens && status == EMBEDD_OK; i++) {
        ed_added_token *token = &added->tokens[i];
        embedd_text text = {token->text, token->text_bytes};
        if (token->shown_normalized) {
            status = ed_normalizer_run(normalizer, &scratch, text, &text);
            token->shown = status == EMBEDD_OK ? ed_strndup(text.bytes, text.n_bytes) : NULL;
            if (!token->shown)
                status =
                    ed_fail(err, status == EMBEDD_LIMIT ? status : EMBEDD_MEMORY,
                            "%s: the added token %.64s cannot be normalized", where, token->text);
        }
        added->shown[i] =
            (ed_vocabulary_token){token->id, token->shown ? token->shown : token->text};
    }
    if (status == EMBEDD_OK && added->n_tokens > 0)
        qsort(added->shown, added->n_tokens, sizeof *added->shown, compare_ids);
    ed_normalizer_scratch_clear(&scratch);
    return status;
}

const char *ed_added_tokens_shown(const ed_added_tokens *added, int32_t id)
{
    const ed_vocabulary_token key = {id, NULL}, *found = NULL;
    if (added->n_tokens > 0)
        found = bsearch(&key, added->shown, added->n_tokens, sizeof key, compare_ids);
    return found ? found->text : NULL;
}

static embedd_status open_set(ed_added_set *set, const ed_added_tokens *added, bool normalized,
                              const ed_normalizer *normalizer, const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    ed_trie_builder builder = {0};
    ed_normalizer_scratch scratch;
    ed_normalizer_scratch_init(&scratch);
    set->empty = true;
    for (size_t i = 0; i < added->n_tokens && status == EMBEDD_OK; i++) {
        const ed_added_token *token = &added->tokens[i];
        if (token->normalized != normalized)
            continue;
        embedd_text text = {token->text, token->text_bytes};
        uint32_t *index = NULL;
        if (normalized)
            status = ed_normalizer_run(normalizer, &scratch, text, &text);
        if (status == EMBEDD_OK)
            index = ed_trie_builder_value(&builder, text.bytes, text.n_bytes);
        if (status == EMBEDD_LIMIT)
            ed_fail(err, status, "%s: the normalizer takes too long on the added token %.64s",
                    where, token->text);
        else if (!index)
            status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
        else if (text.n_bytes == 0)
            status = ed_fail(err, EMBEDD_UNSUPPORTED,
                             "%s: nothing is left of the added token %.64s when normalized", where,
                             token->text);
        else if (*index == ED_TRIE_NONE) /* of two that look the same the first one counts */
            *index = (uint32_t)i;
        if (status == EMBEDD_OK) {
            set->begins[(unsigned char)text.bytes[0]] = true;
            set->empty = false;
        }
    }
    if (status == EMBEDD_OK && !ed_trie_open(&set->trie, &builder))
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    ed_trie_builder_clear(&builder);
    ed_normalizer_scratch_clear(&scratch);
    return status;
}
