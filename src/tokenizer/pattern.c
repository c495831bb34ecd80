/* In: a pattern and a text. Out: its matches, from left to right. */
#include "tokenizer/pattern.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "formats/json.h"
#include "tokenizer/regex_dialect.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <json-c/json.h>
#include <pcre2.h>
#include <string.h>

#define MATCH_STEPS_MAX 1000000
#define MATCH_KIB_MAX   65536

static embedd_status compile(ed_pattern *pattern, const char *regex, const char *where,
                             embedd_error *err);
static embedd_status next_string(const ed_pattern *pattern, embedd_text text,
                                 ed_pattern_cursor *cursor, size_t *begin, size_t *end);
static bool open_scratch(ed_pattern_scratch *scratch);

embedd_status ed_pattern_open(ed_pattern *pattern, struct json_object *json, const char *where,
                              embedd_error *err)
{
    *pattern = (ed_pattern){0};
    struct json_object *pair = NULL, *string = NULL;
    const char *regex = NULL;
    embedd_status status = ed_json_get_object(json, "pattern", &pair, where, err);
    if (status != EMBEDD_OK)
        return status;
    if (json_object_object_get_ex(pair, "String", &string) &&
        json_object_is_type(string, json_type_string)) {
        pattern->string_bytes = (size_t)json_object_get_string_len(string);
        pattern->string = ed_strndup(json_object_get_string(string), pattern->string_bytes);
        if (!pattern->string)
            return ed_fail(err, EMBEDD_MEMORY, "%s: out of memory", where);
        if (pattern->string_bytes == 0)
            return ed_fail(err, EMBEDD_UNSUPPORTED, "%s: an empty pattern is not supported", where);
        return EMBEDD_OK;
    }
    if (pair)
        status = ed_json_get_string(pair, "Regex", &regex, where, err);
    if (status == EMBEDD_OK && !regex)
        return ed_fail(err, EMBEDD_FORMAT, "%s: pattern is not a String or a Regex", where);
    return status == EMBEDD_OK ? compile(pattern, regex, where, err) : status;
}

static embedd_status compile(ed_pattern *pattern, const char *regex, const char *where,
                             embedd_error *err)
{
    ed_buf translated;
    embedd_status status = ed_regex_translate(regex, &translated, where, err);
    if (status == EMBEDD_OK) {
        int error;
        PCRE2_SIZE offset;
        pattern->code =
            pcre2_compile((PCRE2_SPTR)translated.data, translated.n_bytes,
                          PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                          &offset, NULL);
        if (!pattern->code)
            status = ed_fail(err, EMBEDD_UNSUPPORTED,
                             "%s: the regular expression %.100s is not supported", where, regex);
    }
    ed_buf_clear(&translated);
    return status;
}

void ed_pattern_close(ed_pattern *pattern)
{
    ed_free(pattern->string);
    pcre2_code_free(pattern->code);
    *pattern = (ed_pattern){0};
}

void ed_pattern_scratch_clear(ed_pattern_scratch *scratch)
{
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    *scratch = (ed_pattern_scratch){0};
}

embedd_status ed_pattern_next(const ed_pattern *pattern, ed_pattern_scratch *scratch,
                              embedd_text text, ed_pattern_cursor *cursor, size_t *begin,
                              size_t *end)
{
    if (pattern->string)
        return next_string(pattern, text, cursor, begin, end);
    if (!open_scratch(scratch))
        return EMBEDD_MEMORY;
    *begin = *end = SIZE_MAX;
    while (cursor->from <= text.n_bytes) {
        int found = pcre2_match(pattern->code, (PCRE2_SPTR)text.bytes, text.n_bytes, cursor->from,
                                PCRE2_NO_UTF_CHECK, scratch->data, scratch->context);
        if (found == PCRE2_ERROR_NOMATCH)
            return EMBEDD_OK;
        if (found < 0)
            return found == PCRE2_ERROR_NOMEMORY ? EMBEDD_MEMORY : EMBEDD_LIMIT;
        const PCRE2_SIZE *places = pcre2_get_ovector_pointer(scratch->data);
        if (places[0] > places[1]) /* a look-ahead with \K, refused before */
            return EMBEDD_LIMIT;
        if (places[0] == places[1] && cursor->matched && cursor->last_end == places[1]) {
            size_t n_used = 1;
            if (cursor->from < text.n_bytes)
                ed_utf8_decode(text.bytes + cursor->from, text.n_bytes - cursor->from, &n_used);
            cursor->from += n_used;
            continue;
        }
        *begin = places[0];
        *end = cursor->from = cursor->last_end = places[1];
        cursor->matched = true;
        return EMBEDD_OK;
    }
    return EMBEDD_OK;
}

static embedd_status next_string(const ed_pattern *pattern, embedd_text text,
                                 ed_pattern_cursor *cursor, size_t *begin, size_t *end)
{
    const char *from = text.bytes + cursor->from, *last = text.bytes + text.n_bytes;
    *begin = *end = SIZE_MAX;
    while ((size_t)(last - from) >= pattern->string_bytes) {
        from = memchr(from, pattern->string[0], (size_t)(last - from) - pattern->string_bytes + 1);
        if (!from)
            break;
        if (memcmp(from, pattern->string, pattern->string_bytes) == 0) {
            *begin = (size_t)(from - text.bytes);
            *end = cursor->from = *begin + pattern->string_bytes;
            return EMBEDD_OK;
        }
        from++;
    }
    cursor->from = text.n_bytes;
    return EMBEDD_OK;
}

static bool open_scratch(ed_pattern_scratch *scratch)
{
    if (scratch->data && scratch->context)
        return true;
    ed_pattern_scratch_clear(scratch);
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    if (!scratch->data || !scratch->context)
        return false;
    pcre2_set_match_limit(scratch->context, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(scratch->context, MATCH_KIB_MAX);
    return true;
}

embedd_status ed_pattern_replace(const ed_pattern *pattern, ed_pattern_scratch *scratch,
                                 embedd_text text, embedd_text content, ed_buf *out)
{
    ed_pattern_cursor cursor = {0};
    size_t covered = 0, begin, end;
    for (;;) {
        embedd_status status = ed_pattern_next(pattern, scratch, text, &cursor, &begin, &end);
        if (status != EMBEDD_OK)
            return status;
        if (begin == SIZE_MAX)
            break;
        ed_buf_append(out, text.bytes + covered, begin - covered);
        ed_buf_append(out, content.bytes, content.n_bytes);
        covered = end;
    }
    ed_buf_append(out, text.bytes + covered, text.n_bytes - covered);
    return out->failed ? EMBEDD_MEMORY : EMBEDD_OK;
}
