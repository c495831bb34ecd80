/* In: the "normalizer" of tokenizer.json; then valid UTF-8. Out: its passes; then the same text
 * after them. Never recurses. */
#include "tokenizer/normalizer.h"

#include "base/error.h"
#include "formats/json.h"
#include "tokenizer/unicode_normal.h"

#include <json-c/json.h>
#include <string.h>

#define NESTING_MAX       8
#define SCRATCH_BYTES_MAX (SIZE_MAX / 4)

typedef struct type_row {
    const char *name;
    embedd_status (*read)(ed_normalizer *normalizer, struct json_object *json, const char *where,
                          embedd_error *err);
    ed_character_step steps[2]; /* where no `read` is needed */
} type_row;

static embedd_status read_bert(ed_normalizer *normalizer, struct json_object *json,
                               const char *where, embedd_error *err);
static embedd_status read_bert_gguf(ed_normalizer *normalizer, struct json_object *json,
                                    const char *where, embedd_error *err);
static embedd_status read_precompiled(ed_normalizer *normalizer, struct json_object *json,
                                      const char *where, embedd_error *err);
static embedd_status read_precompiled_gguf(ed_normalizer *normalizer, struct json_object *json,
                                           const char *where, embedd_error *err);
static embedd_status read_replace(ed_normalizer *normalizer, struct json_object *json,
                                  const char *where, embedd_error *err);
static embedd_status read_prepend(ed_normalizer *normalizer, struct json_object *json,
                                  const char *where, embedd_error *err);
static embedd_status read_strip(ed_normalizer *normalizer, struct json_object *json,
                                const char *where, embedd_error *err);
static embedd_status read_byte_level(ed_normalizer *normalizer, struct json_object *json,
                                     const char *where, embedd_error *err);

/* Sequence is not here: it is unfolded by read_all. */
static const type_row types[] = {
    {"BertNormalizer", read_bert, {NULL}},
    {"BertNormalizerGGUF", read_bert_gguf, {NULL}}, /* of no tokenizer.json: tokenizer_parts.c */
    {"ByteLevel", read_byte_level, {NULL}},
    {"Lowercase", NULL, {ed_character_lower}},
    {"NFC", NULL, {ed_unicode_decompose, ed_unicode_compose}},
    {"NFD", NULL, {ed_unicode_decompose}},
    {"NFKC", NULL, {ed_unicode_decompose_compat, ed_unicode_compose}},
    {"NFKD", NULL, {ed_unicode_decompose_compat}},
    {"Nmt", NULL, {ed_character_nmt}},
    {"Precompiled", read_precompiled, {NULL}},
    {"PrecompiledGGUF", read_precompiled_gguf, {NULL}}, /* likewise */
    {"Prepend", read_prepend, {NULL}},
    {"Replace", read_replace, {NULL}},
    {"Strip", read_strip, {NULL}},
    {"StripAccents", NULL, {ed_character_strip_marks}},
};

static bool has_lowercase(struct json_object *json);
static embedd_status read_all(ed_normalizer *normalizer, struct json_object *json,
                              const char *where, embedd_error *err);
static embedd_status read_one(ed_normalizer *normalizer, struct json_object *json,
                              struct json_object **parts, const char *where, embedd_error *err);
static embedd_status add_step(ed_normalizer *normalizer, ed_character_step step, const char *where,
                              embedd_error *err);
static ed_normalizer_pass *add_pass(ed_normalizer *normalizer, const char *where,
                                    embedd_error *err);
static embedd_status finish_characters(ed_normalizer *normalizer, const char *where,
                                       embedd_error *err);

/* ---- open ------------------------------------------------------------------------------------ */

embedd_status ed_normalizer_open(ed_normalizer *normalizer, struct json_object *json,
                                 bool lower_case, const char *where, embedd_error *err)
{
    *normalizer = (ed_normalizer){0};
    embedd_status status = EMBEDD_OK;
    if (lower_case && !has_lowercase(json))
        status = add_step(normalizer, ed_character_lower, where, err);
    if (status == EMBEDD_OK)
        status = read_all(normalizer, json, where, err);
    return status == EMBEDD_OK ? finish_characters(normalizer, where, err) : status;
}

static bool is_type(struct json_object *json, const char *type)
{
    const char *own = json_object_is_type(json, json_type_object)
                          ? json_object_get_string(json_object_object_get(json, "type"))
                          : NULL;
    return own && strcmp(own, type) == 0;
}

static bool has_lowercase(struct json_object *json)
{
    struct json_object *parts =
        is_type(json, "Sequence") ? json_object_object_get(json, "normalizers") : NULL;
    size_t n_parts =
        json_object_is_type(parts, json_type_array) ? json_object_array_length(parts) : 0;
    for (size_t i = 0; i < n_parts; i++)
        if (is_type(json_object_array_get_idx(parts, i), "Lowercase"))
            return true;
    return is_type(json, "Lowercase");
}

/* A Sequence is its parts, one after the other. */
static embedd_status read_all(ed_normalizer *normalizer, struct json_object *json,
                              const char *where, embedd_error *err)
{
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
            break;
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
        status = add_step(normalizer, ed_character_clean, where, err);
    if (status == EMBEDD_OK && pad_chinese)
        status = add_step(normalizer, ed_character_pad_chinese, where, err);
    if (status == EMBEDD_OK && strip)
        status = add_step(normalizer, ed_unicode_decompose, where, err);
    if (status == EMBEDD_OK && strip)
        status = add_step(normalizer, ed_character_strip_nonspacing, where, err);
    if (status == EMBEDD_OK && lower)
        status = add_step(normalizer, ed_character_lower, where, err);
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
        status = add_step(normalizer, ed_character_keep_bases, where, err);
    if (status == EMBEDD_OK)
        status = add_step(normalizer, ed_character_clean_gguf, where, err);
    if (status == EMBEDD_OK && strip)
        status = add_step(normalizer, ed_character_strip_marks, where, err);
    if (status == EMBEDD_OK && lower)
        status = add_step(normalizer, ed_character_lower_simple, where, err);
    if (status == EMBEDD_OK)
        status = add_step(normalizer, ed_character_pad_chinese, where, err);
    return status;
}

/* Steps on characters share a pass with those before them. */
static embedd_status add_step(ed_normalizer *normalizer, ed_character_step step, const char *where,
                              embedd_error *err)
{
    size_t n = normalizer->n_passes;
    ed_normalizer_pass *pass =
        n > 0 && normalizer->passes[n - 1].run == ed_normalizer_run_characters
            ? &normalizer->passes[n - 1]
            : add_pass(normalizer, where, err);
    if (!pass)
        return EMBEDD_MEMORY;
    pass->run = ed_normalizer_run_characters;
    ed_character_pass *characters = &pass->characters;
    if (characters->n_steps == ED_CHARACTER_STEPS_MAX)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: normalizer has more than %d steps", where,
                       ED_CHARACTER_STEPS_MAX);
    characters->steps[characters->n_steps++] = step;
    pass->keeps_begin = (characters->n_steps == 1 || pass->keeps_begin) &&
                        (step == ed_character_lower || step == ed_unicode_decompose ||
                         step == ed_unicode_decompose_compat || step == ed_unicode_compose);
    return EMBEDD_OK;
}

static embedd_status read_precompiled(ed_normalizer *normalizer, struct json_object *json,
                                      const char *where, embedd_error *err)
{
    const char *map = NULL;
    embedd_status status = ed_json_get_string(json, "precompiled_charsmap", &map, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!map)
        return ed_fail(err, EMBEDD_FORMAT, "%s: precompiled_charsmap is missing", where);
    ed_normalizer_pass *pass = add_pass(normalizer, where, err);
    if (!pass)
        return EMBEDD_MEMORY;
    pass->run = ed_normalizer_run_charsmap;
    pass->keeps_begin = true;
    return ed_charsmap_open(&pass->charsmap, map, strlen(map), where, err);
}

static embedd_status read_precompiled_gguf(ed_normalizer *normalizer, struct json_object *json,
                                           const char *where, embedd_error *err)
{
    embedd_status status = read_precompiled(normalizer, json, where, err);
    if (status == EMBEDD_OK)
        normalizer->passes[normalizer->n_passes - 1].charsmap.longest = true;
    return status;
}

static embedd_status read_content(ed_normalizer_pass *pass, struct json_object *json,
                                  const char *field, const char *where, embedd_error *err)
{
    struct json_object *content = NULL;
    if (!json_object_object_get_ex(json, field, &content) ||
        !json_object_is_type(content, json_type_string))
        return ed_fail(err, EMBEDD_FORMAT, "%s: %s is not a string", where, field);
    pass->content_bytes = (size_t)json_object_get_string_len(content);
    pass->content = ed_strndup(json_object_get_string(content), pass->content_bytes);
    return pass->content ? EMBEDD_OK : ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
}

static embedd_status read_replace(ed_normalizer *normalizer, struct json_object *json,
                                  const char *where, embedd_error *err)
{
    ed_normalizer_pass *pass = add_pass(normalizer, where, err);
    if (!pass)
        return EMBEDD_MEMORY;
    pass->run = ed_normalizer_run_replace;
    embedd_status status = read_content(pass, json, "content", where, err);
    return status == EMBEDD_OK ? ed_pattern_open(&pass->pattern, json, where, err) : status;
}

static embedd_status read_prepend(ed_normalizer *normalizer, struct json_object *json,
                                  const char *where, embedd_error *err)
{
    ed_normalizer_pass *pass = add_pass(normalizer, where, err);
    if (!pass)
        return EMBEDD_MEMORY;
    pass->run = ed_normalizer_run_prepend;
    return read_content(pass, json, "prepend", where, err);
}

static embedd_status read_strip(ed_normalizer *normalizer, struct json_object *json,
                                const char *where, embedd_error *err)
{
    ed_normalizer_pass *pass = add_pass(normalizer, where, err);
    if (!pass)
        return EMBEDD_MEMORY;
    pass->run = ed_normalizer_run_strip;
    embedd_status status = ed_json_get_bool(json, "strip_left", &pass->strip_left, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "strip_right", &pass->strip_right, where, err);
    return status;
}

static embedd_status read_byte_level(ed_normalizer *normalizer, struct json_object *json,
                                     const char *where, embedd_error *err)
{
    (void)json;
    ed_normalizer_pass *pass = add_pass(normalizer, where, err);
    if (!pass)
        return EMBEDD_MEMORY;
    pass->run = ed_normalizer_run_byte_level;
    pass->keeps_begin = true;
    return EMBEDD_OK;
}

/* Zeroed; NULL, and err filled, if there is no room. */
static ed_normalizer_pass *add_pass(ed_normalizer *normalizer, const char *where, embedd_error *err)
{
    if (!normalizer->passes)
        normalizer->passes = ed_calloc(ED_NORMALIZER_PASSES_MAX, sizeof *normalizer->passes);
    if (!normalizer->passes || normalizer->n_passes == ED_NORMALIZER_PASSES_MAX) {
        ed_fail(err, EMBEDD_MEMORY, "%s: no room for more than %d normalizers", where,
                ED_NORMALIZER_PASSES_MAX);
        return NULL;
    }
    return &normalizer->passes[normalizer->n_passes++];
}

static embedd_status finish_characters(ed_normalizer *normalizer, const char *where,
                                       embedd_error *err)
{
    for (size_t i = 0; i < normalizer->n_passes; i++)
        if (normalizer->passes[i].run == ed_normalizer_run_characters &&
            !ed_character_pass_finish(&normalizer->passes[i].characters))
            return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    return EMBEDD_OK;
}

void ed_normalizer_close(ed_normalizer *normalizer)
{
    for (size_t i = 0; i < normalizer->n_passes; i++) {
        ed_charsmap_close(&normalizer->passes[i].charsmap);
        ed_pattern_close(&normalizer->passes[i].pattern);
        ed_free(normalizer->passes[i].content);
    }
    ed_free(normalizer->passes);
    *normalizer = (ed_normalizer){0};
}

/* ---- run ------------------------------------------------------------------------------------- */

void ed_normalizer_scratch_init(ed_normalizer_scratch *scratch)
{
    *scratch = (ed_normalizer_scratch){0};
    ed_buf_init(&scratch->text, SCRATCH_BYTES_MAX);
    ed_buf_init(&scratch->spare, SCRATCH_BYTES_MAX);
}

void ed_normalizer_scratch_clear(ed_normalizer_scratch *scratch)
{
    ed_code_points_clear(&scratch->points);
    ed_buf_clear(&scratch->text);
    ed_buf_clear(&scratch->spare);
    ed_pattern_scratch_clear(&scratch->pattern);
}

embedd_status ed_normalizer_run(const ed_normalizer *normalizer, ed_normalizer_scratch *scratch,
                                embedd_text text, embedd_text *out)
{
    *out = text;
    for (size_t i = 0; i < normalizer->n_passes; i++) {
        const ed_normalizer_pass *pass = &normalizer->passes[i];
        ed_buf *buf = i % 2 == 0 ? &scratch->text : &scratch->spare;
        ed_buf_reset(buf);
        embedd_status status = pass->run(pass, scratch, *out, buf);
        if (status != EMBEDD_OK)
            return status;
        *out = (embedd_text){buf->data ? buf->data : "", buf->n_bytes};
    }
    return EMBEDD_OK;
}
