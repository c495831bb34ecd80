/* What the reader accepts, what it refuses, what strings decode to, in place. The cases follow the
 * kinds of RFC 8259's grammar. */
#include "formats/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* A copy of exactly n_bytes, so that a sanitizer sees one byte of over-read. */
static bool accepts(const char *text, size_t n_bytes)
{
    ed_json_reader reader;
    char *bytes = malloc(n_bytes ? n_bytes : 1);
    assert_non_null(bytes);
    memcpy(bytes, text, n_bytes);
    ed_json_reader_init(&reader, bytes, n_bytes);
    bool ok = ed_json_skip(&reader, ed_json_next(&reader)) && ed_json_next(&reader) == ED_JSON_END;
    assert_true(ok == (reader.reason == NULL));
    assert_true(reader.at <= n_bytes);
    if (!ok)
        assert_int_equal(ed_json_next(&reader), ED_JSON_ERROR);
    free(bytes);
    return ok;
}

static void test_a47_valid_values_are_read(void **state)
{
    static const char *const valid[] = {
        "0",
        "-0",
        "123",
        "-1.5",
        "1e5",
        "1E+5",
        "0.1e-7",
        "123456789012345678901234567890",
        "1e999",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\r\n}\n",
        "[1,2]",
        "[[],[[]],{}]",
        "{\"a\":1}",
        "{\"a\":{\"b\":[null]},\"c\":\"d\"}",
        "{\"a\":1,\"a\":2}",
        "{\"\":0}",
        "\"\\u0000\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\x7f\"",
        "\"\xe2\x80\xa8\"",
        "[\"a\" , \"b\"]",
        "\"\\uD83D\"",
        "[1]   ",
    };
    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        if (!accepts(valid[i], strlen(valid[i])))
            fail_msg("%s", valid[i]);
}

static void test_a47_invalid_values_are_refused(void **state)
{
    static const char *const invalid[] = {
        "",
        " ",
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1,,2]",
        "[\"a\" \"b\"]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{1:1}",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1",
        "{\"a\"",
        "{\"a",
        "[1}",
        "{\"a\":1]",
        "[] []",
        "{}x",
        "1 2",
        "01",
        "-",
        "-01",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "tru",
        "truee",
        "TRUE",
        "nul",
        "undefined",
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\uD83D\\u\"",
        "\"\\uD83D\\uZZZZ\"",
        "\"\t\"",
        "\"\n\"",
        "\"\x01\"",
        "'a'",
        "//",
        "/**/1",
        "[1]//",
        "#",
        "\xef\xbb\xbf",
        "\xef\xbb\xbf{}",
        "\xef\xbb\xbf\xef\xbb\xbf{}",
        "{\"a\":1}}",
        "[1]]",
        ",",
        ":",
        "\\u0061",
        "*",
        "[\"\\a\"]",
        "\"\\U0041\"",
        "\x0c[]",
        "[1\xc2\xa0]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        if (accepts(invalid[i], strlen(invalid[i])))
            fail_msg("%s", invalid[i]);
    assert_false(accepts("[\0]", 3));
    assert_false(accepts("\"\0\"", 3));
    assert_false(accepts("123\0", 4));
}

static void test_a47_nesting_is_limited(void **state)
{
    char deep[2 * ED_JSON_DEPTH_MAX + 2];
    (void)state;
    memset(deep, '[', ED_JSON_DEPTH_MAX);
    memset(deep + ED_JSON_DEPTH_MAX, ']', ED_JSON_DEPTH_MAX);
    assert_true(accepts(deep, (size_t)2 * ED_JSON_DEPTH_MAX));
    memset(deep, '[', ED_JSON_DEPTH_MAX + 1);
    memset(deep + ED_JSON_DEPTH_MAX + 1, ']', ED_JSON_DEPTH_MAX + 1);
    assert_false(accepts(deep, (size_t)2 * ED_JSON_DEPTH_MAX + 2));

    size_t n_bytes = 100000;
    char *opening = malloc(n_bytes);
    assert_non_null(opening);
    memset(opening, '[', n_bytes);
    assert_false(accepts(opening, n_bytes));
    free(opening);
}

static void check_string(const char *json, const char *expected, size_t n_expected)
{
    ed_json_reader reader;
    char bytes[128];
    size_t n_bytes = strlen(json);
    memcpy(bytes, json, n_bytes);
    ed_json_reader_init(&reader, bytes, n_bytes);
    assert_int_equal(ed_json_next(&reader), ED_JSON_STRING);
    size_t n = ed_json_unescape(&reader, bytes + 1);
    if (n != n_expected || memcmp(bytes + 1, expected, n) != 0)
        fail_msg("%s", json);
    assert_int_equal(ed_json_next(&reader), ED_JSON_END);
}

static void test_a02_a03_strings_decode(void **state)
{
    (void)state;
    check_string("\"plain\"", "plain", 5);
    check_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
    check_string("\"abc\\u0000def\"", "abc\0def", 7);
    check_string("\"\\u00e9\\u20AC\"", "\xc3\xa9\xe2\x82\xac", 5);
    check_string("\"\\ud83d\\udc4d\"", "\xf0\x9f\x91\x8d", 4);
    check_string("\"\xf0\x9f\x91\x8d\"", "\xf0\x9f\x91\x8d", 4);
#define FFFD "\xef\xbf\xbd"
    check_string("\"\\ud83d\"", FFFD, 3);
    check_string("\"ok \\ud800 bad\"", "ok " FFFD " bad", 10);
    check_string("\"\\udc4d\\ud83d\"", FFFD FFFD, 6);
    check_string("\"\\ud83d\\ud83d\\udc4d\"", FFFD "\xf0\x9f\x91\x8d", 7);
    check_string("\"\\ud83dA\"", FFFD "A", 4);
    check_string("\"\\ud83d\\u0041\"", FFFD "A", 4);
    check_string("\"\\ud83d\\n\"", FFFD "\n", 4);
}

static void test_events_come_in_order(void **state)
{
    static const ed_json_token expected[] = {
        ED_JSON_OBJECT, ED_JSON_KEY,       ED_JSON_ARRAY,      ED_JSON_NUMBER, ED_JSON_TRUE,
        ED_JSON_NULL,   ED_JSON_ARRAY_END, ED_JSON_KEY,        ED_JSON_OBJECT, ED_JSON_OBJECT_END,
        ED_JSON_KEY,    ED_JSON_STRING,    ED_JSON_OBJECT_END, ED_JSON_END,    ED_JSON_END};
    char bytes[] = "{\"a\":[-1.5e3,true,null],\"b\":{},\"c\":\"d\"}";
    ed_json_reader reader;
    (void)state;
    ed_json_reader_init(&reader, bytes, strlen(bytes));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(ed_json_next(&reader), expected[i]);
        if (expected[i] == ED_JSON_NUMBER) {
            assert_int_equal(reader.token_bytes, 6);
            assert_memory_equal(reader.token, "-1.5e3", 6);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a47_valid_values_are_read),
        cmocka_unit_test(test_a47_invalid_values_are_refused),
        cmocka_unit_test(test_a47_nesting_is_limited),
        cmocka_unit_test(test_a02_a03_strings_decode),
        cmocka_unit_test(test_events_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
