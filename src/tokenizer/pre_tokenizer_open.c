/* In: the "pre_tokenizer" of tokenizer.json. Out: its steps. Never recurses. */
#include "base/error.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/unicode_class.h"

#include <json-c/json.h>
#include <string.h>

#define NESTING_MAX 8

typedef embedd_status (*read_function)(ed_pre_tokenizer *pre, struct json_object *json,
                                       const char *where, embedd_error *err);

static embedd_status read_one(ed_pre_tokenizer *pre, struct json_object *json,
                              struct json_object **parts, const char *where, embedd_error *err);
static embedd_status read_bert(ed_pre_tokenizer *pre, struct json_object *json, const char *where,
                               embedd_error *err);
static embedd_status read_byte_level(ed_pre_tokenizer *pre, struct json_object *json,
                                     const char *where, embedd_error *err);
static embedd_status read_digits(ed_pre_tokenizer *pre, struct json_object *json, const char *where,
                                 embedd_error *err);
static embedd_status read_metaspace(ed_pre_tokenizer *pre, struct json_object *json,
                                    const char *where, embedd_error *err);
static embedd_status read_punctuation(ed_pre_tokenizer *pre, struct json_object *json,
                                      const char *where, embedd_error *err);
static embedd_status read_split(ed_pre_tokenizer *pre, struct json_object *json, const char *where,
                                embedd_error *err);
static embedd_status read_whitespace(ed_pre_tokenizer *pre, struct json_object *json,
                                     const char *where, embedd_error *err);
static embedd_status read_whitespace_split(ed_pre_tokenizer *pre, struct json_object *json,
                                           const char *where, embedd_error *err);
static ed_pre_step *add_step(ed_pre_tokenizer *pre, const char *where, embedd_error *err);

/* Sequence is not here: it is unfolded by ed_pre_tokenizer_open. */
static const struct {
    const char *name;
    read_function read;
} types[] = {
    {"BertPreTokenizer", read_bert},   {"ByteLevel", read_byte_level},
    {"Digits", read_digits},           {"Metaspace", read_metaspace},
    {"Punctuation", read_punctuation}, {"Split", read_split},
    {"Whitespace", read_whitespace},   {"WhitespaceSplit", read_whitespace_split},
};

embedd_status ed_pre_tokenizer_open(ed_pre_tokenizer *pre, struct json_object *json,
                                    const char *where, embedd_error *err)
{
    *pre = (ed_pre_tokenizer){0};
    struct {
        struct json_object *parts;
        size_t next;
    } stack[NESTING_MAX];
    size_t depth = 0;

    struct json_object *parts = NULL;
    embedd_status status = json ? read_one(pre, json, &parts, where, err) : EMBEDD_OK;
    while (status == EMBEDD_OK) {
        if (parts) {
            if (depth == NESTING_MAX)
                return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: pre_tokenizer: nested too deep",
                               where);
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
        status = read_one(pre, json_object_array_get_idx(stack[depth - 1].parts, next), &parts,
                          where, err);
    }
    return status;
}

void ed_pre_tokenizer_close(ed_pre_tokenizer *pre)
{
    for (size_t i = 0; i < pre->n_steps; i++) {
        if (pre->steps[i].pattern)
            ed_pattern_close(pre->steps[i].pattern);
        ed_free(pre->steps[i].pattern);
    }
    ed_free(pre->steps);
    *pre = (ed_pre_tokenizer){0};
}

/* Adds the steps of one pre-tokenizer; of a Sequence, sets *parts instead. */
static embedd_status read_one(ed_pre_tokenizer *pre, struct json_object *json,
                              struct json_object **parts, const char *where, embedd_error *err)
{
    const char *type = NULL;
    if (!json_object_is_type(json, json_type_object))
        return ed_fail(err, EMBEDD_FORMAT, "%s: pre_tokenizer is not an object", where);
    embedd_status status = ed_json_get_string(json, "type", &type, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (!type)
        return ed_fail(err, EMBEDD_FORMAT, "%s: pre_tokenizer has no type", where);
    if (strcmp(type, "Sequence") == 0) {
        status = ed_json_get_array(json, "pretokenizers", parts, where, err);
        if (status == EMBEDD_OK && !*parts)
            return ed_fail(err, EMBEDD_FORMAT, "%s: pretokenizers is missing", where);
        return status;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i].name) == 0)
            return types[i].read(pre, json, where, err);
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: pre_tokenizer %.64s is not supported", where,
                   type);
}

/* Zeroed; NULL, and err filled, if there is no room. */
static ed_pre_step *add_step(ed_pre_tokenizer *pre, const char *where, embedd_error *err)
{
    if (!pre->steps)
        pre->steps = ed_calloc(ED_PRE_STEPS_MAX, sizeof *pre->steps);
    if (!pre->steps || pre->n_steps == ED_PRE_STEPS_MAX) {
        ed_fail(err, EMBEDD_MEMORY, "%s: no room for more than %d steps of pre_tokenizer", where,
                ED_PRE_STEPS_MAX);
        return NULL;
    }
    return &pre->steps[pre->n_steps++];
}

/* Cuts where characters have one of the flags, each of them a match. */
static embedd_status add_flagged(ed_pre_tokenizer *pre, unsigned flags, ed_split_behavior behavior,
                                 const char *where, embedd_error *err)
{
    ed_pre_step *step = add_step(pre, where, err);
    if (!step)
        return EMBEDD_MEMORY;
    step->find = ed_find_flagged;
    step->flags = (uint16_t)flags;
    step->behavior = behavior;
    return EMBEDD_OK;
}

static embedd_status read_behavior(struct json_object *json, ed_split_behavior *out,
                                   const char *where, embedd_error *err)
{
    static const char *const names[] = {"Isolated", "Removed", "Contiguous", "MergedWithPrevious",
                                        "MergedWithNext"};
    const char *name = NULL;
    embedd_status status = ed_json_get_string(json, "behavior", &name, where, err);
    if (status != EMBEDD_OK || !name)
        return status;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (ed_split_behavior)i;
            return EMBEDD_OK;
        }
    }
    return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: behavior %.64s is not supported", where, name);
}

static embedd_status read_bert(ed_pre_tokenizer *pre, struct json_object *json, const char *where,
                               embedd_error *err)
{
    (void)json;
    ed_pre_step *step = add_step(pre, where, err);
    if (!step)
        return EMBEDD_MEMORY;
    step->next_words = ed_next_words_bert;
    return EMBEDD_OK;
}

static embedd_status read_byte_level(ed_pre_tokenizer *pre, struct json_object *json,
                                     const char *where, embedd_error *err)
{
    bool prefix_space = false, use_regex = true;
    embedd_status status = ed_json_get_bool(json, "add_prefix_space", &prefix_space, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "use_regex", &use_regex, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (prefix_space) {
        ed_pre_step *step = add_step(pre, where, err);
        if (!step)
            return EMBEDD_MEMORY;
        step->rewrite = ed_rewrite_prefix_space;
    }
    if (use_regex) {
        ed_pre_step *step = add_step(pre, where, err);
        if (!step)
            return EMBEDD_MEMORY;
        step->find = ed_find_gpt2;
    }
    ed_pre_step *step = add_step(pre, where, err);
    if (!step)
        return EMBEDD_MEMORY;
    step->rewrite = ed_rewrite_bytes;
    return EMBEDD_OK;
}

static embedd_status read_digits(ed_pre_tokenizer *pre, struct json_object *json, const char *where,
                                 embedd_error *err)
{
    bool each = false;
    embedd_status status = ed_json_get_bool(json, "individual_digits", &each, where, err);
    if (status != EMBEDD_OK)
        return status;
    return add_flagged(pre, ED_UNICODE_NUMERIC, each ? ED_SPLIT_ISOLATED : ED_SPLIT_CONTIGUOUS,
                       where, err);
}

static embedd_status read_punctuation(ed_pre_tokenizer *pre, struct json_object *json,
                                      const char *where, embedd_error *err)
{
    ed_split_behavior behavior = ED_SPLIT_ISOLATED;
    embedd_status status = read_behavior(json, &behavior, where, err);
    if (status != EMBEDD_OK)
        return status;
    return add_flagged(pre, ED_UNICODE_PUNCTUATION, behavior, where, err);
}

static embedd_status read_whitespace_split(ed_pre_tokenizer *pre, struct json_object *json,
                                           const char *where, embedd_error *err)
{
    (void)json;
    return add_flagged(pre, ED_UNICODE_SPACE, ED_SPLIT_REMOVED, where, err);
}

static embedd_status read_whitespace(ed_pre_tokenizer *pre, struct json_object *json,
                                     const char *where, embedd_error *err)
{
    (void)json;
    ed_pre_step *step = add_step(pre, where, err);
    if (!step)
        return EMBEDD_MEMORY;
    step->find = ed_find_word_run;
    step->behavior = ED_SPLIT_REMOVED;
    step->invert = true;
    return EMBEDD_OK;
}

/* Of old files, add_prefix_space; of later ones, prepend_scheme, which may not contradict it. */
static embedd_status read_scheme(struct json_object *json, bool *always, bool *first,
                                 const char *where, embedd_error *err)
{
    const char *scheme = NULL;
    bool prefix_space = true;
    embedd_status status = ed_json_get_string(json, "prepend_scheme", &scheme, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "add_prefix_space", &prefix_space, where, err);
    if (status != EMBEDD_OK)
        return status;
    *always = scheme ? strcmp(scheme, "always") == 0 : prefix_space;
    *first = scheme && strcmp(scheme, "first") == 0;
    bool never = scheme ? strcmp(scheme, "never") == 0 : !prefix_space;
    if (!*always && !*first && !never)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: prepend_scheme %.64s is not supported", where,
                       scheme);
    if (!prefix_space && !never)
        return ed_fail(err, EMBEDD_FORMAT, "%s: add_prefix_space contradicts prepend_scheme",
                       where);
    return EMBEDD_OK;
}

static embedd_status read_metaspace(ed_pre_tokenizer *pre, struct json_object *json,
                                    const char *where, embedd_error *err)
{
    const char *mark = NULL;
    ed_pre_step parsed = {.rewrite = ed_rewrite_metaspace};
    bool split = true;
    embedd_status status = ed_json_get_string(json, "replacement", &mark, where, err);
    if (status == EMBEDD_OK)
        status = read_scheme(json, &parsed.prepend, &parsed.prepend_first, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "split", &split, where, err);
    if (status != EMBEDD_OK)
        return status;
    size_t mark_bytes = mark ? strlen(mark) : 0;
    if (mark_bytes > 0)
        ed_utf8_decode(mark, mark_bytes, &parsed.mark_bytes);
    if (mark_bytes == 0 || parsed.mark_bytes != mark_bytes)
        return ed_fail(err, EMBEDD_FORMAT, "%s: replacement is not a character", where);
    memcpy(parsed.mark, mark, mark_bytes);
    pre->asks_begin = pre->asks_begin || parsed.prepend_first;

    ed_pre_step *step = add_step(pre, where, err);
    if (!step)
        return EMBEDD_MEMORY;
    *step = parsed;
    if (!split)
        return EMBEDD_OK;
    step = add_step(pre, where, err);
    if (!step)
        return EMBEDD_MEMORY;
    *step = parsed;
    step->rewrite = NULL;
    step->find = ed_find_mark;
    step->behavior = ED_SPLIT_WITH_NEXT;
    return EMBEDD_OK;
}

static embedd_status read_split(ed_pre_tokenizer *pre, struct json_object *json, const char *where,
                                embedd_error *err)
{
    ed_pre_step *step = add_step(pre, where, err);
    struct json_object *pattern = NULL;
    const char *regex = NULL;
    if (!step)
        return EMBEDD_MEMORY;
    embedd_status status = read_behavior(json, &step->behavior, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_bool(json, "invert", &step->invert, where, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_object(json, "pattern", &pattern, where, err);
    if (status == EMBEDD_OK && pattern)
        status = ed_json_get_string(pattern, "Regex", &regex, where, err);
    if (status != EMBEDD_OK || (regex && ed_known_pattern(step, regex)))
        return status;
    step->pattern = ed_calloc(1, sizeof *step->pattern);
    if (!step->pattern)
        return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
    return ed_pattern_open(step->pattern, json, where, err);
}
