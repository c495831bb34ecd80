/* In: a tokenizer as lists. Out: the tokenizer of the tokenizer.json that says the same, which is
 * written here, in memory: there is one door, and everything is checked there. */
#include "tokenizer/tokenizer_parts.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "tokenizer/json_writer.h"
#include "tokenizer/known_patterns.h"
#include "tokenizer/score_merges.h"

#include <math.h>
#include <string.h>

#define JSON_BYTES_MAX ((size_t)512 << 20)
#define SPACE_MARK     "\xE2\x96\x81" /* U+2581, a space inside a token */

static embedd_status check_parts(const ed_tokenizer_parts *parts, const char *where,
                                 embedd_error *err);
static embedd_status write_parts(ed_buf *json, const ed_tokenizer_parts *parts, const char *where,
                                 embedd_error *err);
static void write_added_tokens(ed_buf *json, const ed_tokenizer_parts *parts);
static void write_wordpiece(ed_buf *json, const ed_tokenizer_parts *parts);
static void write_unigram(ed_buf *json, const ed_tokenizer_parts *parts);
static embedd_status write_spm_bpe(ed_buf *json, const ed_tokenizer_parts *parts, const char *where,
                                   embedd_error *err);
static embedd_status write_byte_bpe(ed_buf *json, const ed_tokenizer_parts *parts,
                                    const char *where, embedd_error *err);

embedd_status ed_tokenizer_open_parts(ed_tokenizer **out, const ed_tokenizer_parts *parts,
                                      const char *where, embedd_error *err)
{
    *out = NULL;
    ed_buf json;
    ed_buf_init(&json, JSON_BYTES_MAX);
    embedd_status status = check_parts(parts, where, err);
    if (status == EMBEDD_OK)
        status = write_parts(&json, parts, where, err);
    if (status == EMBEDD_OK)
        status = json.failed ? ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where)
                             : ed_tokenizer_open_json(
                                   out, (embedd_text){json.data, json.n_bytes},
                                   &(ed_tokenizer_options){.exact_numbers = true}, where, err);
    ed_buf_clear(&json);
    return status;
}

static embedd_status check_parts(const ed_tokenizer_parts *parts, const char *where,
                                 embedd_error *err)
{
    const int32_t ids[] = {parts->unknown, parts->mask, parts->first, parts->last};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (ids[i] < -1 || (ids[i] >= 0 && (size_t)ids[i] >= parts->n_tokens))
            return ed_fail(err, EMBEDD_FORMAT, "%s: no token has the id %d", where, (int)ids[i]);
    bool has_scores = parts->kind == ED_PARTS_UNIGRAM || parts->kind == ED_PARTS_SPM_BPE;
    if (has_scores && !parts->scores)
        return ed_fail(err, EMBEDD_FORMAT, "%s: the tokens have no scores", where);
    for (size_t i = 0; i < parts->n_tokens; i++) {
        const embedd_text *token = &parts->tokens[i];
        if (ed_utf8_valid_prefix(token->bytes, token->n_bytes) != token->n_bytes)
            return ed_fail(err, EMBEDD_FORMAT, "%s: token %zu is not valid UTF-8", where, i);
        if (has_scores && !isfinite(parts->scores[i]))
            return ed_fail(err, EMBEDD_FORMAT, "%s: the score of token %zu is not finite", where,
                           i);
    }
    for (size_t i = 0; i < parts->n_merges; i++)
        if (ed_utf8_valid_prefix(parts->merges[i].bytes, parts->merges[i].n_bytes) !=
            parts->merges[i].n_bytes)
            return ed_fail(err, EMBEDD_FORMAT, "%s: merge %zu is not valid UTF-8", where, i);
    return EMBEDD_OK;
}

static embedd_status write_parts(ed_buf *json, const ed_tokenizer_parts *parts, const char *where,
                                 embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    ed_buf_append_text(json, "{\"post_processor\":");
    ed_json_write_template(json, parts->first, parts->last);
    write_added_tokens(json, parts);
    switch (parts->kind) {
    case ED_PARTS_WORDPIECE:
        write_wordpiece(json, parts);
        break;
    case ED_PARTS_UNIGRAM:
        write_unigram(json, parts);
        break;
    case ED_PARTS_SPM_BPE:
        status = write_spm_bpe(json, parts, where, err);
        break;
    case ED_PARTS_BYTE_BPE:
        status = write_byte_bpe(json, parts, where, err);
        break;
    }
    ed_buf_append_text(json, "}");
    return status;
}

static int32_t type_of(const ed_tokenizer_parts *parts, size_t id)
{
    return parts->types ? parts->types[id] : ED_PARTS_NORMAL;
}

static bool is_special(const ed_tokenizer_parts *parts, size_t id)
{
    int32_t type = type_of(parts, id), number = (int32_t)id;
    if (type == ED_PARTS_CONTROL || type == ED_PARTS_USER_DEFINED || type == ED_PARTS_UNKNOWN)
        return true;
    if (parts->types && parts->kind != ED_PARTS_WORDPIECE)
        return false; /* the types decide, as in llama.cpp */
    return number == parts->unknown || number == parts->mask || number == parts->first ||
           number == parts->last;
}

static void write_added_tokens(ed_buf *json, const ed_tokenizer_parts *parts)
{
    const char *comma = "";
    ed_buf_append_text(json, ",\"added_tokens\":[");
    for (size_t i = 0; i < parts->n_tokens; i++) {
        if (!is_special(parts, i))
            continue;
        ed_buf_append_text(json, comma);
        embedd_text token = parts->tokens[i];
        bool lstrip = parts->lstrip && token.n_bytes == strlen(parts->lstrip) &&
                      memcmp(token.bytes, parts->lstrip, token.n_bytes) == 0;
        ed_json_write_added_token(json, i, token, type_of(parts, i) != ED_PARTS_USER_DEFINED,
                                  lstrip);
        comma = ",";
    }
    ed_buf_append_text(json, "]");
}

/* U+2581 begins a word, no mark goes on with one: the other way round than "##". */
static void write_wordpiece(ed_buf *json, const ed_tokenizer_parts *parts)
{
    ed_buf_printf(json,
                  ",\"decoder\":{\"type\":\"WordPiece\"},"
                  "\"normalizer\":{\"type\":\"BertNormalizerGGUF\",\"strip_accents\":%s,"
                  "\"lowercase\":%s},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
                  "\"model\":{\"type\":\"WordPiece\",\"max_input_chars_per_word\":1e30,"
                  "\"continuing_subword_prefix\":\"##\",\"unk_token\":",
                  parts->strip_accents ? "true" : "false", parts->lower_case ? "true" : "false");
    if (parts->unknown >= 0)
        ed_json_write_string(json, parts->tokens[parts->unknown]);
    else
        ed_buf_append_text(json, "null");
    ed_buf_append_text(json, ",\"vocab\":{");
    for (size_t i = 0; i < parts->n_tokens; i++) {
        embedd_text token = parts->tokens[i];
        size_t mark_bytes = strlen(SPACE_MARK);
        bool begins =
            token.n_bytes > mark_bytes && memcmp(token.bytes, SPACE_MARK, mark_bytes) == 0;
        bool plain = is_special(parts, i) || type_of(parts, i) != ED_PARTS_NORMAL ||
                     (token.n_bytes > 2 && token.bytes[0] == '[' &&
                      token.bytes[token.n_bytes - 1] == ']'); /* "[unused1]" */
        if (begins)
            token = (embedd_text){token.bytes + mark_bytes, token.n_bytes - mark_bytes};
        ed_buf_append_text(json, i == 0 ? "" : ",");
        ed_json_write_prefixed(json, begins || plain ? "" : "##", token);
        ed_buf_printf(json, ":%zu", i);
    }
    ed_buf_append_text(json, "}}");
}

/* As SentencePiece: words are cut at spaces, each with U+2581 before it. */
static void write_unigram(ed_buf *json, const ed_tokenizer_parts *parts)
{
    ed_buf_printf(json, ",\"decoder\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"%s\"}",
                  parts->space_prefix ? "always" : "never");
    if (parts->charsmap.bytes || parts->charsmap_base64.bytes) {
        ed_buf_append_text(json, ",\"normalizer\":{\"type\":\"PrecompiledGGUF\","
                                 "\"precompiled_charsmap\":");
        if (parts->charsmap.bytes)
            ed_json_write_base64(json, parts->charsmap);
        else
            ed_json_write_string(json, parts->charsmap_base64);
        ed_buf_append_text(json, "}");
    }
    ed_buf_append_text(json, ",\"pre_tokenizer\":");
    if (parts->squeeze_spaces)
        ed_buf_append_text(json, "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
                                 "\"pattern\":{\"String\":\" \"},\"behavior\":\"Removed\","
                                 "\"invert\":false},");
    ed_buf_printf(json,
                  "{\"type\":\"Metaspace\",\"replacement\":\"" SPACE_MARK "\","
                  "\"prepend_scheme\":\"%s\",\"split\":true}%s",
                  parts->space_prefix ? "always" : "never", parts->squeeze_spaces ? "]}" : "");

    ed_buf_append_text(json, ",\"model\":{\"type\":\"Unigram\",\"vocab\":[");
    for (size_t i = 0; i < parts->n_tokens; i++) {
        ed_buf_append_text(json, i == 0 ? "[" : ",[");
        ed_json_write_string(json, parts->tokens[i]);
        ed_buf_append_text(json, ",");
        ed_json_write_number(json, (double)parts->scores[i]);
        ed_buf_append_text(json, "]");
    }
    ed_buf_append_text(json, "],\"unk_id\":");
    if (parts->unknown >= 0)
        ed_buf_printf(json, "%d}", (int)parts->unknown);
    else
        ed_buf_append_text(json, "null}");
}

static void write_bpe_vocab(ed_buf *json, const ed_tokenizer_parts *parts)
{
    ed_buf_append_text(json, "\"vocab\":{");
    for (size_t i = 0; i < parts->n_tokens; i++) {
        ed_buf_append_text(json, i == 0 ? "" : ",");
        ed_json_write_string(json, parts->tokens[i]);
        ed_buf_printf(json, ":%zu", i);
    }
    ed_buf_append_text(json, "}");
}

static embedd_status write_spm_bpe(ed_buf *json, const ed_tokenizer_parts *parts, const char *where,
                                   embedd_error *err)
{
    ed_buf_printf(json,
                  ",\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\","
                  "\"pattern\":{\"String\":\"" SPACE_MARK "\"},\"content\":\" \"},"
                  "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}%s]}",
                  parts->space_prefix
                      ? ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}"
                      : "");
    ed_buf_printf(
        json,
        ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[%s"
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" SPACE_MARK
        "\"}]},\"model\":{\"type\":\"BPE\",\"fuse_unk\":true,\"byte_fallback\":true,"
        "\"unk_token\":",
        parts->space_prefix ? "{\"type\":\"Prepend\",\"prepend\":\"" SPACE_MARK "\"}," : "");
    if (parts->unknown >= 0)
        ed_json_write_string(json, parts->tokens[parts->unknown]);
    else
        ed_buf_append_text(json, "null");
    ed_buf_append_text(json, ",");
    write_bpe_vocab(json, parts);
    embedd_status status =
        ed_score_merges_write(json, parts->tokens, parts->scores, parts->n_tokens, where, err);
    ed_buf_append_text(json, "}");
    return status;
}

/* The split patterns by their names in llama.cpp; some have several. */
static const char *pattern_of(const char *pre)
{
    static const struct {
        const char *names; /* with a space round each */
        const char *pattern;
    } rows[] = {
        {" gpt-2 roberta-bpe phi-2 mpt jina-es jina-de jina-v1-en jina-v2-es jina-v2-de "
         "jina-v2-code modern-bert ",
         ED_PATTERN_GPT2},
        {" qwen2 stablelm2 ", ED_PATTERN_QWEN2},
        {" llama3 llama-v3 llama-bpe smaug-bpe ", ED_PATTERN_LLAMA3},
    };
    size_t n_bytes = strlen(pre);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (const char *at = rows[i].names; n_bytes > 0 && (at = strstr(at, pre)); at++)
            if (at > rows[i].names && at[-1] == ' ' && at[n_bytes] == ' ' && !strchr(pre, ' '))
                return rows[i].pattern;
    return NULL;
}

static embedd_status write_byte_bpe(ed_buf *json, const ed_tokenizer_parts *parts,
                                    const char *where, embedd_error *err)
{
    const char *pre = parts->pre ? parts->pre : "gpt-2", *pattern = pattern_of(pre);
    if (!pattern)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: pre-tokenizer %.64s is not supported", where,
                       pre);
    ed_buf_append_text(json, ",\"decoder\":{\"type\":\"ByteLevel\"},"
                             "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":["
                             "{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false,"
                             "\"pattern\":{\"Regex\":");
    ed_json_write_string(json, (embedd_text){pattern, strlen(pattern)});
    ed_buf_printf(json, "}},{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"use_regex\":false}]}",
                  parts->space_prefix ? "true" : "false");
    ed_buf_append_text(json, ",\"model\":{\"type\":\"BPE\",\"merges\":[");
    for (size_t i = 0; i < parts->n_merges; i++) {
        ed_buf_append_text(json, i == 0 ? "" : ",");
        ed_json_write_string(json, parts->merges[i]);
    }
    ed_buf_append_text(json, "],");
    write_bpe_vocab(json, parts);
    ed_buf_append_text(json, "}");
    return EMBEDD_OK;
}
