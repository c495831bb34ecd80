/* In: a folder. Out: its tokenizer. Older files are turned into the tokenizer.json that says the
 * same, in memory: there is one door. */
#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "tokenizer/sentencepiece.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_text.h"

#include <string.h>

#define FILE_BYTES_MAX ((size_t)128 << 20)
#define JSON_BYTES_MAX ((size_t)512 << 20)

typedef embedd_status (*write_function)(ed_buf *json, embedd_text bytes,
                                        const ed_tokenizer_config *config, const char *where,
                                        embedd_error *err);

static embedd_status open_older(ed_tokenizer **out, const char *folder, const char *path,
                                write_function write, const ed_tokenizer_options *options,
                                embedd_error *err);
static embedd_status write_sentencepiece(ed_buf *json, embedd_text bytes,
                                         const ed_tokenizer_config *config, const char *where,
                                         embedd_error *err);

embedd_status ed_tokenizer_open(ed_tokenizer **out, const char *folder,
                                const ed_tokenizer_options *options, embedd_error *err)
{
    static const struct {
        const char *name;
        write_function write;
    } files[] = {
        {"tokenizer.json", NULL}, /* wins, whatever else is there */
        {"sentencepiece.bpe.model", write_sentencepiece},
        {"spiece.model", write_sentencepiece},
        {"tokenizer.model", write_sentencepiece},
        {"vocab.txt", ed_vocab_text_write},
        {"tokenizer.json", NULL}, /* and is the one that is missing if none is */
    };
    const ed_tokenizer_options none = {.lower_case = false};
    const size_t n_files = sizeof files / sizeof *files;
    embedd_status status = EMBEDD_OK;
    *out = NULL;
    for (size_t i = 0; i < n_files; i++) {
        char *path = ed_path_join(folder, files[i].name);
        if (!path)
            return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", folder);
        bool found = ed_file_exists(path) || i + 1 == n_files;
        if (found)
            status = open_older(out, folder, path, files[i].write, options ? options : &none, err);
        ed_free(path);
        if (found)
            break;
    }
    return status;
}

/* `write` NULL: it is a tokenizer.json. */
static embedd_status open_older(ed_tokenizer **out, const char *folder, const char *path,
                                write_function write, const ed_tokenizer_options *options,
                                embedd_error *err)
{
    char *bytes = NULL;
    size_t n_bytes = 0;
    ed_buf json;
    ed_tokenizer_config config = {0};
    ed_tokenizer_options written = *options;
    ed_buf_init(&json, JSON_BYTES_MAX);
    embedd_status status = ed_file_read(path, FILE_BYTES_MAX, &bytes, &n_bytes, err);
    embedd_text text = {bytes, n_bytes};
    if (status == EMBEDD_OK && write) {
        status = ed_tokenizer_config_read(&config, folder, err);
        if (status == EMBEDD_OK)
            status = write(&json, text, &config, path, err);
        if (status == EMBEDD_OK && json.failed)
            status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", path);
        text = (embedd_text){json.data, json.n_bytes};
        written.exact_numbers = true;
    }
    if (status == EMBEDD_OK)
        status = ed_tokenizer_open_json(out, text, &written, path, err);
    ed_tokenizer_config_clear(&config);
    ed_buf_clear(&json);
    ed_free(bytes);
    return status;
}

static embedd_status write_sentencepiece(ed_buf *json, embedd_text bytes,
                                         const ed_tokenizer_config *config, const char *where,
                                         embedd_error *err)
{
    ed_sentencepiece model;
    embedd_status status = ed_sentencepiece_open(&model, bytes, where, err);
    if (status == EMBEDD_OK)
        status = ed_sentencepiece_write(json, &model, config, where, err);
    ed_sentencepiece_close(&model);
    return status;
}
