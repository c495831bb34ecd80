/* In: the bytes of a tokenizer.json. Out: its small parts as a tree, its big ones as slices. */
#include "tokenizer/tokenizer_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json.h"
#include "formats/json_reader.h"

#include <json-c/json.h>
#include <string.h>

static embedd_status find_lists(ed_tokenizer_file *file, const char *bytes, size_t n_bytes,
                                embedd_error *err);

embedd_status ed_tokenizer_file_open(ed_tokenizer_file *file, const char *bytes, size_t n_bytes,
                                     const char *where, embedd_error *err)
{
    *file = (ed_tokenizer_file){.where = where};
    embedd_status status = find_lists(file, bytes, n_bytes, err);
    if (status != EMBEDD_OK)
        return status;

    ed_buf rest;
    const embedd_text *lists[] = {&file->vocab, &file->merges}; /* in the file's order */
    if (file->merges.bytes && (!file->vocab.bytes || file->merges.bytes < file->vocab.bytes)) {
        lists[0] = &file->merges;
        lists[1] = &file->vocab;
    }
    ed_buf_init(&rest, n_bytes + 2 * strlen("null"));
    const char *from = bytes;
    for (size_t i = 0; i < 2; i++) {
        if (!lists[i]->bytes)
            continue;
        ed_buf_append(&rest, from, (size_t)(lists[i]->bytes - from));
        ed_buf_append_text(&rest, "null");
        from = lists[i]->bytes + lists[i]->n_bytes;
    }
    if (ed_buf_append(&rest, from, n_bytes - (size_t)(from - bytes)))
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

static bool is_key(embedd_text key, const char *name)
{
    return key.n_bytes == strlen(name) && memcmp(key.bytes, name, key.n_bytes) == 0;
}

/* Sets file->vocab and file->merges, and refuses what is not JSON. */
static embedd_status find_lists(ed_tokenizer_file *file, const char *bytes, size_t n_bytes,
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
            in_model = big && is_key(key, "model");
        if (depth != 2 || !in_model || !big)
            continue;
        embedd_text *list = is_key(key, "vocab")    ? &file->vocab
                            : is_key(key, "merges") ? &file->merges
                                                    : NULL;
        if (!list)
            continue;
        size_t begin = reader.at - 1;
        if (list->bytes)
            return ed_fail(err, EMBEDD_FORMAT, "%s: %.*s is there twice", file->where,
                           (int)key.n_bytes, key.bytes);
        ed_json_skip(&reader, token);
        *list = (embedd_text){bytes + begin, reader.at - begin};
    }
    if (token == ED_JSON_ERROR)
        return ed_fail(err, EMBEDD_FORMAT, "%s: byte %zu: %s", file->where, reader.at,
                       reader.reason);
    return EMBEDD_OK;
}
