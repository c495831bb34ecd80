/* Builds small tokenizers for tests. */
#include "support/small_tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 4096

static const char *or_else(const char *part, const char *otherwise)
{
    return part ? part : otherwise;
}

char *small_tokenizer_json(const small_tokenizer *parts)
{
    static const char format[] =
        "{\"version\":\"1.0\",\"truncation\":{\"max_length\":3},\"added_tokens\":%s,"
        "\"normalizer\":%s,\"pre_tokenizer\":%s,\"post_processor\":%s,\"model\":{"
        "\"type\":\"WordPiece\",\"vocab\":%s,\"unk_token\":%s,"
        "\"continuing_subword_prefix\":%s,\"max_input_chars_per_word\":%s}}";
    char *json = NULL;
    int n_bytes = asprintf(
        &json, format, or_else(parts->added_tokens, "[]"),
        or_else(parts->normalizer, "{\"type\":\"BertNormalizer\"}"),
        or_else(parts->pre_tokenizer, "{\"type\":\"BertPreTokenizer\"}"),
        or_else(parts->post_processor, "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",2],"
                                       "\"cls\":[\"[CLS]\",1]}"),
        or_else(parts->vocab, "{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##a\":4,\"b\":5,"
                              "\"##b\":6,\"ab\":7,\"##ab\":8,\".\":9,\"\\u4e2d\":10}"),
        or_else(parts->unk_token, "\"[UNK]\""), or_else(parts->prefix, "\"##\""),
        or_else(parts->word_chars_max, "10"));
    if (n_bytes < 0)
        abort();
    return json;
}

embedd_status small_tokenizer_try(ed_tokenizer **out, const small_tokenizer *parts,
                                  embedd_error *err)
{
    char *json = small_tokenizer_json(parts);
    embedd_status status = ed_tokenizer_open_bytes(out, json, strlen(json), "t.json", err);
    free(json);
    return status;
}

ed_tokenizer *small_tokenizer_open(const small_tokenizer *parts)
{
    ed_tokenizer *tokenizer = NULL;
    embedd_error err;
    if (small_tokenizer_try(&tokenizer, parts, &err) != EMBEDD_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return tokenizer;
}

const char *small_tokenizer_ids(const ed_tokenizer *tokenizer, const char *text)
{
    static char line[IDS_MAX * 8];
    ed_tokenizer_scratch *scratch = NULL;
    embedd_error err;
    int32_t ids[IDS_MAX];
    size_t n_ids = 0, n_total = 0, n_line = 0;
    if (ed_tokenizer_scratch_open(&scratch, tokenizer, &err) != EMBEDD_OK ||
        ed_tokenizer_encode(tokenizer, scratch, (embedd_text){text, strlen(text)}, IDS_MAX, ids,
                            &n_ids, &n_total, &err) != EMBEDD_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    ed_tokenizer_scratch_close(scratch);
    line[0] = '\0';
    for (size_t i = 0; i < n_ids; i++)
        n_line += (size_t)snprintf(line + n_line, sizeof line - n_line, i == 0 ? "%d" : " %d",
                                   (int)ids[i]);
    return line;
}
