/* In: the bytes of a tokenizer.json. Out: its small parts as a tree, its big ones as slices. */
#include "tokenizer/tokenizer_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "formats/json_reader.h"

#include <json-c/json.h>
#include <string.h>

static embedd_status find_vocab(ed_tokenizer_file *file, const char *bytes, size_t n_bytes,
                                embedd_error *err);

embedd_status ed_tokenizer_file_open(ed_tokenizer_file *file, const char *bytes, size_t n_bytes,
                                     const char *where, embedd_error *err)
{
    *file = (ed_tokenizer_file){.where = where};
    embedd_status status = find_vocab(file, bytes, n_bytes, err);
    if (status != EMBEDD_OK)
        return status;
    if (!file->vocab.bytes)
        return ed_json_parse(bytes, n_bytes, where, &file->json, err);

    ed_buf rest;
    size_t vocab_begin = (size_t)(file->vocab.bytes - bytes);
    size_t vocab_end = vocab_begin + file->vocab.n_bytes;
    ed_buf_init(&rest, n_bytes + strlen("null"));
    ed_buf_append(&rest, bytes, vocab_begin);
    ed_buf_append_text(&rest, "null");
    if (ed_buf_append(&rest, bytes + vocab_end, n_bytes - vocab_end))
        status = ed_json_parse(rest.data, rest.n_bytes, where, &file->json, err);
    else
        status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    ed_buf_clear(&rest);
    return status;
}

void ed_tokenizer_file_close(ed_tokenizer_file *file)
{
    json_object_put(file->json);
    *file = (ed_tokenizer_file){0};
}

/* Sets file->vocab, and refuses what is not JSON. */
static embedd_status find_vocab(ed_tokenizer_file *file, const char *bytes, size_t n_bytes,
                                embedd_error *err)
{
    ed_json_reader reader;
    ed_json_token token;
    bool in_model = false;
    ed_json_reader_init(&reader, bytes, n_bytes);
    while ((token = ed_json_next(&reader)) > ED_JSON_END) {
        if (token != ED_JSON_KEY)
            continue;
        embedd_text key = {reader.token, reader.token_bytes};
        unsigned depth = reader.depth;
        token = ed_json_next(&reader);
        bool big = token == ED_JSON_OBJECT || token == ED_JSON_ARRAY;
        if (depth == 1)
            in_model = big && key.n_bytes == 5 && memcmp(key.bytes, "model", 5) == 0;
        if (depth == 2 && in_model && big && key.n_bytes == 5 &&
            memcmp(key.bytes, "vocab", 5) == 0) {
            size_t begin = reader.at - 1;
            if (file->vocab.bytes)
                return ed_fail(err, EMBEDD_FORMAT, "%s: two vocabs", file->where);
            ed_json_skip(&reader, token);
            file->vocab = (embedd_text){bytes + begin, reader.at - begin};
        }
    }
    if (token == ED_JSON_ERROR)
        return ed_fail(err, EMBEDD_FORMAT, "%s: byte %zu: %s", file->where, reader.at,
                       reader.reason);
    return EMBEDD_OK;
}
