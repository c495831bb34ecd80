/* What JSON is accepted, where the refused is refused, and the typed fields. */
#include "formats/json.h"

#include "base/utf8.h"
#include "formats/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A text, and its size where it holds NUL. */
typedef struct sample {
    const char *text;
    size_t n_bytes;
} sample;

#define S(text)                                                                                    \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static embedd_status parse(sample s, struct json_object **out, embedd_error *err)
{
    /* Exactly the text's size, without the literal's NUL: reading over it would be seen. */
    char *bytes = malloc(s.n_bytes ? s.n_bytes : 1);
    assert_non_null(bytes);
    memcpy(bytes, s.text, s.n_bytes);
    embedd_status status = ed_json_parse(bytes, s.n_bytes, "x.json", out, err);
    free(bytes);
    return status;
}

static const sample accepted[] = {
    S("[]"),
    S("{}"),
    S("null"),
    S("true"),
    S("false"),
    S("0"),
    S("-0"),
    S("-1.5e+10"),
    S("1E22"),
    S("0e1"),
    S("0.1"),
    S("20e1"),
    S("-123"),
    S("123456789012345678901234567890"),
    S("1e400"),
    S("\"\""),
    S("\"a\""),
    S(" \t\r\n[ ] \n"),
    S("[1]\n"),
    S("[[]   ]"),
    S("[\"\"]"),
    S("[1,null,true,\"x\",[{}]]"),
    S("{\"a\":1,\"a\":2}"),
    S("{\"\":0}"),
    S("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    S("[\"\\u0012\\u00e9\\uFFFF\\uabCD\"]"),
    S("[\"\\ud834\\udd1e\"]"),
    S("[\"\\ud834\"]"), /* lone surrogates: implementation defined, here U+FFFD */
    S("[\"\\udd1e\\ud834\"]"),
    S("[\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"]"),
    S("[\"\x7F\"]"),
    S("[\"/*<>*/\"]"),
    S("[\"\xEF\xBF\xBF\"]"),
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct json_object *tree = NULL;
        embedd_error err = {0};
        if (parse(accepted[i], &tree, &err) != EMBEDD_OK)
            fail_msg("%s: %s", accepted[i].text, err.message);
        json_object_put(tree);
    }
}

/* The text and the byte that the message names. */
static const struct {
    sample sample;
    size_t at;
} refused[] = {
    {S(""), 0},
    {S(" "), 1},
    {S("[1,]"), 3},
    {S("[,1]"), 1},
    {S("[1,,2]"), 3},
    {S("[1 2]"), 3},
    {S("[1:2]"), 2},
    {S("[1"), 2},
    {S("["), 1},
    {S("[\"\""), 3},
    {S("]"), 0},
    {S("[]]"), 2},
    {S("[}"), 1},
    {S("{]"), 1},
    {S("{"), 1},
    {S("{\"a\""), 4},
    {S("{\"a\":"), 5},
    {S("{\"a\":1"), 6},
    {S("{\"a\":1,}"), 7},
    {S("{\"a\" 1}"), 5},
    {S("{\"a\",1}"), 4},
    {S("{a:1}"), 1},
    {S("{1:1}"), 1},
    {S("{'a':1}"), 1},
    {S("{\"a\":1 \"b\":2}"), 7},
    {S("{,}"), 1},
    {S("{null:null}"), 1},
    {S("'a'"), 0},
    {S("[NaN]"), 1},
    {S("NaN"), 0},
    {S("[nan]"), 1},
    {S("[Infinity]"), 1},
    {S("[-Infinity]"), 1},
    {S("[-NaN]"), 1},
    {S("[+1]"), 1},
    {S("[01]"), 1},
    {S("[-01]"), 1},
    {S("[-]"), 1},
    {S("[.5]"), 1},
    {S("[-.5]"), 1},
    {S("[1.]"), 1},
    {S("[1.e1]"), 1},
    {S("[1e]"), 1},
    {S("[1e+]"), 1},
    {S("[1.5e-]"), 1},
    {S("[1ea]"), 1},
    {S("[0x1]"), 2},
    {S("[1a]"), 2},
    {S("[1_000]"), 2},
    {S("[\xEF\xBC\x91]"), 1},
    {S("[tru]"), 1},
    {S("[True]"), 1},
    {S("[TRUE]"), 1},
    {S("[Null]"), 1},
    {S("nul"), 0},
    {S("truefalse"), 4},
    {S("\"a"), 0},
    {S("\"\\\""), 0},
    {S("\"\\"), 1},
    {S("\"\\x41\""), 1},
    {S("\"\\a\""), 1},
    {S("\"\\\0\""), 1},
    {S("\"\\u12\""), 1},
    {S("\"\\u123"), 1},
    {S("\"\\u12G4\""), 1},
    {S("\"\\U0041\""), 1},
    {S("\"a\nb\""), 2},
    {S("\"a\tb\""), 2},
    {S("\"a\0b\""), 2},
    {S("\"\x1F\""), 1},
    {S("\"\xFF\""), 1},
    {S("\"ab\xC3\""), 3},
    {S("\"\xED\xA0\x80\""), 1}, /* a surrogate in UTF-8 */
    {S("\"\xC0\x80\""), 1},     /* NUL in two bytes */
    {S("\"\xF4\x90\x80\x80\""), 1},
    {S("[\xC3\xA9]"), 1},
    {S("\xEF\xBB\xBF{}"), 0},
    {S("[] x"), 3},
    {S("{} {}"), 3},
    {S("1 2"), 2},
    {S("[1]\0"), 3},
    {S("\0"), 0},
    {S("[1]//"), 3},
    {S("[1,/*x*/2]"), 3},
    {S("#\n[]"), 0},
    {S("[\x0C]"), 1},
    {S("[\xC2\xA0]"), 1},
    {S("*"), 0},
    {S("{\"a\\u0000b\":1}"), 2}, /* JSON, but json-c would read it as "a" */
};

static void test_refused_at_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct json_object *tree = NULL;
        embedd_error err = {0};
        char expected[64];
        snprintf(expected, sizeof expected, "x.json: byte %zu: ", refused[i].at);
        embedd_status status = parse(refused[i].sample, &tree, &err);
        if (status != EMBEDD_FORMAT || strncmp(err.message, expected, strlen(expected)) != 0)
            fail_msg("%s: status %d, \"%s\", not \"%s...\"", refused[i].sample.text, status,
                     err.message, expected);
        assert_null(tree);
    }
}

static void test_every_cut_of_a_value_is_refused(void **state)
{
    (void)state;
    const sample whole = S("{\"a\":[1.5e3,\"\\u00e9\xC3\xA9\",true,null,{}]}");
    for (size_t n = 0; n <= whole.n_bytes; n++) {
        struct json_object *tree = NULL;
        embedd_status status = parse((sample){whole.text, n}, &tree, NULL);
        assert_int_equal(status, n == whole.n_bytes ? EMBEDD_OK : EMBEDD_FORMAT);
        json_object_put(tree);
    }
}

static void test_depth(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(2 * DEEP + 1);
    assert_non_null(text);
    struct json_object *tree = NULL;
    embedd_error err = {0};
    memset(text, '[', ED_JSON_DEPTH_MAX);
    text[ED_JSON_DEPTH_MAX] = '1';
    memset(text + ED_JSON_DEPTH_MAX + 1, ']', ED_JSON_DEPTH_MAX);
    assert_int_equal(parse((sample){text, 2 * ED_JSON_DEPTH_MAX + 1}, &tree, &err), EMBEDD_OK);
    json_object_put(tree);
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    assert_int_equal(parse((sample){text, 2 * DEEP}, &tree, &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "x.json: byte 64: nested too deeply");
    free(text);
}

static void test_values(void **state)
{
    (void)state;
    struct json_object *tree = NULL, *value = NULL;
    const sample s = S("{\"a\":1,\"s\":\"\\ud834\\udd1e\\ud834x\\u0000\",\"a\":2}");
    assert_int_equal(parse(s, &tree, NULL), EMBEDD_OK);
    assert_true(json_object_object_get_ex(tree, "a", &value));
    assert_int_equal(json_object_get_int64(value), 2); /* the last one wins */
    assert_true(json_object_object_get_ex(tree, "s", &value));
    assert_int_equal(json_object_get_string_len(value), 9);
    assert_memory_equal(json_object_get_string(value), "\xF0\x9D\x84\x9E\xEF\xBF\xBDx\0", 9);
    json_object_put(tree);
}

static void test_every_surrogate_pair(void **state)
{
    (void)state;
    for (unsigned c = 0x10000; c <= 0x10FFFF; c++) {
        char text[16];
        char plain[4];
        struct json_object *string = NULL;
        size_t n_plain = ed_utf8_encode(c, plain);
        unsigned high = 0xD800 + (c - 0x10000) / 0x400, low = 0xDC00 + (c - 0x10000) % 0x400;
        int n = snprintf(text, sizeof text, "\"\\u%04x\\u%04X\"", high, low);
        if (ed_json_parse(text, (size_t)n, "x", &string, NULL) != EMBEDD_OK ||
            json_object_get_string_len(string) != 4 ||
            memcmp(json_object_get_string(string), plain, n_plain) != 0)
            fail_msg("U+%X", c);
        json_object_put(string);
    }
}

static void test_numbers_in_every_locale(void **state)
{
    (void)state;
    struct json_object *number = NULL;
    const sample s = S("-1234.5e-1");
    const char *const locales[] = {"C", "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        if (!setlocale(LC_ALL, locales[i])) /* not every machine has them; "C" is everywhere */
            continue;
        assert_int_equal(parse(s, &number, NULL), EMBEDD_OK);
        assert_true(json_object_get_double(number) == -123.45);
        json_object_put(number);
    }
    setlocale(LC_ALL, "C");
}

static void test_a_tree_out_of_proportion(void **state)
{
    (void)state;
    enum { N = 100000 }; /* 300 KB of text would be 80 MB of tree */
    struct json_object *tree = NULL;
    embedd_error err = {0};
    char *text = malloc(3 * N + 2);
    assert_non_null(text);
    for (size_t i = 0; i < N; i++)
        memcpy(text + 1 + 3 * i, "{},", 3);
    text[0] = '[';
    text[3 * N] = ']';
    assert_int_equal(ed_json_parse(text, 3 * N + 1, "x", &tree, &err), EMBEDD_LIMIT);
    assert_non_null(strstr(err.message, "too many values"));
    assert_null(tree);
    free(text);
}

/* Our reader's own unescaping, used for the headers of weight files. */
static void test_unescape(void **state)
{
    (void)state;
    const struct {
        sample text, plain;
    } cases[] = {
        {S("\"plain\""), S("plain")},
        {S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), S("\"\\/\b\f\n\r\t")},
        {S("\"\\u0041\\u00E9\\u20aC\\u0000\""), S("A\xC3\xA9\xE2\x82\xAC\0")},
        {S("\"\\uD834\\uDD1E\""), S("\xF0\x9D\x84\x9E")},
        {S("\"\\uD834\""), S("\xEF\xBF\xBD")},
        {S("\"\\uDD1E\\uD834\""), S("\xEF\xBF\xBD\xEF\xBF\xBD")},
        {S("\"\\uD834\\uD834\\uDD1E\""), S("\xEF\xBF\xBD\xF0\x9D\x84\x9E")},
        {S("\"\\uD834\\n\\udd11\""), S("\xEF\xBF\xBD\n\xEF\xBF\xBD")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ed_json_reader reader;
        char out[64];
        ed_json_reader_init(&reader, cases[i].text.text, cases[i].text.n_bytes);
        assert_int_equal(ed_json_next(&reader), ED_JSON_STRING);
        assert_true(reader.token_bytes <= sizeof out);
        size_t n = ed_json_unescape(&reader, out);
        assert_int_equal(n, cases[i].plain.n_bytes);
        assert_memory_equal(out, cases[i].plain.text, n);
        assert_int_equal(ed_json_next(&reader), ED_JSON_END);
        assert_int_equal(ed_json_next(&reader), ED_JSON_END);
    }
}

static void test_skip(void **state)
{
    (void)state;
    ed_json_reader reader;
    const sample s = S("[{\"a\":[1,{}],\"b\":2},[[]],3]");
    ed_json_reader_init(&reader, s.text, s.n_bytes);
    assert_int_equal(ed_json_next(&reader), ED_JSON_ARRAY);
    assert_true(ed_json_skip(&reader, ed_json_next(&reader)));
    assert_true(ed_json_skip(&reader, ed_json_next(&reader)));
    assert_int_equal(ed_json_next(&reader), ED_JSON_NUMBER);
    assert_true(ed_json_skip(&reader, ED_JSON_NUMBER));
    assert_int_equal(ed_json_next(&reader), ED_JSON_ARRAY_END);
    assert_int_equal(ed_json_next(&reader), ED_JSON_END);

    ed_json_reader_init(&reader, "[[1,", 4);
    assert_int_equal(ed_json_next(&reader), ED_JSON_ARRAY);
    assert_false(ed_json_skip(&reader, ed_json_next(&reader)));
    assert_int_equal(ed_json_next(&reader), ED_JSON_ERROR);
}

/* ---- typed fields ---------------------------------------------------------------------------- */

static struct json_object *fields;

static int open_fields(void **state)
{
    (void)state;
    const sample s =
        S("{\"n\":12,\"zero\":0,\"minus\":-1,\"huge\":1e30,\"over\":18446744073709551615,"
          "\"further\":99999999999999999999999,\"round\":512.0,\"part\":1.5,\"tiny\":-1e-30,"
          "\"endless\":1e999,\"yes\":true,\"no\":false,\"null\":null,\"text\":\"mean\","
          "\"nul\":\"a\\u0000b\",\"list\":[1],\"object\":{},\"digits\":\"12\"}");
    return parse(s, &fields, NULL);
}

static int close_fields(void **state)
{
    (void)state;
    json_object_put(fields);
    return 0;
}

static void test_get_size(void **state)
{
    (void)state;
    const struct {
        const char *field;
        size_t value;
    } good[] = {{"n", 12},
                {"zero", 0},
                {"huge", SIZE_MAX},
                {"over", SIZE_MAX},
                {"further", SIZE_MAX},
                {"round", 512},
                {"endless", SIZE_MAX},
                {"null", 77},
                {"absent", 77}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t value = 77;
        assert_int_equal(ed_json_get_size(fields, good[i].field, &value, "c", NULL), EMBEDD_OK);
        assert_true(value == good[i].value);
    }
    const char *const bad[] = {"minus", "part", "tiny", "yes", "text", "digits", "list", "object"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t value = 77;
        embedd_error err;
        char expected[64];
        snprintf(expected, sizeof expected, "c: %s is not a whole number", bad[i]);
        assert_int_equal(ed_json_get_size(fields, bad[i], &value, "c", &err), EMBEDD_FORMAT);
        assert_string_equal(err.message, expected);
        assert_int_equal(value, 77);
    }
}

static void test_get_double(void **state)
{
    (void)state;
    double value = 77;
    embedd_error err;
    assert_int_equal(ed_json_get_double(fields, "absent", &value, "c", &err), EMBEDD_OK);
    assert_true(value == 77);
    assert_int_equal(ed_json_get_double(fields, "part", &value, "c", &err), EMBEDD_OK);
    assert_true(value == 1.5);
    assert_int_equal(ed_json_get_double(fields, "minus", &value, "c", &err), EMBEDD_OK);
    assert_true(value == -1);
    assert_int_equal(ed_json_get_double(fields, "endless", &value, "c", &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "c: endless is not a finite number");
    assert_int_equal(ed_json_get_double(fields, "text", &value, "c", &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "c: text is not a number");
    assert_true(value == -1);
}

static void test_get_the_rest(void **state)
{
    (void)state;
    embedd_error err;
    bool flag = false;
    const char *text = "before";
    struct json_object *part = NULL;
    assert_int_equal(ed_json_get_bool(fields, "yes", &flag, "c", &err), EMBEDD_OK);
    assert_true(flag);
    assert_int_equal(ed_json_get_bool(fields, "null", &flag, "c", &err), EMBEDD_OK);
    assert_true(flag);
    assert_int_equal(ed_json_get_bool(fields, "n", &flag, "c", &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "c: n is not true or false");
    assert_int_equal(ed_json_get_string(fields, "null", &text, "c", &err), EMBEDD_OK);
    assert_string_equal(text, "before");
    assert_int_equal(ed_json_get_string(fields, "text", &text, "c", &err), EMBEDD_OK);
    assert_string_equal(text, "mean");
    assert_int_equal(ed_json_get_string(fields, "nul", &text, "c", &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "c: nul is not a string without NUL");
    assert_int_equal(ed_json_get_string(fields, "n", &text, "c", &err), EMBEDD_FORMAT);
    assert_int_equal(ed_json_get_object(fields, "object", &part, "c", &err), EMBEDD_OK);
    assert_true(json_object_is_type(part, json_type_object));
    assert_int_equal(ed_json_get_object(fields, "list", &part, "c", &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "c: list is not an object");
    assert_int_equal(ed_json_get_array(fields, "list", &part, "c", &err), EMBEDD_OK);
    assert_int_equal(json_object_array_length(part), 1);
    assert_int_equal(ed_json_get_array(fields, "object", &part, "c", &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "c: object is not a list");
}

static void test_get_from_something_else(void **state)
{
    (void)state;
    struct json_object *list = NULL;
    embedd_error err;
    size_t value = 77;
    assert_int_equal(ed_json_get_array(fields, "list", &list, "c", NULL), EMBEDD_OK);
    assert_int_equal(ed_json_get_size(list, "n", &value, "c", &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "c: not an object");
    assert_int_equal(ed_json_get_size(NULL, "n", &value, "c", &err), EMBEDD_FORMAT);
    assert_int_equal(value, 77);
}

static void test_read_file(void **state)
{
    (void)state;
    char path[] = "/tmp/embedd_json.XXXXXX";
    int fd = mkstemp(path);
    struct json_object *tree = NULL;
    embedd_error err;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"a\":1}\n", 8), 8);
    assert_int_equal(ed_json_read_file(path, 8, &tree, &err), EMBEDD_OK);
    assert_true(json_object_object_get_ex(tree, "a", NULL));
    json_object_put(tree);
    assert_int_equal(ed_json_read_file(path, 7, &tree, &err), EMBEDD_LIMIT);
    assert_null(tree);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(ed_json_read_file(path, 9, &tree, &err), EMBEDD_FORMAT);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "byte 8: "));
    close(fd);
    unlink(path);
    assert_int_equal(ed_json_read_file(path, 9, &tree, &err), EMBEDD_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused_at_the_byte),
        cmocka_unit_test(test_every_cut_of_a_value_is_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_every_surrogate_pair),
        cmocka_unit_test(test_numbers_in_every_locale),
        cmocka_unit_test(test_a_tree_out_of_proportion),
        cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_get_size),
        cmocka_unit_test(test_get_double),
        cmocka_unit_test(test_get_the_rest),
        cmocka_unit_test(test_get_from_something_else),
        cmocka_unit_test(test_read_file),
    };
    return cmocka_run_group_tests(tests, open_fields, close_fields);
}
