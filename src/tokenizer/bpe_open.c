/* In: the "BPE" of a tokenizer.json. Out: the model. Every merge must be of two tokens that make a
 * third. */
#include "tokenizer/bpe.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "formats/json_reader.h"

#include <json-c/json.h>
#include <string.h>

/* Reads the list of merges: strings "left right", or pairs of strings. */
typedef struct merge_reader {
    ed_bpe *bpe;
    ed_json_reader json;
    char *text; /* [room of the whole list]: left, right and, after them, what they make */
    size_t left_bytes, right_bytes, rank;
    const char *where;
    embedd_error *err;
} merge_reader;

static embedd_status open_bpe(void **out, ed_vocabulary *vocabulary, const ed_tokenizer_file *file,
                              struct json_object *json, embedd_error *err);
static void close_bpe(void *model);
static embedd_status read_affix(struct json_object *json, const char *field, embedd_text *out,
                                const char *where, embedd_error *err);
static embedd_status find_cuts(ed_bpe *bpe, const ed_vocabulary *vocabulary, const char *where,
                               embedd_error *err);
static embedd_status read_merges(ed_bpe *bpe, const ed_tokenizer_file *file, embedd_error *err);
static embedd_status read_merge(merge_reader *reader, ed_json_token token);
static bool split_merge(merge_reader *reader, size_t n_bytes);
static embedd_status add_merge(merge_reader *reader);
static void close_cut(ed_bpe *bpe, embedd_text left, embedd_text right);

const ed_token_model_type ed_bpe_type = {"BPE", open_bpe, close_bpe, ed_bpe_encode};

static embedd_status open_bpe(void **out, ed_vocabulary *vocabulary, const ed_tokenizer_file *file,
                              struct json_object *json, embedd_error *err)
{
    const char *where = file->where;
    double dropout = 0;
    ed_bpe *bpe = ed_calloc(1, sizeof *bpe);
    *out = bpe;
    if (!bpe)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    embedd_status status = ed_json_get_double(json, "dropout", &dropout, where, err);
    if (status == EMBEDD_OK && dropout != 0)
        status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: dropout is not supported", where);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "fuse_unk", &bpe->fuse_unknown, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "byte_fallback", &bpe->byte_fallback, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "ignore_merges", &bpe->ignore_merges, where, err);
    if (status == EMBEDD_OK)
        status = read_affix(json, "continuing_subword_prefix", &bpe->prefix, where, err);
    if (status == EMBEDD_OK)
        status = read_affix(json, "end_of_word_suffix", &bpe->suffix, where, err);
    if (status == EMBEDD_OK)
        status = ed_vocabulary_open(vocabulary, file->vocab, where, err);
    if (status == EMBEDD_OK)
        status = ed_vocabulary_read_unknown(vocabulary, json, &bpe->unknown, where, err);
    if (status != EMBEDD_OK)
        return status;
    bpe->trie = vocabulary->trie;
    bpe->prefix_root =
        ed_trie_walk(&bpe->trie, bpe->trie.root, bpe->prefix.bytes, bpe->prefix.n_bytes);
    ed_vocabulary_find_bytes(vocabulary, bpe->byte_ids);
    status = find_cuts(bpe, vocabulary, where, err);
    return status == EMBEDD_OK ? read_merges(bpe, file, err) : status;
}

static void close_bpe(void *model)
{
    ed_bpe *bpe = model;
    if (!bpe)
        return;
    ed_pair_merges_close(&bpe->merges);
    ed_free((char *)bpe->prefix.bytes);
    ed_free((char *)bpe->suffix.bytes);
    ed_free(bpe->cuts_after);
    ed_free(bpe);
}

static embedd_status read_affix(struct json_object *json, const char *field, embedd_text *out,
                                const char *where, embedd_error *err)
{
    const char *text = "";
    embedd_status status = ed_json_get_string(json, field, &text, where, err);
    if (status != EMBEDD_OK)
        return status;
    out->bytes = ed_strdup(text);
    out->n_bytes = strlen(text);
    return out->bytes ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
}

/* After every character that is a token; the merges then close those that they span. */
static embedd_status find_cuts(ed_bpe *bpe, const ed_vocabulary *vocabulary, const char *where,
                               embedd_error *err)
{
    if (bpe->prefix.n_bytes > 0 || bpe->suffix.n_bytes > 0 || bpe->ignore_merges ||
        ed_vocabulary_find(vocabulary, ED_BPE_CUT_MARK, strlen(ED_BPE_CUT_MARK)) < 0)
        return EMBEDD_OK;
    bpe->cuts_after = ed_calloc(ED_BPE_CUT_POINTS / 64, sizeof *bpe->cuts_after);
    if (!bpe->cuts_after)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    for (size_t i = 0; i < vocabulary->n_tokens; i++) {
        const char *text = vocabulary->tokens[i].text;
        size_t n_bytes = strlen(text), n_used = 0;
        uint32_t code_point = n_bytes > 0 ? ed_utf8_decode(text, n_bytes, &n_used) : 0;
        if (n_used == n_bytes && code_point > 0 && code_point < ED_BPE_CUT_POINTS)
            bpe->cuts_after[code_point / 64] |= UINT64_C(1) << code_point % 64;
    }
    return EMBEDD_OK;
}

static embedd_status read_merges(ed_bpe *bpe, const ed_tokenizer_file *file, embedd_error *err)
{
    merge_reader reader = {.bpe = bpe, .where = file->where, .err = err};
    ed_json_reader_init(&reader.json, file->merges.bytes, file->merges.n_bytes);
    if (!file->merges.bytes || ed_json_next(&reader.json) != ED_JSON_ARRAY)
        return ed_fail(err, EMBEDD_FORMAT, "%s: merges is not a list", file->where);
    reader.text = ed_calloc(file->merges.n_bytes, 2);
    embedd_status status =
        reader.text ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", file->where);
    while (status == EMBEDD_OK) {
        ed_json_token token = ed_json_next(&reader.json);
        if (token == ED_JSON_ARRAY_END)
            break;
        status = read_merge(&reader, token);
    }
    ed_free(reader.text);
    return status;
}

static embedd_status read_merge(merge_reader *reader, ed_json_token token)
{
    static const char version[] = "#version"; /* the first line of a merges.txt */
    bool ok = false;
    if (token == ED_JSON_STRING) {
        size_t n_bytes = ed_json_unescape(&reader->json, reader->text);
        if (n_bytes >= strlen(version) && memcmp(reader->text, version, strlen(version)) == 0)
            return EMBEDD_OK;
        ok = split_merge(reader, n_bytes);
    } else if (token == ED_JSON_ARRAY && ed_json_next(&reader->json) == ED_JSON_STRING) {
        reader->left_bytes = ed_json_unescape(&reader->json, reader->text);
        if (ed_json_next(&reader->json) == ED_JSON_STRING) {
            reader->right_bytes =
                ed_json_unescape(&reader->json, reader->text + reader->left_bytes);
            ok = ed_json_next(&reader->json) == ED_JSON_ARRAY_END;
        }
    }
    if (!ok || reader->rank >= ED_RANK_NONE)
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: merges[%zu] is not a pair of tokens",
                       reader->where, reader->rank);
    return add_merge(reader);
}

/* At its one space, which is taken out. */
static bool split_merge(merge_reader *reader, size_t n_bytes)
{
    char *space = memchr(reader->text, ' ', n_bytes);
    if (!space)
        return false;
    reader->left_bytes = (size_t)(space - reader->text);
    reader->right_bytes = n_bytes - reader->left_bytes - 1;
    memmove(space, space + 1, reader->right_bytes);
    return !memchr(space, ' ', reader->right_bytes);
}

static embedd_status add_merge(merge_reader *reader)
{
    const ed_bpe *bpe = reader->bpe;
    const char *right = reader->text + reader->left_bytes;
    size_t prefix_bytes = bpe->prefix.n_bytes;
    uint32_t left_id = ed_trie_find(&bpe->trie, reader->text, reader->left_bytes);
    uint32_t right_id = ed_trie_find(&bpe->trie, right, reader->right_bytes);
    uint32_t merged = ED_TRIE_NONE;
    if (reader->right_bytes >= prefix_bytes) { /* the prefix is inside a merged token no more */
        char *joined = reader->text + reader->left_bytes + reader->right_bytes;
        memcpy(joined, reader->text, reader->left_bytes);
        memcpy(joined + reader->left_bytes, right + prefix_bytes,
               reader->right_bytes - prefix_bytes);
        merged = ed_trie_find(&bpe->trie, joined,
                              reader->left_bytes + reader->right_bytes - prefix_bytes);
    }
    if (left_id == ED_TRIE_NONE || right_id == ED_TRIE_NONE || merged == ED_TRIE_NONE)
        return ed_fail(reader->err, EMBEDD_FORMAT, "%s: merges[%zu]: %s is not in vocab",
                       reader->where, reader->rank,
                       left_id == ED_TRIE_NONE    ? "the first token"
                       : right_id == ED_TRIE_NONE ? "the second token"
                                                  : "what they make");
    if (!ed_pair_merges_add(
            &reader->bpe->merges,
            (ed_pair_merge){left_id, right_id, (uint32_t)reader->rank++, (int32_t)merged}))
        return ed_fail(reader->err, EMBEDD_MEMORY, "%s: out of memory", reader->where);
    close_cut(reader->bpe, (embedd_text){reader->text, reader->left_bytes},
              (embedd_text){right, reader->right_bytes});
    return EMBEDD_OK;
}

/* No cut between these two: they merge. */
static void close_cut(ed_bpe *bpe, embedd_text left, embedd_text right)
{
    const size_t mark_bytes = strlen(ED_BPE_CUT_MARK);
    if (!bpe->cuts_after || left.n_bytes == 0 || right.n_bytes < mark_bytes ||
        memcmp(right.bytes, ED_BPE_CUT_MARK, mark_bytes) != 0)
        return;
    size_t last = left.n_bytes - 1, n_used;
    while (last > 0 && ((unsigned char)left.bytes[last] & 0xC0) == 0x80)
        last--;
    uint32_t code_point = ed_utf8_decode(left.bytes + last, left.n_bytes - last, &n_used);
    if (code_point < ED_BPE_CUT_POINTS)
        bpe->cuts_after[code_point / 64] &= ~(UINT64_C(1) << code_point % 64);
}
