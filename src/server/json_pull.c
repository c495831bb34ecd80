/* In: the bytes of a body. Out: one event a call. Never allocates, never recurses, never reads past
 * n_bytes. */
#include "server/json_pull.h"

#include "base/utf8.h"

#include <string.h>

enum expected { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END, NOTHING };

static void skip_space(ed_json_pull *pull);
static ed_json_event read_value(ed_json_pull *pull, char first);
static ed_json_event read_key(ed_json_pull *pull);
static ed_json_event open_container(ed_json_pull *pull, bool is_object);
static ed_json_event close_container(ed_json_pull *pull, char last);
static ed_json_event read_word(ed_json_pull *pull, const char *word, ed_json_event event);
static ed_json_event read_number(ed_json_pull *pull);
static size_t skip_digits(ed_json_pull *pull);
static bool read_string(ed_json_pull *pull);
static size_t decode_escape(ed_json_pull *pull, char *out);
static size_t decode_unicode(ed_json_pull *pull, char *out);
static int read_hex4(const ed_json_pull *pull, size_t at);
static void end_value(ed_json_pull *pull);
static ed_json_event fail(ed_json_pull *pull, const char *sentence);

void ed_json_pull_init(ed_json_pull *pull, char *bytes, size_t n_bytes)
{
    *pull = (ed_json_pull){.bytes = bytes, .n_bytes = n_bytes, .expected = VALUE};
    if (n_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        pull->at = 3;
}

ed_json_event ed_json_pull_next(ed_json_pull *pull)
{
    if (pull->error)
        return ED_JSON_ERROR;
    for (;;) {
        skip_space(pull);
        if (pull->at == pull->n_bytes)
            return pull->expected == NOTHING ? ED_JSON_END : fail(pull, "it ends too early");
        char c = pull->bytes[pull->at];
        bool in_object = pull->depth > 0 && (pull->objects >> (pull->depth - 1) & 1);
        switch ((enum expected)pull->expected) {
        case VALUE_OR_END:
            if (c == ']')
                return close_container(pull, c);
            return read_value(pull, c);
        case VALUE:
            return read_value(pull, c);
        case KEY_OR_END:
            if (c == '}')
                return close_container(pull, c);
            return read_key(pull);
        case KEY:
            return read_key(pull);
        case COMMA_OR_END:
            if (c != ',')
                return close_container(pull, c);
            pull->at++;
            pull->expected = in_object ? KEY : VALUE;
            break;
        case NOTHING:
            return fail(pull, "something follows the value");
        }
    }
}

bool ed_json_pull_skip(ed_json_pull *pull, ed_json_event event)
{
    if (event != ED_JSON_OBJECT && event != ED_JSON_ARRAY)
        return event != ED_JSON_ERROR;
    size_t outside = pull->depth - 1;
    while (pull->depth > outside)
        if (ed_json_pull_next(pull) == ED_JSON_ERROR)
            return false;
    return true;
}

static void skip_space(ed_json_pull *pull)
{
    for (; pull->at < pull->n_bytes; pull->at++) {
        char c = pull->bytes[pull->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
    }
}

static ed_json_event read_value(ed_json_pull *pull, char first)
{
    switch (first) {
    case '{':
        return open_container(pull, true);
    case '[':
        return open_container(pull, false);
    case '"':
        if (!read_string(pull))
            return ED_JSON_ERROR;
        end_value(pull);
        return ED_JSON_STRING;
    case 't':
        return read_word(pull, "true", ED_JSON_TRUE);
    case 'f':
        return read_word(pull, "false", ED_JSON_FALSE);
    case 'n':
        return read_word(pull, "null", ED_JSON_NULL);
    default:
        return read_number(pull);
    }
}

static ed_json_event read_key(ed_json_pull *pull)
{
    if (pull->bytes[pull->at] != '"')
        return fail(pull, "a field's name is expected");
    if (!read_string(pull))
        return ED_JSON_ERROR;
    skip_space(pull);
    if (pull->at == pull->n_bytes || pull->bytes[pull->at] != ':')
        return fail(pull, "a colon is expected");
    pull->at++;
    pull->expected = VALUE;
    return ED_JSON_KEY;
}

static ed_json_event open_container(ed_json_pull *pull, bool is_object)
{
    if (pull->depth == ED_JSON_DEPTH_MAX)
        return fail(pull, "it is nested too deeply");
    uint32_t bit = (uint32_t)1 << pull->depth++;
    pull->objects = is_object ? pull->objects | bit : pull->objects & ~bit;
    pull->at++;
    pull->expected = is_object ? KEY_OR_END : VALUE_OR_END;
    return is_object ? ED_JSON_OBJECT : ED_JSON_ARRAY;
}

static ed_json_event close_container(ed_json_pull *pull, char last)
{
    bool is_object = pull->objects >> (pull->depth - 1) & 1;
    if (last != (is_object ? '}' : ']'))
        return fail(pull, is_object ? "a comma or } is expected" : "a comma or ] is expected");
    pull->at++;
    pull->depth--;
    end_value(pull);
    return is_object ? ED_JSON_OBJECT_END : ED_JSON_ARRAY_END;
}

static ed_json_event read_word(ed_json_pull *pull, const char *word, ed_json_event event)
{
    size_t n_word = strlen(word);
    if (pull->n_bytes - pull->at < n_word || memcmp(pull->bytes + pull->at, word, n_word) != 0)
        return fail(pull, "a value is expected");
    pull->at += n_word;
    end_value(pull);
    return event;
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static ed_json_event read_number(ed_json_pull *pull)
{
    size_t begin = pull->at;
    if (pull->bytes[pull->at] == '-')
        pull->at++;
    bool zero = pull->at < pull->n_bytes && pull->bytes[pull->at] == '0';
    size_t n_whole = skip_digits(pull);
    if (n_whole == 0 || (zero && n_whole > 1)) {
        pull->at = begin;
        return fail(pull, "a value is expected");
    }
    if (pull->at < pull->n_bytes && pull->bytes[pull->at] == '.') {
        pull->at++;
        if (skip_digits(pull) == 0)
            return fail(pull, "a digit is expected");
    }
    if (pull->at < pull->n_bytes &&
        (pull->bytes[pull->at] == 'e' || pull->bytes[pull->at] == 'E')) {
        pull->at++;
        if (pull->at < pull->n_bytes &&
            (pull->bytes[pull->at] == '+' || pull->bytes[pull->at] == '-'))
            pull->at++;
        if (skip_digits(pull) == 0)
            return fail(pull, "a digit is expected");
    }
    pull->text = (embedd_text){pull->bytes + begin, pull->at - begin};
    end_value(pull);
    return ED_JSON_NUMBER;
}

static size_t skip_digits(ed_json_pull *pull)
{
    size_t begin = pull->at;
    while (pull->at < pull->n_bytes && pull->bytes[pull->at] >= '0' && pull->bytes[pull->at] <= '9')
        pull->at++;
    return pull->at - begin;
}

/* From the opening quote to behind the closing one. What is decoded is written over what was read:
 * an escape of 2, 6 or 12 bytes gives at most 1, 3 or 4. */
static bool read_string(ed_json_pull *pull)
{
    char *begin = pull->bytes + ++pull->at;
    char *out = begin;
    while (pull->at < pull->n_bytes) {
        const char *plain = pull->bytes + pull->at;
        size_t n_left = pull->n_bytes - pull->at, n = 0;
        while (n < n_left && plain[n] != '"' && plain[n] != '\\' && (unsigned char)plain[n] >= ' ')
            n++;
        if (out != plain)
            memmove(out, plain, n);
        out += n;
        pull->at += n;
        if (n == n_left)
            break;
        if (plain[n] == '"') {
            pull->at++;
            pull->text = (embedd_text){begin, (size_t)(out - begin)};
            return true;
        }
        if (plain[n] != '\\') {
            fail(pull, "a control character in a string is not escaped");
            return false;
        }
        size_t n_decoded = decode_escape(pull, out);
        if (n_decoded == 0) {
            fail(pull, "there is no such escape");
            return false;
        }
        out += n_decoded;
    }
    fail(pull, "a string does not end");
    return false;
}

/* At a backslash; bytes written, 0 = not an escape. */
static size_t decode_escape(ed_json_pull *pull, char *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (pull->n_bytes - pull->at < 2)
        return 0;
    char name = pull->bytes[pull->at + 1];
    if (name == 'u')
        return decode_unicode(pull, out);
    const char *found = name ? strchr(names, name) : NULL;
    if (!found)
        return 0;
    *out = values[found - names];
    pull->at += 2;
    return 1;
}

/* Text cut between the halves of a pair by its UTF-16 index has a lone surrogate at its end. That
 * is no reason to lose the whole request. */
static size_t decode_unicode(ed_json_pull *pull, char *out)
{
    int unit = read_hex4(pull, pull->at + 2);
    if (unit < 0)
        return 0;
    pull->at += 6;
    uint32_t code_point = (uint32_t)unit;
    if (unit >= 0xd800 && unit <= 0xdbff && pull->n_bytes - pull->at >= 6 &&
        pull->bytes[pull->at] == '\\' && pull->bytes[pull->at + 1] == 'u') {
        int low = read_hex4(pull, pull->at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            pull->at += 6;
            code_point = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        }
    }
    if (code_point >= 0xd800 && code_point <= 0xdfff)
        code_point = 0xfffd;
    return ed_utf8_encode(code_point, out);
}

static int read_hex4(const ed_json_pull *pull, size_t at)
{
    int value = 0;
    if (at + 4 > pull->n_bytes)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char c = pull->bytes[at + i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static void end_value(ed_json_pull *pull)
{
    pull->expected = pull->depth > 0 ? COMMA_OR_END : NOTHING;
}

static ed_json_event fail(ed_json_pull *pull, const char *sentence)
{
    pull->error = sentence;
    return ED_JSON_ERROR;
}
