/* In: a vocab.txt and the tokenizer_config.json beside it. Out: a tokenizer.json. Source:
 * huggingface/transformers, models/bert/tokenization_bert.py and the like. */
#include "tokenizer/vocab_text.h"

#include "base/error.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "tokenizer/json_writer.h"

#include <string.h>

typedef struct bert_class {
    const char *name;
    const char *unknown, *first, *last, *padding; /* what the class has where the file is silent */
    const char *mask;
    bool mask_lstrip;
} bert_class;

static const bert_class *find_class(const char *name);
static embedd_status write_normalizer(ed_buf *json, const ed_tokenizer_config *config,
                                      embedd_error *err);
static embedd_status write_model(ed_buf *json, embedd_text lines, const char *unknown,
                                 const char *first, const char *last, const char *where,
                                 embedd_error *err);

embedd_status ed_vocab_text_write(ed_buf *json, embedd_text lines,
                                  const ed_tokenizer_config *config, const char *where,
                                  embedd_error *err)
{
    static const char *const names[] = {"unk_token", "sep_token", "pad_token", "cls_token",
                                        "mask_token"};
    const bert_class *class = find_class(config->class);
    if (!class)
        return ed_fail(err, EMBEDD_UNSUPPORTED,
                       "%s: %s with a vocab.txt and no tokenizer.json is not supported", where,
                       config->class);
    if (ed_utf8_valid_prefix(lines.bytes, lines.n_bytes) != lines.n_bytes)
        return ed_fail(err, EMBEDD_FORMAT, "%s: not valid UTF-8", where);
    const char *const defaults[] = {class->unknown, class->last, class->padding, class->first,
                                    class->mask};
    const char *unknown = class->unknown, *first = class->first, *last = class->last;
    ed_buf_append_text(json,
                       "{\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"added_tokens\":[");
    embedd_status status =
        ed_tokenizer_config_write_added(config, names, defaults, 5, class->mask_lstrip, json, err);
    ed_buf_append_text(json, "]");
    if (status == EMBEDD_OK)
        status = ed_tokenizer_config_token(config, "unk_token", &unknown, err);
    if (status == EMBEDD_OK)
        status = ed_tokenizer_config_token(config, "cls_token", &first, err);
    if (status == EMBEDD_OK)
        status = ed_tokenizer_config_token(config, "sep_token", &last, err);
    if (status == EMBEDD_OK)
        status = write_normalizer(json, config, err);
    if (status == EMBEDD_OK)
        status = write_model(json, lines, unknown, first, last, where, err);
    ed_buf_append_text(json, "}");
    return status;
}

static const bert_class *find_class(const char *name)
{
    static const bert_class classes[] = {
        {"BertTokenizer", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", false},
        {"DistilBertTokenizer", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", false},
        {"ElectraTokenizer", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", false},
        {"MPNetTokenizer", "[UNK]", "<s>", "</s>", "<pad>", "<mask>", true},
    };
    if (!*name)
        return &classes[0];
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(name, classes[i].name) == 0)
            return &classes[i];
    return NULL;
}

static embedd_status write_normalizer(ed_buf *json, const ed_tokenizer_config *config,
                                      embedd_error *err)
{
    bool lower = true, chinese = true;
    embedd_status status = EMBEDD_OK;
    if (config->json)
        status = ed_json_get_bool(config->json, "do_lower_case", &lower, config->where, err);
    if (status == EMBEDD_OK && config->json)
        status =
            ed_json_get_bool(config->json, "tokenize_chinese_chars", &chinese, config->where, err);
    bool strip = lower;
    if (status == EMBEDD_OK && config->json)
        status = ed_json_get_bool(config->json, "strip_accents", &strip, config->where, err);
    ed_buf_printf(json,
                  ",\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,"
                  "\"handle_chinese_chars\":%s,\"strip_accents\":%s,\"lowercase\":%s}",
                  chinese ? "true" : "false", strip ? "true" : "false", lower ? "true" : "false");
    return status;
}

static bool same(embedd_text line, const char *text)
{
    return line.n_bytes == strlen(text) && memcmp(line.bytes, text, line.n_bytes) == 0;
}

/* Lines end as Python reads them: \n, \r\n or \r. */
static embedd_status write_model(ed_buf *json, embedd_text lines, const char *unknown,
                                 const char *first, const char *last, const char *where,
                                 embedd_error *err)
{
    int32_t first_id = -1, last_id = -1;
    ed_buf_append_text(json, ",\"model\":{\"type\":\"WordPiece\",\"max_input_chars_per_word\":100,"
                             "\"continuing_subword_prefix\":\"##\",\"unk_token\":");
    ed_json_write_string(json, (embedd_text){unknown, strlen(unknown)});
    ed_buf_append_text(json, ",\"vocab\":{");
    size_t at = 0;
    for (int32_t id = 0; at < lines.n_bytes && id < INT32_MAX; id++) {
        size_t begin = at;
        while (at < lines.n_bytes && lines.bytes[at] != '\n' && lines.bytes[at] != '\r')
            at++;
        embedd_text line = {lines.bytes + begin, at - begin};
        at += at + 1 < lines.n_bytes && lines.bytes[at] == '\r' && lines.bytes[at + 1] == '\n' ? 2
                                                                                               : 1;
        first_id = same(line, first) ? id : first_id;
        last_id = same(line, last) ? id : last_id;
        ed_buf_append_text(json, id == 0 ? "" : ",");
        ed_json_write_string(json, line);
        ed_buf_printf(json, ":%d", (int)id);
    }
    ed_buf_append_text(json, "}},\"post_processor\":");
    ed_json_write_template(json, first_id, last_id);
    ed_buf_append_text(json, ",\"decoder\":{\"type\":\"WordPiece\"}");
    if (first_id < 0 || last_id < 0)
        return ed_fail(err, EMBEDD_FORMAT, "%s: has no %.64s", where, first_id < 0 ? first : last);
    return EMBEDD_OK;
}
