/* In: a tokenizer.json; then texts. Out: token ids. Reading order of a text: check UTF-8, cut out
 * added tokens, normalize, cut out the normalized added tokens, words, model. */
#include "tokenizer/tokenizer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/decoder.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/token_model.h"

#include <json-c/json.h>
#include <string.h>

struct ed_tokenizer {
    ed_added_tokens added;
    ed_normalizer normalizer;
    ed_pre_tokenizer pre;
    ed_token_model model;
    ed_post_processor processor;
    ed_decoder decoder;
    size_t ids_max;
};

struct ed_tokenizer_scratch {
    ed_normalizer_scratch normalizer;
    ed_pre_scratch pre;
    ed_model_scratch model;
    int32_t *second; /* [second_cap]: ids of the second text of a pair */
    size_t second_cap;
};

static embedd_status open_parts(ed_tokenizer *tokenizer, const ed_tokenizer_file *file,
                                embedd_error *err);
static size_t find_ids_max(const ed_tokenizer *tokenizer);
static embedd_status encode_valid(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                  embedd_text text, ed_id_list *ids, embedd_error *err);
static embedd_status encode_raw(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                embedd_text text, ed_id_list *ids);
static embedd_status encode_between(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                    embedd_text text, bool begins_text, ed_id_list *ids);
static embedd_status encode_normalized(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                       embedd_text text, bool begins_text, ed_id_list *ids);

/* ---- open ------------------------------------------------------------------------------------ */

embedd_status ed_tokenizer_open_bytes(ed_tokenizer **out, const char *bytes, size_t n_bytes,
                                      const char *where, embedd_error *err)
{
    return ed_tokenizer_open_json(out, (embedd_text){bytes, n_bytes},
                                  &(ed_tokenizer_options){.lower_case = false}, where, err);
}

embedd_status ed_tokenizer_open_json(ed_tokenizer **out, embedd_text json,
                                     const ed_tokenizer_options *options, const char *where,
                                     embedd_error *err)
{
    *out = NULL;
    ed_tokenizer_file file = {0};
    ed_tokenizer *tokenizer = ed_calloc(1, sizeof *tokenizer);
    embedd_status status = tokenizer
                               ? ed_tokenizer_file_open(&file, json.bytes, json.n_bytes, where, err)
                               : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    file.exact_numbers = options->exact_numbers;
    file.lower_case = options->lower_case;
    if (status == EMBEDD_OK)
        status = open_parts(tokenizer, &file, err);
    if (status == EMBEDD_OK) {
        tokenizer->ids_max = find_ids_max(tokenizer);
        *out = tokenizer;
        tokenizer = NULL;
    }
    ed_tokenizer_file_close(&file);
    ed_tokenizer_close(tokenizer);
    return status;
}

static embedd_status open_parts(ed_tokenizer *tokenizer, const ed_tokenizer_file *file,
                                embedd_error *err)
{
    struct json_object *json = file->json;
    const char *where = file->where;
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: not a JSON object", where);
    const char *version = NULL;
    embedd_status status = ed_json_get_string(json, "version", &version, where, err);
    if (status == EMBEDD_OK && version && strcmp(version, "1.0") != 0)
        status =
            ed_fail(err, EMBEDD_UNSUPPORTED, "%s: version %.64s is not supported", where, version);
    if (status == EMBEDD_OK)
        status = ed_token_model_open(&tokenizer->model, file, err);
    if (status == EMBEDD_OK)
        status =
            ed_normalizer_open(&tokenizer->normalizer, json_object_object_get(json, "normalizer"),
                               file->lower_case, where, err);
    if (status == EMBEDD_OK)
        status = ed_pre_tokenizer_open(&tokenizer->pre,
                                       json_object_object_get(json, "pre_tokenizer"), where, err);
    for (size_t i = 0; i < tokenizer->normalizer.n_passes && status == EMBEDD_OK; i++)
        if (tokenizer->pre.asks_begin && !tokenizer->normalizer.passes[i].keeps_begin)
            status =
                ed_fail(err, EMBEDD_UNSUPPORTED,
                        "%s: prepend_scheme first is not supported with this normalizer", where);
    if (status == EMBEDD_OK)
        status = ed_post_processor_open(&tokenizer->processor,
                                        json_object_object_get(json, "post_processor"), where, err);
    if (status == EMBEDD_OK)
        status = ed_decoder_open(&tokenizer->decoder, json_object_object_get(json, "decoder"),
                                 where, err);
    if (status == EMBEDD_OK)
        status =
            ed_added_tokens_open(&tokenizer->added, json_object_object_get(json, "added_tokens"),
                                 &tokenizer->model.vocabulary, &tokenizer->normalizer, where, err);
    return status;
}

static size_t find_ids_max(const ed_tokenizer *tokenizer)
{
    const ed_vocabulary *vocabulary = &tokenizer->model.vocabulary;
    int32_t largest = vocabulary->n_tokens > 0 /* they are sorted */
                          ? vocabulary->tokens[vocabulary->n_tokens - 1].id
                          : -1;
    for (size_t i = 0; i < tokenizer->added.n_tokens; i++)
        if (tokenizer->added.tokens[i].id > largest)
            largest = tokenizer->added.tokens[i].id;
    for (size_t i = 0; i < ed_tokenizer_n_special(tokenizer); i++)
        if (tokenizer->processor.ids[i] > largest)
            largest = tokenizer->processor.ids[i];
    const ed_pair_template *pair = &tokenizer->processor.pair;
    for (size_t i = 0; i < pair->n_before + pair->n_between + pair->n_after; i++)
        if (pair->ids[i] > largest)
            largest = pair->ids[i];
    return (size_t)(largest + 1);
}

void ed_tokenizer_close(ed_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    ed_added_tokens_close(&tokenizer->added);
    ed_normalizer_close(&tokenizer->normalizer);
    ed_pre_tokenizer_close(&tokenizer->pre);
    ed_token_model_close(&tokenizer->model);
    ed_post_processor_close(&tokenizer->processor);
    ed_decoder_close(&tokenizer->decoder);
    ed_free(tokenizer);
}

size_t ed_tokenizer_ids_max(const ed_tokenizer *tokenizer)
{
    return tokenizer->ids_max;
}

size_t ed_tokenizer_n_special(const ed_tokenizer *tokenizer)
{
    return tokenizer->processor.n_before + tokenizer->processor.n_after;
}

void ed_tokenizer_special_counts(const ed_tokenizer *tokenizer, size_t *n_before, size_t *n_after)
{
    *n_before = tokenizer->processor.n_before;
    *n_after = tokenizer->processor.n_after;
}

const char *ed_tokenizer_token(const ed_tokenizer *tokenizer, int32_t id)
{
    const char *text = ed_added_tokens_shown(&tokenizer->added, id);
    return text ? text : ed_vocabulary_token_of(&tokenizer->model.vocabulary, id);
}

bool ed_tokenizer_is_special(const ed_tokenizer *tokenizer, const char *token)
{
    return ed_trie_find(&tokenizer->added.special, token, strlen(token)) != ED_TRIE_NONE;
}

embedd_status ed_tokenizer_scratch_open(ed_tokenizer_scratch **out, const ed_tokenizer *tokenizer,
                                        embedd_error *err)
{
    ed_tokenizer_scratch *scratch = ed_calloc(1, sizeof *scratch);
    *out = scratch;
    if (!scratch)
        return ed_fail(err, EMBEDD_MEMORY, "tokenizer scratch: out of memory");
    ed_normalizer_scratch_init(&scratch->normalizer);
    return ed_pre_scratch_open(&scratch->pre, &tokenizer->pre, err);
}

void ed_tokenizer_scratch_close(ed_tokenizer_scratch *scratch)
{
    if (!scratch)
        return;
    ed_normalizer_scratch_clear(&scratch->normalizer);
    ed_pre_scratch_close(&scratch->pre);
    ed_model_scratch_clear(&scratch->model);
    ed_free(scratch->second);
    ed_free(scratch);
}

/* ---- encode ---------------------------------------------------------------------------------- */

embedd_status ed_tokenizer_encode(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                  embedd_text text, size_t tokens_max, int32_t *ids, size_t *n_ids,
                                  size_t *n_total, embedd_error *err)
{
    const ed_post_processor *special = &tokenizer->processor;
    size_t n_special = special->n_before + special->n_after;
    *n_ids = *n_total = 0;
    if (tokens_max < n_special)
        return ed_fail(err, EMBEDD_ARGUMENT, "%zu tokens have no room for the %zu special tokens",
                       tokens_max, n_special);
    ed_id_list list = {ids + special->n_before, tokens_max - n_special, 0};
    embedd_status status = encode_valid(tokenizer, scratch, text, &list, err);
    if (status != EMBEDD_OK)
        return status;
    size_t n_kept = list.n < list.n_max ? list.n : list.n_max;
    for (size_t i = 0; i < special->n_before; i++)
        ids[i] = special->ids[i];
    for (size_t i = 0; i < special->n_after; i++)
        list.ids[n_kept + i] = special->ids[special->n_before + i];
    *n_ids = n_kept + n_special;
    *n_total = list.n + n_special;
    return EMBEDD_OK;
}

embedd_status ed_tokenizer_encode_pair(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                       const embedd_text texts[2], size_t tokens_max, int32_t *ids,
                                       size_t *n_ids, size_t *n_total, size_t *n_first,
                                       embedd_error *err)
{
    const ed_pair_template *pair = &tokenizer->processor.pair;
    size_t n_special = pair->n_before + pair->n_between + pair->n_after;
    *n_ids = *n_total = *n_first = 0;
    if (pair->obstacle)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "the tokenizer cannot read pairs: %s",
                       pair->obstacle);
    if (tokens_max < n_special)
        return ed_fail(err, EMBEDD_ARGUMENT, "%zu tokens have no room for the %zu special tokens",
                       tokens_max, n_special);
    size_t n_room = tokens_max - n_special;
    if (n_room > scratch->second_cap) {
        int32_t *second = ed_realloc(scratch->second, n_room, sizeof *second);
        if (!second)
            return ed_fail(err, EMBEDD_MEMORY, "tokenizer: out of memory");
        scratch->second = second;
        scratch->second_cap = n_room;
    }
    ed_id_list first = {ids + pair->n_before, n_room, 0}, second = {scratch->second, n_room, 0};
    embedd_status status = encode_valid(tokenizer, scratch, texts[0], &first, err);
    if (status == EMBEDD_OK)
        status = encode_valid(tokenizer, scratch, texts[1], &second, err);
    if (status != EMBEDD_OK)
        return status;
    *n_total = n_special + first.n + second.n;
    ed_pair_cut(n_room, &first.n, &second.n);

    int32_t *at = ids;
    const int32_t *special = pair->ids;
    for (size_t i = 0; i < pair->n_before; i++)
        *at++ = *special++;
    at += first.n;
    *n_first = pair->one_type ? 0 : pair->n_before + first.n + pair->n_between_first;
    for (size_t i = 0; i < pair->n_between; i++)
        *at++ = *special++;
    for (size_t i = 0; i < second.n; i++)
        *at++ = second.ids[i];
    for (size_t i = 0; i < pair->n_after; i++)
        *at++ = *special++;
    *n_ids = (size_t)(at - ids);
    return EMBEDD_OK;
}

static embedd_status encode_valid(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                  embedd_text text, ed_id_list *ids, embedd_error *err)
{
    size_t n_valid = ed_utf8_valid_prefix(text.bytes, text.n_bytes);
    if (n_valid < text.n_bytes)
        return ed_fail(err, EMBEDD_UTF8, "the text is not valid UTF-8 at byte %zu", n_valid);
    embedd_status status = encode_raw(tokenizer, scratch, text, ids);
    if (status != EMBEDD_OK)
        return ed_fail(err, status,
                       status == EMBEDD_LIMIT
                           ? "a regular expression of the tokenizer takes too long on this text"
                           : "tokenizer: out of memory");
    return EMBEDD_OK;
}

static embedd_status encode_raw(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                embedd_text text, ed_id_list *ids)
{
    const ed_added_tokens *added = &tokenizer->added;
    embedd_status status = EMBEDD_OK;
    ed_piece_cursor cursor = {0};
    ed_piece piece;
    while (status == EMBEDD_OK && ed_added_tokens_next(added, &added->raw, text, &cursor, &piece)) {
        if (piece.id >= 0)
            ed_id_list_add(ids, piece.id);
        else
            status =
                encode_between(tokenizer, scratch, piece.text, piece.text.bytes == text.bytes, ids);
    }
    return status;
}

static embedd_status encode_between(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                    embedd_text text, bool begins_text, ed_id_list *ids)
{
    const ed_added_tokens *added = &tokenizer->added;
    ed_piece_cursor cursor = {0};
    ed_piece piece;
    embedd_status status =
        ed_normalizer_run(&tokenizer->normalizer, &scratch->normalizer, text, &text);
    while (status == EMBEDD_OK &&
           ed_added_tokens_next(added, &added->normalized, text, &cursor, &piece)) {
        if (piece.id >= 0)
            ed_id_list_add(ids, piece.id);
        else
            status = encode_normalized(tokenizer, scratch, piece.text,
                                       begins_text && piece.text.bytes == text.bytes, ids);
    }
    return status;
}

static embedd_status encode_normalized(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                                       embedd_text text, bool begins_text, ed_id_list *ids)
{
    const ed_token_model *model = &tokenizer->model;
    ed_pre_tokenizer_begin(&tokenizer->pre, &scratch->pre, text, begins_text);
    for (;;) {
        const embedd_text *words;
        size_t n_words;
        embedd_status status =
            ed_pre_tokenizer_next(&tokenizer->pre, &scratch->pre, &words, &n_words);
        if (status != EMBEDD_OK || n_words == 0)
            return status;
        if (!model->type->encode(model->model, &scratch->model, words, n_words, ids))
            return EMBEDD_MEMORY;
    }
}

/* ---- decode ---------------------------------------------------------------------------------- */

embedd_status ed_tokenizer_decode(const ed_tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                                  bool skip_special, ed_buf *out, embedd_error *err)
{
    ed_text_list tokens;
    embedd_status status = EMBEDD_OK;
    ed_text_list_init(&tokens);
    for (size_t i = 0; i < n_ids && status == EMBEDD_OK; i++) {
        const char *token = ed_tokenizer_token(tokenizer, ids[i]);
        if (!token || (skip_special && ed_tokenizer_is_special(tokenizer, token)))
            continue;
        if (!ed_buf_append_text(&tokens.bytes, token) || !ed_text_list_end(&tokens))
            status = ed_fail(err, EMBEDD_MEMORY, "decoder: out of memory");
    }
    if (status == EMBEDD_OK)
        status = ed_decoder_run(&tokenizer->decoder, &tokens, out, err);
    ed_text_list_clear(&tokens);
    return status;
}
