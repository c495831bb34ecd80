/* In: valid UTF-8. Out: the same text normalized, as UTF-8. Never recurses.
 *
 * ASCII runs take a table: what the steps make of each ASCII character is asked once, at open. The
 * steps themselves see only the stretches round other characters. A stretch begins at the last
 * ASCII character before, because a mark may combine with it, and ends before a character that
 * combines with nothing. */
#include "tokenizer/normalizer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_normal.h"

#include <json-c/json.h>
#include <string.h>

#define NESTING_MAX       8
#define STRETCH_BYTES     4096 /* a longer one is cut where it can be: scratch stays small */
#define SCRATCH_BYTES_MAX (SIZE_MAX / 4)
#define BYTE_DROPPED      0xFE
#define BYTE_NEEDS_STEPS  0xFF

typedef struct type_row {
    const char *name;
    embedd_status (*read)(ed_normalizer *normalizer, struct json_object *json, const char *where,
                          embedd_error *err);
    ed_normalizer_step steps[2]; /* where no `read` is needed */
} type_row;

static embedd_status read_bert(ed_normalizer *normalizer, struct json_object *json,
                               const char *where, embedd_error *err);
static embedd_status read_bert_gguf(ed_normalizer *normalizer, struct json_object *json,
                                    const char *where, embedd_error *err);

/* Sequence is not here: it is unfolded by ed_normalizer_open. */
static const type_row types[] = {
    {"BertNormalizer", read_bert, {NULL}},
    {"BertNormalizerGGUF", read_bert_gguf, {NULL}}, /* of no tokenizer.json: tokenizer_parts.c */
    {"Lowercase", NULL, {ed_normalizer_lower}},
    {"NFC", NULL, {ed_unicode_decompose, ed_unicode_compose}},
    {"NFD", NULL, {ed_unicode_decompose}},
    {"NFKC", NULL, {ed_unicode_decompose_compat, ed_unicode_compose}},
    {"NFKD", NULL, {ed_unicode_decompose_compat}},
    {"StripAccents", NULL, {ed_normalizer_strip_marks}},
};

static embedd_status read_one(ed_normalizer *normalizer, struct json_object *json,
                              struct json_object **parts, const char *where, embedd_error *err);
static embedd_status add_step(ed_normalizer *normalizer, ed_normalizer_step step, const char *where,
                              embedd_error *err);
static embedd_status ask_ascii(ed_normalizer *normalizer, const char *where, embedd_error *err);
static bool run_steps(const ed_normalizer *normalizer, ed_normalizer_scratch *scratch,
                      embedd_text text);
static size_t stretch_begin(const ed_normalizer *normalizer, embedd_text text, size_t covered,
                            size_t at, ed_buf *out);
static size_t stretch_end(const ed_normalizer *normalizer, embedd_text text, size_t at);

/* ---- open ------------------------------------------------------------------------------------ */

embedd_status ed_normalizer_open(ed_normalizer *normalizer, struct json_object *json,
                                 const char *where, embedd_error *err)
{
    *normalizer = (ed_normalizer){0};
    struct {
        struct json_object *parts;
        size_t next;
    } stack[NESTING_MAX];
    size_t depth = 0;

    struct json_object *parts = NULL;
    embedd_status status = json ? read_one(normalizer, json, &parts, where, err) : EMBEDD_OK;
    while (status == EMBEDD_OK) {
        if (parts) {
            if (depth == NESTING_MAX)
                return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: normalizer: nested too deep", where);
            stack[depth].parts = parts;
            stack[depth++].next = 0;
            parts = NULL;
        }
        while (depth > 0 &&
               stack[depth - 1].next == json_object_array_length(stack[depth - 1].parts))
            depth--;
        if (depth == 0)
            return ask_ascii(normalizer, where, err);
        size_t next = stack[depth - 1].next++;
        status = read_one(normalizer, json_object_array_get_idx(stack[depth - 1].parts, next),
                          &parts, where, err);
    }
    return status;
}

/* Adds the steps of one normalizer; of a Sequence, sets *parts instead. */
static embedd_status read_one(ed_normalizer *normalizer, struct json_object *json,
                              struct json_object **parts, const char *where, embedd_error *err)
{
    const char *type = NULL;
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: normalizer is not an object", where);
    embedd_status status = ed_json_get_string(json, "type", &type, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!type)
        return ed_fail(err, EMBEDD_FORMAT, "%s: normalizer has no type", where);

    if (strcmp(type, "Sequence") == 0) {
        status = ed_json_get_array(json, "normalizers", parts, where, err);
        if (status == EMBEDD_OK && !*parts)
            return ed_fail(err, EMBEDD_FORMAT, "%s: normalizers is missing", where);
        return status;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].name) != 0)
            continue;
        if (types[i].read)
            return types[i].read(normalizer, json, where, err);
        for (size_t j = 0; j < 2 && types[i].steps[j] && status == EMBEDD_OK; j++)
            status = add_step(normalizer, types[i].steps[j], where, err);
        return status;
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: normalizer %.64s is not supported", where, type);
}

static embedd_status read_bert(ed_normalizer *normalizer, struct json_object *json,
                               const char *where, embedd_error *err)
{
    bool clean = true, pad_chinese = true, lower = true;
    embedd_status status = ed_json_get_bool(json, "clean_text", &clean, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "handle_chinese_chars", &pad_chinese, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "lowercase", &lower, where, err);
    bool strip = lower; /* what null, or no such field, means */
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "strip_accents", &strip, where, err);

    if (status == EMBEDD_OK && clean)
        status = add_step(normalizer, ed_normalizer_clean, where, err);
    if (status == EMBEDD_OK && pad_chinese)
        status = add_step(normalizer, ed_normalizer_pad_chinese, where, err);
    if (status == EMBEDD_OK && strip)
        status = add_step(normalizer, ed_unicode_decompose, where, err);
    if (status == EMBEDD_OK && strip)
        status = add_step(normalizer, ed_normalizer_strip_nonspacing, where, err);
    if (status == EMBEDD_OK && lower)
        status = add_step(normalizer, ed_normalizer_lower, where, err);
    return status;
}

static embedd_status read_bert_gguf(ed_normalizer *normalizer, struct json_object *json,
                                    const char *where, embedd_error *err)
{
    bool lower = true, strip = true;
    embedd_status status = ed_json_get_bool(json, "lowercase", &lower, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "strip_accents", &strip, where, err);

    if (status == EMBEDD_OK && strip)
        status = add_step(normalizer, ed_normalizer_keep_bases, where, err);
    if (status == EMBEDD_OK)
        status = add_step(normalizer, ed_normalizer_clean_gguf, where, err);
    if (status == EMBEDD_OK && strip)
        status = add_step(normalizer, ed_normalizer_strip_marks, where, err);
    if (status == EMBEDD_OK && lower)
        status = add_step(normalizer, ed_normalizer_lower_simple, where, err);
    if (status == EMBEDD_OK)
        status = add_step(normalizer, ed_normalizer_pad_chinese, where, err);
    return status;
}

static embedd_status add_step(ed_normalizer *normalizer, ed_normalizer_step step, const char *where,
                              embedd_error *err)
{
    if (normalizer->n_steps == ED_NORMALIZER_STEPS_MAX)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: normalizer has more than %d steps", where,
                       ED_NORMALIZER_STEPS_MAX);
    normalizer->steps[normalizer->n_steps++] = step;
    return EMBEDD_OK;
}

static embedd_status ask_ascii(ed_normalizer *normalizer, const char *where, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;
    ed_normalizer_scratch scratch;
    ed_normalizer_scratch_init(&scratch);
    memset(normalizer->of_byte, BYTE_NEEDS_STEPS, sizeof normalizer->of_byte);
    for (unsigned char byte = 0; byte < 0x80; byte++) {
        embedd_text one = {(const char *)&byte, 1};
        ed_buf_reset(&scratch.text);
        if (!run_steps(normalizer, &scratch, one)) {
            status = ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
            break;
        }
        if (scratch.text.n_bytes == 0)
            normalizer->of_byte[byte] = BYTE_DROPPED;
        else if (scratch.text.n_bytes == 1)
            normalizer->of_byte[byte] = (unsigned char)scratch.text.data[0];
    }
    ed_normalizer_scratch_clear(&scratch);
    return status;
}

/* ---- run ------------------------------------------------------------------------------------- */

void ed_normalizer_scratch_init(ed_normalizer_scratch *scratch)
{
    *scratch = (ed_normalizer_scratch){0};
    ed_buf_init(&scratch->text, SCRATCH_BYTES_MAX);
}

void ed_normalizer_scratch_clear(ed_normalizer_scratch *scratch)
{
    ed_code_points_clear(&scratch->points);
    ed_buf_clear(&scratch->text);
}

bool ed_normalizer_run(const ed_normalizer *normalizer, ed_normalizer_scratch *scratch,
                       embedd_text text, embedd_text *out)
{
    *out = text;
    if (normalizer->n_steps == 0)
        return true;

    ed_buf *buf = &scratch->text;
    ed_buf_reset(buf);
    size_t i = 0, covered = 0; /* covered: end of the last stretch */
    while (i < text.n_bytes) {
        if (!ed_buf_reserve(buf, text.n_bytes - i))
            return false;
        char *to = buf->data + buf->n_bytes;
        for (; i < text.n_bytes; i++) {
            unsigned char byte = normalizer->of_byte[(unsigned char)text.bytes[i]];
            if (byte == BYTE_NEEDS_STEPS)
                break;
            *to = (char)byte; /* written over by the next if this one is dropped */
            to += byte != BYTE_DROPPED;
        }
        buf->n_bytes = (size_t)(to - buf->data);
        if (i == text.n_bytes)
            break;

        size_t begin = stretch_begin(normalizer, text, covered, i, buf);
        i = covered = stretch_end(normalizer, text, i);
        if (!run_steps(normalizer, scratch, (embedd_text){text.bytes + begin, i - begin}))
            return false;
    }
    *out = (embedd_text){buf->data, buf->n_bytes};
    return true;
}

/* The steps on one stretch, its result appended to the scratch's text. */
static bool run_steps(const ed_normalizer *normalizer, ed_normalizer_scratch *scratch,
                      embedd_text text)
{
    if (!ed_code_points_decode(&scratch->points, text))
        return false;
    for (size_t i = 0; i < normalizer->n_steps; i++)
        if (!normalizer->steps[i](&scratch->points))
            return false;
    return ed_code_points_encode(&scratch->points, &scratch->text);
}

/* Where the stretch with the character at `at` begins: at the last character before it that stays.
 * Takes back what was written for it. */
static size_t stretch_begin(const ed_normalizer *normalizer, embedd_text text, size_t covered,
                            size_t at, ed_buf *out)
{
    size_t begin = at;
    while (begin > covered) {
        begin--;
        if (normalizer->of_byte[(unsigned char)text.bytes[begin]] != BYTE_DROPPED) {
            out->n_bytes--;
            break;
        }
    }
    return begin;
}

static size_t stretch_end(const ed_normalizer *normalizer, embedd_text text, size_t at)
{
    size_t i = at;
    while (i < text.n_bytes) {
        size_t n_used;
        uint32_t code_point = ed_utf8_decode(text.bytes + i, text.n_bytes - i, &n_used);
        if (code_point < 0x80) {
            if (normalizer->of_byte[code_point] < 0x80)
                break;
        } else if (i - at >= STRETCH_BYTES) {
            bool combines =
                (code_point >= 0x1160 && code_point <= 0x11FF) || /* Hangul */
                (ed_unicode_flags(code_point) & (ED_UNICODE_CONTROL | ED_UNICODE_MARK_NONSPACING |
                                                 ED_UNICODE_MARK | ED_UNICODE_DECOMPOSES));
            if (!combines)
                break;
        }
        i += n_used;
    }
    return i;
}
