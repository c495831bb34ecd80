/* In: bytes that claim to be JSON. Out: tokens, slices of those bytes. Never allocates, never
 * recurses, never accepts what RFC 8259 does not. */
#include "formats/json_reader.h"

#include "base/checked.h"
#include "base/utf8.h"

#include <assert.h>
#include <string.h>

static_assert(ED_JSON_DEPTH_MAX <= 64, "in_object has one bit for each depth");

/* What may come next. */
enum {
    VALUE,
    VALUE_OR_ARRAY_END,
    KEY,
    KEY_OR_OBJECT_END,
    COMMA_OR_END, /* after a value in a container */
    NOTHING,      /* after the whole value */
    FAILED
};

static ed_json_token fail(ed_json_reader *reader, size_t at, const char *reason);
static ed_json_token read_value(ed_json_reader *reader);
static ed_json_token read_key(ed_json_reader *reader);
static ed_json_token open_container(ed_json_reader *reader, bool object);
static ed_json_token close_container(ed_json_reader *reader);
static void value_done(ed_json_reader *reader);
static ed_json_token read_string(ed_json_reader *reader, ed_json_token token);
static size_t escape_bytes(const char *text, size_t n_bytes);
static ed_json_token read_number(ed_json_reader *reader);
static ed_json_token read_word(ed_json_reader *reader, const char *word, ed_json_token token);
static void skip_space(ed_json_reader *reader);

void ed_json_reader_init(ed_json_reader *reader, const char *text, size_t n_bytes)
{
    *reader = (ed_json_reader){.text = text, .n_bytes = n_bytes, .expected = VALUE};
}

/* The next byte, or NUL at the end: NUL is legal nowhere in JSON, so one test serves both. */
static char peek(const ed_json_reader *reader)
{
    return reader->at < reader->n_bytes ? reader->text[reader->at] : '\0';
}

ed_json_token ed_json_next(ed_json_reader *reader)
{
    if (reader->expected == FAILED)
        return ED_JSON_ERROR;
    skip_space(reader);
    char next = peek(reader);

    if (reader->expected == NOTHING)
        return reader->at == reader->n_bytes
                   ? ED_JSON_END
                   : fail(reader, reader->at, "something follows the value");
    if (reader->expected == COMMA_OR_END && reader->at < reader->n_bytes) {
        bool object = reader->in_object >> (reader->depth - 1) & 1;
        if (next == (object ? '}' : ']'))
            return close_container(reader);
        if (next != ',')
            return fail(reader, reader->at,
                        object ? "',' or '}' is missing" : "',' or ']' is missing");
        reader->at++;
        skip_space(reader);
        reader->expected = object ? KEY : VALUE;
        next = peek(reader);
    }
    if (reader->at == reader->n_bytes)
        return fail(reader, reader->at, "the text ends in the middle of a value");

    if (reader->expected == KEY_OR_OBJECT_END && next == '}')
        return close_container(reader);
    if (reader->expected == VALUE_OR_ARRAY_END && next == ']')
        return close_container(reader);
    if (reader->expected == KEY || reader->expected == KEY_OR_OBJECT_END)
        return read_key(reader);
    return read_value(reader);
}

bool ed_json_skip(ed_json_reader *reader, ed_json_token token)
{
    unsigned depth = reader->depth;
    if (token == ED_JSON_OBJECT || token == ED_JSON_ARRAY)
        depth--;
    while (token != ED_JSON_ERROR && reader->depth > depth)
        token = ed_json_next(reader);
    return token != ED_JSON_ERROR;
}

static ed_json_token fail(ed_json_reader *reader, size_t at, const char *reason)
{
    reader->at = at;
    reader->reason = reason;
    reader->expected = FAILED;
    return ED_JSON_ERROR;
}

static ed_json_token read_value(ed_json_reader *reader)
{
    switch (peek(reader)) {
    case '{':
        return open_container(reader, true);
    case '[':
        return open_container(reader, false);
    case '"':
        return read_string(reader, ED_JSON_STRING);
    case 't':
        return read_word(reader, "true", ED_JSON_TRUE);
    case 'f':
        return read_word(reader, "false", ED_JSON_FALSE);
    case 'n':
        return read_word(reader, "null", ED_JSON_NULL);
    default:
        return read_number(reader);
    }
}

static ed_json_token read_key(ed_json_reader *reader)
{
    if (peek(reader) != '"')
        return fail(reader, reader->at, "a field name in quotes is missing");
    if (read_string(reader, ED_JSON_KEY) == ED_JSON_ERROR)
        return ED_JSON_ERROR;
    skip_space(reader);
    if (peek(reader) != ':')
        return fail(reader, reader->at, "':' is missing");
    reader->at++;
    reader->expected = VALUE;
    return ED_JSON_KEY;
}

static ed_json_token open_container(ed_json_reader *reader, bool object)
{
    if (reader->depth == ED_JSON_DEPTH_MAX)
        return fail(reader, reader->at, "nested too deeply");
    uint64_t bit = UINT64_C(1) << reader->depth;
    reader->in_object = object ? reader->in_object | bit : reader->in_object & ~bit;
    reader->depth++;
    reader->at++;
    reader->expected = object ? KEY_OR_OBJECT_END : VALUE_OR_ARRAY_END;
    return object ? ED_JSON_OBJECT : ED_JSON_ARRAY;
}

static ed_json_token close_container(ed_json_reader *reader)
{
    reader->depth--;
    reader->at++;
    value_done(reader);
    return reader->in_object >> reader->depth & 1 ? ED_JSON_OBJECT_END : ED_JSON_ARRAY_END;
}

static void value_done(ed_json_reader *reader)
{
    reader->expected = reader->depth > 0 ? COMMA_OR_END : NOTHING;
    if (reader->depth == 0)
        reader->value_end = reader->at;
}

/* Every escape makes fewer bytes than it takes, so the slice bounds the text. */
static ed_json_token read_string(ed_json_reader *reader, ed_json_token token)
{
    const char *text = reader->text;
    size_t begin = reader->at + 1, at = begin;
    for (;;) {
        if (at == reader->n_bytes)
            return fail(reader, begin - 1, "a string is not closed");
        unsigned char byte = (unsigned char)text[at];
        if (byte == '"')
            break;
        if (byte < 0x20)
            return fail(reader, at, "a control character inside a string is not escaped");
        if (byte != '\\') {
            at++;
            continue;
        }
        size_t n_escape = escape_bytes(text + at, reader->n_bytes - at);
        if (n_escape == 0)
            return fail(reader, at, "not an escape of JSON");
        at += n_escape;
    }
    size_t n_valid = ed_utf8_valid_prefix(text + begin, at - begin);
    if (n_valid < at - begin)
        return fail(reader, begin + n_valid, "not UTF-8");
    reader->token = text + begin;
    reader->token_bytes = at - begin;
    reader->at = at + 1;
    if (token == ED_JSON_STRING)
        value_done(reader);
    return token;
}

/* Size of the escape at text[0], which is a backslash; 0 if it is none. */
static size_t escape_bytes(const char *text, size_t n_bytes)
{
    if (n_bytes < 2)
        return 0;
    if (text[1] != 'u')
        return text[1] != '\0' && strchr("\"\\/bfnrt", text[1]) ? 2 : 0;
    if (n_bytes < 6)
        return 0;
    for (size_t i = 2; i < 6; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return 0;
    }
    return 6;
}

static size_t digits_end(const ed_json_reader *reader, size_t at)
{
    while (at < reader->n_bytes && reader->text[at] >= '0' && reader->text[at] <= '9')
        at++;
    return at;
}

static ed_json_token read_number(ed_json_reader *reader)
{
    const char *text = reader->text;
    size_t n_bytes = reader->n_bytes, begin = reader->at, at = begin;
    if (at < n_bytes && text[at] == '-')
        at++;
    size_t end = digits_end(reader, at);
    if (end == at)
        return fail(reader, begin, at == begin ? "not a value" : "'-' without a number");
    if (text[at] == '0' && end > at + 1)
        return fail(reader, begin, "a number begins with 0");
    at = end;
    if (at < n_bytes && text[at] == '.') {
        end = digits_end(reader, at + 1);
        if (end == at + 1)
            return fail(reader, begin, "a number ends in '.'");
        at = end;
    }
    if (at < n_bytes && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < n_bytes && (text[at] == '+' || text[at] == '-'))
            at++;
        end = digits_end(reader, at);
        if (end == at)
            return fail(reader, begin, "a number ends in its exponent");
        at = end;
    }
    reader->token = text + begin;
    reader->token_bytes = at - begin;
    reader->at = at;
    value_done(reader);
    return ED_JSON_NUMBER;
}

static ed_json_token read_word(ed_json_reader *reader, const char *word, ed_json_token token)
{
    size_t n_word = strlen(word);
    if (!ed_slice_fits(reader->at, n_word, reader->n_bytes) ||
        memcmp(reader->text + reader->at, word, n_word) != 0)
        return fail(reader, reader->at, "not a value");
    reader->at += n_word;
    value_done(reader);
    return token;
}

static void skip_space(ed_json_reader *reader)
{
    for (;; reader->at++) {
        char c = peek(reader);
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
    }
}

/* The number after "\u"; checked before. */
static uint32_t hex4(const char *text)
{
    uint32_t value = 0;
    for (size_t i = 2; i < 6; i++) {
        uint32_t c = (unsigned char)text[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

size_t ed_json_unescape(ed_json_reader *reader, char *out)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *at = reader->token, *end = at + reader->token_bytes;
    const char *escape = memchr(at, '\\', reader->token_bytes);
    size_t n_out = escape ? (size_t)(escape - at) : reader->token_bytes;
    if (out != at)
        memcpy(out, at, n_out);
    at += n_out;
    while (at < end) {
        if (*at != '\\') {
            out[n_out++] = *at++;
            continue;
        }
        if (at[1] != 'u') {
            const char *letter = strchr(letters, at[1]);
            out[n_out++] = letter ? meanings[letter - letters] : at[1];
            at += 2;
            continue;
        }
        uint32_t code_point = hex4(at);
        at += 6;
        if (code_point >= 0xD800 && code_point <= 0xDFFF) {
            bool paired = code_point < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
                          hex4(at) >= 0xDC00 && hex4(at) <= 0xDFFF;
            if (paired) {
                code_point = 0x10000 + ((code_point - 0xD800) << 10) + (hex4(at) - 0xDC00);
                at += 6;
            } else {
                code_point = 0xFFFD;
                reader->n_replaced++;
            }
        }
        n_out += ed_utf8_encode(code_point, out + n_out);
    }
    return n_out;
}

bool ed_json_whole_number(const ed_json_reader *reader, size_t *out)
{
    size_t value = 0;
    for (size_t i = 0; i < reader->token_bytes; i++) {
        char c = reader->token[i];
        if (c < '0' || c > '9' || !ed_mul_size(value, 10, &value) ||
            !ed_add_size(value, (size_t)(c - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}
