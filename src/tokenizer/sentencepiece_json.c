/* In: a SentencePiece model and the tokenizer_config.json beside it. Out: a tokenizer.json: the ids
 * of fairseq's models are not those of the file. Source: huggingface/transformers,
 * convert_slow_tokenizer.py and models/, release 5. */
#include "base/error.h"
#include "formats/json.h"
#include "tokenizer/json_writer.h"
#include "tokenizer/sentencepiece.h"

#include <string.h>

#define SPACE_MARK   "\xE2\x96\x81"
#define TYPE_CONTROL 3
#define TYPE_USER    4

typedef struct class_row {
    const char *name;
    const char *before[6]; /* take the place of the first n_replaced pieces */
    size_t n_replaced;
    const char *after;            /* comes last */
    int32_t first, last, unknown; /* ids */
    bool mask_lstrip;
} class_row;

/* Special tokens by the names of tokenizer_config.json, and what stands for them above. */
enum { N_SPECIALS = 5 };
static const char *const special_names[N_SPECIALS] = {"bos_token", "pad_token", "eos_token",
                                                      "unk_token", "mask_token"};
static const char *const special_defaults[N_SPECIALS] = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"};

static const class_row classes[] = {
    {"XLMRobertaTokenizer", {"<s>", "<pad>", "</s>", "<unk>"}, 3, "<mask>", 0, 2, 3, false},
    {"CamembertTokenizer",
     {"<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"},
     1,
     "<mask>",
     5,
     6,
     3,
     true},
};

static embedd_status check_special(const ed_tokenizer_config *config, embedd_error *err);
static void write_piece(ed_buf *json, size_t id, embedd_text piece, double score);
static void write_vocab(ed_buf *json, const ed_sentencepiece *model, const class_row *class);
static void write_user_tokens(ed_buf *json, const ed_sentencepiece *model, const class_row *class);

static bool is_piece(const ed_sentencepiece *model, size_t id, const char *text)
{
    embedd_text piece = model->pieces[id];
    return piece.n_bytes == strlen(text) && memcmp(piece.bytes, text, piece.n_bytes) == 0;
}

embedd_status ed_sentencepiece_write(ed_buf *json, const ed_sentencepiece *model,
                                     const ed_tokenizer_config *config, const char *where,
                                     embedd_error *err)
{
    const class_row *class = NULL;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(config->class, classes[i].name) == 0)
            class = &classes[i];
    if (!class)
        return ed_fail(err, EMBEDD_UNSUPPORTED,
                       "%s: tokenizer_class \"%s\" without a tokenizer.json is not supported",
                       where, config->class);
    if (model->model_type != 1)
        return ed_fail(err, EMBEDD_UNSUPPORTED,
                       "%s: a SentencePiece model that is not a Unigram is not supported", where);
    if (model->n_pieces < 3 || !is_piece(model, 1, "<s>") || !is_piece(model, 2, "</s>"))
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: pieces 1 and 2 are not <s> and </s>", where);
    bool prefix_space = true;
    embedd_status status = check_special(config, err);
    if (status == EMBEDD_OK && config->json)
        status =
            ed_json_get_bool(config->json, "add_prefix_space", &prefix_space, config->where, err);
    if (status != EMBEDD_OK)
        return status;

    ed_buf_append_text(json, "{\"added_tokens\":[");
    status = ed_tokenizer_config_write_added(config, special_names, special_defaults, N_SPECIALS,
                                             class->mask_lstrip, json, err);
    write_user_tokens(json, model, class);
    if (model->charsmap.n_bytes > 0) {
        ed_buf_append_text(json, "],\"normalizer\":{\"type\":\"Precompiled\","
                                 "\"precompiled_charsmap\":");
        ed_json_write_base64(json, model->charsmap);
        ed_buf_append_text(json, "}");
    } else {
        ed_buf_append_text(json, "]");
    }
    ed_buf_printf(
        json,
        ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":["
        "{\"type\":\"WhitespaceSplit\"},{\"type\":\"Metaspace\",\"replacement\":\"" SPACE_MARK
        "\",\"prepend_scheme\":\"%s\",\"split\":true}]},\"model\":{\"type\":\"Unigram\","
        "\"unk_id\":%d,\"vocab\":[",
        prefix_space ? "always" : "never", class->unknown);
    write_vocab(json, model, class);
    ed_buf_append_text(json, "]},\"post_processor\":");
    ed_json_write_template(json, class->first, class->last);
    ed_buf_printf(json, ",\"decoder\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"%s\"}}",
                  prefix_space ? "always" : "never");
    return status;
}

/* The ids above hold for the usual names only. */
static embedd_status check_special(const ed_tokenizer_config *config, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    for (size_t i = 0; i < N_SPECIALS && status == EMBEDD_OK; i++) {
        const char *name = special_defaults[i];
        status = ed_tokenizer_config_token(config, special_names[i], &name, err);
        if (status == EMBEDD_OK && strcmp(name, special_defaults[i]) != 0)
            status = ed_fail(err, EMBEDD_UNSUPPORTED, "%s: %s %.64s is not supported",
                             config->where, special_names[i], name);
    }
    return status;
}

/* Control pieces, and those that the user of SentencePiece defined. */
static void write_user_tokens(ed_buf *json, const ed_sentencepiece *model, const class_row *class)
{
    for (size_t i = class->n_replaced; i < model->n_pieces; i++) {
        if ((model->types[i] != TYPE_CONTROL && model->types[i] != TYPE_USER) ||
            is_piece(model, i, "<s>") || is_piece(model, i, "</s>"))
            continue;
        ed_buf_append_text(json, ",");
        ed_json_write_added_token(json, i, model->pieces[i], model->types[i] == TYPE_CONTROL,
                                  false);
    }
}

static void write_vocab(ed_buf *json, const ed_sentencepiece *model, const class_row *class)
{
    size_t id = 0;
    for (; class->before[id]; id++) {
        bool unused = strcmp(class->before[id], "<unk>NOTUSED") == 0;
        write_piece(json, id, (embedd_text){class->before[id], strlen(class->before[id])},
                    unused ? -100 : 0);
    }
    for (size_t i = class->n_replaced; i < model->n_pieces; i++)
        write_piece(json, id++, model->pieces[i], (double)model->scores[i]);
    write_piece(json, id, (embedd_text){class->after, strlen(class->after)}, 0);
}

static void write_piece(ed_buf *json, size_t id, embedd_text piece, double score)
{
    ed_buf_append_text(json, id == 0 ? "[" : ",[");
    ed_json_write_string(json, piece);
    ed_buf_append_text(json, ",");
    ed_json_write_number(json, score);
    ed_buf_append_text(json, "]");
}
