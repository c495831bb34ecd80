/* In: the "decoder" of a tokenizer.json; then tokens. Out: its steps; then the tokens' text. Never
 * recurses. Source: huggingface/tokenizers, decoders/. */
#include "tokenizer/decoder.h"

#include "base/error.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES_MAX ((size_t)256 << 20)
#define MARK           "\xE2\x96\x81" /* U+2581 */

typedef embedd_status (*read_function)(ed_decoder_step *step, struct json_object *json,
                                       const char *where, embedd_error *err);

static embedd_status read_one(ed_decoder *decoder, struct json_object *json, const char *where,
                              embedd_error *err);
static embedd_status read_bpe(ed_decoder_step *step, struct json_object *json, const char *where,
                              embedd_error *err);
static embedd_status read_metaspace(ed_decoder_step *step, struct json_object *json,
                                    const char *where, embedd_error *err);
static embedd_status read_replace(ed_decoder_step *step, struct json_object *json,
                                  const char *where, embedd_error *err);
static embedd_status read_strip(ed_decoder_step *step, struct json_object *json, const char *where,
                                embedd_error *err);
static embedd_status read_wordpiece(ed_decoder_step *step, struct json_object *json,
                                    const char *where, embedd_error *err);

/* Sequence is not here: it is unfolded by ed_decoder_open. */
static const struct {
    const char *name;
    ed_decoder_run_step run;
    read_function read;
} types[] = {
    {"BPEDecoder", ed_decode_bpe, read_bpe},
    {"ByteFallback", ed_decode_byte_fallback, NULL},
    {"ByteLevel", ed_decode_byte_level, NULL},
    {"Fuse", ed_decode_fuse, NULL},
    {"Metaspace", ed_decode_metaspace, read_metaspace},
    {"Replace", ed_decode_replace, read_replace},
    {"Strip", ed_decode_strip, read_strip},
    {"WordPiece", ed_decode_wordpiece, read_wordpiece},
};

/* ---- open ------------------------------------------------------------------------------------ */

embedd_status ed_decoder_open(ed_decoder *decoder, struct json_object *json, const char *where,
                              embedd_error *err)
{
    *decoder = (ed_decoder){.missing = !json};
    if (!json)
        return EMBEDD_OK;
    decoder->steps = ed_calloc(ED_DECODER_STEPS_MAX, sizeof *decoder->steps);
    if (!decoder->steps)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    struct json_object *parts = NULL;
    const char *type = json_object_is_type(json, json_type_object)
                           ? json_object_get_string(json_object_object_get(json, "type"))
                           : NULL;
    if (!type || strcmp(type, "Sequence") != 0)
        return read_one(decoder, json, where, err);
    embedd_status status = ed_json_get_array(json, "decoders", &parts, where, err);
    if (status == EMBEDD_OK && !parts)
        return ed_fail(err, EMBEDD_FORMAT, "%s: decoders is missing", where);
    for (size_t i = 0; status == EMBEDD_OK && i < json_object_array_length(parts); i++)
        status = read_one(decoder, json_object_array_get_idx(parts, i), where, err);
    return status;
}

static embedd_status read_one(ed_decoder *decoder, struct json_object *json, const char *where,
                              embedd_error *err)
{
    const char *type = NULL;
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: decoder is not an object", where);
    embedd_status status = ed_json_get_string(json, "type", &type, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!type)
        return ed_fail(err, EMBEDD_FORMAT, "%s: decoder has no type", where);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].name) != 0 || decoder->n_steps == ED_DECODER_STEPS_MAX)
            continue;
        ed_decoder_step *step = &decoder->steps[decoder->n_steps++];
        step->run = types[i].run;
        return types[i].read ? types[i].read(step, json, where, err) : EMBEDD_OK;
    }
    if (!*decoder->unsupported)
        snprintf(decoder->unsupported, sizeof decoder->unsupported, "%s", type);
    return EMBEDD_OK;
}

/* `text` is what holds if there is no such field; NULL: there must be. */
static embedd_status read_text(ed_decoder_step *step, struct json_object *json, const char *field,
                               const char *text, const char *where, embedd_error *err)
{
    struct json_object *string = NULL;
    size_t n_bytes = text ? strlen(text) : 0;
    json_object_object_get_ex(json, field, &string);
    if (json_object_is_type(string, json_type_string)) {
        text = json_object_get_string(string);
        n_bytes = (size_t)json_object_get_string_len(string);
    } else if (!text || string) {
        return ed_fail(err, EMBEDD_FORMAT, "%s: %s is not a string", where, field);
    }
    step->text = ed_strndup(text, n_bytes);
    step->text_bytes = n_bytes;
    return step->text ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
}

/* The same, and not empty: it is looked for. */
static embedd_status read_mark(ed_decoder_step *step, struct json_object *json, const char *field,
                               const char *text, const char *where, embedd_error *err)
{
    embedd_status status = read_text(step, json, field, text, where, err);
    return status == EMBEDD_OK && step->text_bytes == 0
               ? ed_fail(err, EMBEDD_UNSUPPORTED, "%s: a decoder with an empty %s", where, field)
               : status;
}

static embedd_status read_bpe(ed_decoder_step *step, struct json_object *json, const char *where,
                              embedd_error *err)
{
    return read_mark(step, json, "suffix", "</w>", where, err);
}

/* Of old files, add_prefix_space; of later ones, prepend_scheme. */
static embedd_status read_metaspace(ed_decoder_step *step, struct json_object *json,
                                    const char *where, embedd_error *err)
{
    const char *scheme = NULL;
    step->drops_prefix = true;
    embedd_status status = read_mark(step, json, "replacement", MARK, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_string(json, "prepend_scheme", &scheme, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "add_prefix_space", &step->drops_prefix, where, err);
    if (scheme)
        step->drops_prefix = strcmp(scheme, "never") != 0;
    return status;
}

static embedd_status read_replace(ed_decoder_step *step, struct json_object *json,
                                  const char *where, embedd_error *err)
{
    embedd_status status = read_text(step, json, "content", NULL, where, err);
    return status == EMBEDD_OK ? ed_pattern_open(&step->pattern, json, where, err) : status;
}

static embedd_status read_strip(ed_decoder_step *step, struct json_object *json, const char *where,
                                embedd_error *err)
{
    embedd_status status = read_mark(step, json, "content", NULL, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_size(json, "start", &step->n_start, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_size(json, "stop", &step->n_stop, where, err);
    return status;
}

static embedd_status read_wordpiece(ed_decoder_step *step, struct json_object *json,
                                    const char *where, embedd_error *err)
{
    step->cleans = true;
    embedd_status status = read_text(step, json, "prefix", "##", where, err);
    return status == EMBEDD_OK ? ed_json_get_bool(json, "cleanup", &step->cleans, where, err)
                               : status;
}

void ed_decoder_close(ed_decoder *decoder)
{
    for (size_t i = 0; i < decoder->n_steps; i++) {
        ed_free(decoder->steps[i].text);
        ed_pattern_close(&decoder->steps[i].pattern);
    }
    ed_free(decoder->steps);
    *decoder = (ed_decoder){0};
}

/* ---- texts ----------------------------------------------------------------------------------- */

void ed_text_list_init(ed_text_list *list)
{
    *list = (ed_text_list){.n = 0};
    ed_buf_init(&list->bytes, TEXT_BYTES_MAX);
}

void ed_text_list_clear(ed_text_list *list)
{
    ed_buf_clear(&list->bytes);
    ed_free(list->ends);
    *list = (ed_text_list){.n = 0};
}

bool ed_text_list_end(ed_text_list *list)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 64;
        size_t *ends = ed_realloc(list->ends, cap, sizeof *ends);
        if (!ends)
            return false;
        list->ends = ends;
        list->cap = cap;
    }
    list->ends[list->n++] = list->bytes.n_bytes;
    return !list->bytes.failed;
}

embedd_text ed_text_list_at(const ed_text_list *list, size_t i)
{
    size_t begin = i > 0 ? list->ends[i - 1] : 0;
    return (embedd_text){list->bytes.data ? list->bytes.data + begin : "", list->ends[i] - begin};
}

/* ---- run ------------------------------------------------------------------------------------- */

embedd_status ed_decoder_run(const ed_decoder *decoder, ed_text_list *tokens, ed_buf *out,
                             embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    if (*decoder->unsupported)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "the tokenizer's decoder %s is not supported",
                       decoder->unsupported);
    for (size_t i = 0; i < decoder->n_steps && status == EMBEDD_OK; i++) {
        ed_text_list changed;
        ed_text_list_init(&changed);
        status = decoder->steps[i].run(&decoder->steps[i], tokens, &changed);
        ed_text_list_clear(tokens);
        *tokens = changed;
    }
    for (size_t i = 0; i < tokens->n && status == EMBEDD_OK; i++) {
        embedd_text text = ed_text_list_at(tokens, i);
        if (decoder->missing && i > 0)
            ed_buf_append(out, " ", 1);
        if (!ed_buf_append(out, text.bytes, text.n_bytes))
            status = EMBEDD_MEMORY;
    }
    if (status != EMBEDD_OK)
        ed_fail(err, status,
                status == EMBEDD_LIMIT
                    ? "a regular expression of the decoder takes too long on these tokens"
                    : "decoder: out of memory");
    return status;
}
