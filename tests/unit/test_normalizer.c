#include "tokenizer/normalizer.h"

#include "base/memory.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BERT                                                                                       \
    "{\"type\":\"BertNormalizer\",\"clean_text\":%s,\"handle_chinese_chars\":%s,"                  \
    "\"strip_accents\":%s,\"lowercase\":%s}"

#define REPLACE(pattern) "{\"type\":\"Replace\",\"content\":\"-\",\"pattern\":{" pattern "}}"

static embedd_status try_open(ed_normalizer *normalizer, const char *json, embedd_error *err)
{
    struct json_object *tree = json_tokener_parse(json);
    embedd_status status = ed_normalizer_open(normalizer, tree, false, "t.json", err);
    json_object_put(tree);
    return status;
}

static void check_n(const char *json, const char *text, size_t n_bytes, const char *expected)
{
    ed_normalizer normalizer;
    ed_normalizer_scratch scratch;
    embedd_error err;
    embedd_text out;
    ed_normalizer_scratch_init(&scratch);
    assert_int_equal(try_open(&normalizer, json, &err), EMBEDD_OK);
    assert_int_equal(ed_normalizer_run(&normalizer, &scratch, (embedd_text){text, n_bytes}, &out),
                     EMBEDD_OK);
    assert_int_equal(out.n_bytes, strlen(expected));
    assert_memory_equal(out.bytes, expected, out.n_bytes);
    ed_normalizer_scratch_clear(&scratch);
    ed_normalizer_close(&normalizer);
}

static void check(const char *json, const char *text, const char *expected)
{
    check_n(json, text, strlen(text), expected);
}

static const char *bert(const char *clean, const char *chinese, const char *strip,
                        const char *lower)
{
    static char json[256];
    snprintf(json, sizeof json, BERT, clean, chinese, strip, lower);
    return json;
}

static void no_normalizer_changes_nothing(void **state)
{
    (void)state;
    check("null", "A\t\xC3\xA9", "A\t\xC3\xA9");
}

static void bert_cleans(void **state)
{
    (void)state;
    const char *clean = bert("true", "false", "false", "false");
    check_n(clean, "a\0b\tc\x01", 6, "ab c");
    check(clean,
          "a\xC2\x85"
          "b\xEF\xBF\xBD\xE2\x80\xA8\xC2\xAD!",
          "ab !"); /* U+0085, U+FFFD and U+00AD go, U+2028 is a space */
    check(bert("false", "false", "false", "false"), "a\x01\t", "a\x01\t");
}

static void bert_pads_chinese(void **state)
{
    (void)state;
    const char *chinese = bert("false", "true", "false", "false");
    check(chinese, "a\xE4\xB8\xAD\xE6\x96\x87", "a \xE4\xB8\xAD  \xE6\x96\x87 ");
    check(chinese, "\xE3\x81\x82\xED\x95\x9C",
          "\xE3\x81\x82\xED\x95\x9C"); /* not kana, not Hangul */
}

static void bert_strips_accents_when_it_lowers_unless_told(void **state)
{
    (void)state;
    check(bert("true", "true", "null", "true"), "\xC3\x89T\xC3\x89", "ete");
    check(bert("true", "true", "false", "true"), "\xC3\x89t", "\xC3\xA9t");
    check(bert("true", "true", "true", "false"), "\xC3\x89t", "Et");
    check(bert("true", "true", "null", "false"), "\xC3\x89t", "\xC3\x89t");
    check("{\"type\":\"BertNormalizer\"}", "\xC3\x89t\xC3\x89", "ete");
}

static void lower_case_is_one_letter_at_a_time(void **state)
{
    (void)state;
    const char *lower = "{\"type\":\"Lowercase\"}";
    check(lower, "\xC4\xB0", "i\xCC\x87");                    /* U+0130 becomes two */
    check(lower, "\xCE\x91\xCE\xA3", "\xCE\xB1\xCF\x83");     /* a final sigma is not looked for */
    check(lower, "\xE1\xBA\x9E\xC3\x9F", "\xC3\x9F\xC3\x9F"); /* capital sharp s */
    check(lower, "\xE1\x82\xA0\xE2\x84\xAA", "\xE2\xB4\x80k");
}

static void marks_are_ordered(void **state)
{
    (void)state;
    /* Classes 230, 220, 1 -> 1, 220, 230; equal classes stay in order. */
    check("{\"type\":\"NFD\"}", "a\xCC\x81\xCC\x80\xCC\xA3\xCC\xB4",
          "a\xCC\xB4\xCC\xA3\xCC\x81\xCC\x80");
    check("{\"type\":\"NFC\"}", "a\xCC\x81\xCC\xA3", "\xE1\xBA\xA1\xCC\x81");
    /* A mark of the same class in between keeps another from joining. */
    check("{\"type\":\"NFC\"}", "a\xCC\x90\xCC\x81", "a\xCC\x90\xCC\x81");
    check("{\"type\":\"NFKC\"}", "\xEF\xAC\x81\xC2\xBD",
          "fi1\xE2\x81\x84"
          "2");
    check("{\"type\":\"NFKD\"}", "\xED\x95\x9C", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB");
    check("{\"type\":\"StripAccents\"}", "e\xCC\x81\xC3\xA9", "e\xC3\xA9");
}

/* Runs longer than what is sorted by insertion. */
static void long_runs_are_ordered(void **state)
{
    (void)state;
    char text[1 + 4 * 100], expected[sizeof text + 1];
    text[0] = expected[0] = 'q';
    for (size_t i = 0; i < 100; i++) {
        memcpy(text + 1 + 4 * i, "\xCC\x81\xCC\xA3", 4);
        memcpy(expected + 1 + 2 * i, "\xCC\xA3", 2);
        memcpy(expected + 1 + 2 * (100 + i), "\xCC\x81", 2);
    }
    expected[sizeof text] = '\0';
    check_n("{\"type\":\"NFD\"}", text, sizeof text, expected);
}

/* The reference's tables end with Unicode 9: U+1ABF has no class, U+11938 does not decompose. */
static void later_characters_are_left_alone(void **state)
{
    (void)state;
    check("{\"type\":\"NFD\"}", "a\xCC\x81\xE1\xAA\xBF", "a\xCC\x81\xE1\xAA\xBF");
    check("{\"type\":\"NFD\"}", "\xF0\x91\xA4\xB8", "\xF0\x91\xA4\xB8");
    check("{\"type\":\"NFC\"}", "\xF0\x91\xA4\xB5\xF0\x91\xA4\xB0",
          "\xF0\x91\xA4\xB5\xF0\x91\xA4\xB0");
}

/* The ASCII table must not take a letter that a later mark joins. */
static void stretches_keep_their_base(void **state)
{
    (void)state;
    check("{\"type\":\"NFC\"}",
          "abe\xCC\x81"
          "fe\xCC\x81\xCC\xA3!",
          "ab\xC3\xA9"
          "f\xE1\xBA\xB9\xCC\x81!");
    check_n("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"BertNormalizer\","
            "\"lowercase\":false},{\"type\":\"NFC\"}]}",
            "xe\0\x01\xCC\x81", 6, "x\xC3\xA9");
}

/* A text without ASCII is worked on in parts, which must not show. */
static void long_stretches_are_cut_where_nothing_combines(void **state)
{
    (void)state;
    enum { N = 4000 };
    char *text = ed_calloc(N + 1, 4), *expected = ed_calloc(N + 1, 2);
    for (size_t i = 0; i < N; i++) {
        memcpy(text + 4 * i, "\xCE\xB1\xCC\x81", 4); /* alpha and acute */
        memcpy(expected + 2 * i, "\xCE\xAC", 2);
    }
    check("{\"type\":\"NFC\"}", text, expected);
    ed_free(text);
    ed_free(expected);
}

static void strings_and_expressions_are_replaced(void **state)
{
    (void)state;
    check(REPLACE("\"String\":\"ab\""), "ababxabab ab", "--x-- -");
    check(REPLACE("\"String\":\".\""), "a.b", "a-b");
    check(REPLACE("\"Regex\":\" {2,}\""), "a b  c     ", "a b-c-");
    check(REPLACE("\"Regex\":\"\\\\s+\""), "a \xC2\x85\xE3\x80\x80 b\xE1\xA0\x8E",
          "a-b\xE1\xA0\x8E");
    /* Empty matches, but not right after another one. */
    check(REPLACE("\"Regex\":\"x*\""), "axx\xC3\xA9", "-a-\xC3\xA9-");
    check(REPLACE("\"Regex\":\"(?<=a)b|^c\""), "ab\ncb", "a-\n-b");
}

static void a_step_limit_ends_what_takes_too_long(void **state)
{
    (void)state;
    ed_normalizer normalizer;
    ed_normalizer_scratch scratch;
    embedd_error err;
    embedd_text out;
    ed_normalizer_scratch_init(&scratch);
    assert_int_equal(try_open(&normalizer, REPLACE("\"Regex\":\"(a+)+[bc]\""), &err), EMBEDD_OK);
    embedd_text text = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad", 49};
    assert_int_equal(ed_normalizer_run(&normalizer, &scratch, text, &out), EMBEDD_LIMIT);
    ed_normalizer_scratch_clear(&scratch);
    ed_normalizer_close(&normalizer);
}

static void ends_are_stripped_and_beginnings_added(void **state)
{
    (void)state;
    static const char strip[] = "{\"type\":\"Strip\",\"strip_left\":%s,\"strip_right\":%s}";
    const char *const cases[][3] = {{"true", "true", "a b"},
                                    {"true", "false", "a b\xE3\x80\x80\n"},
                                    {"false", "true",
                                     " \xC2\x85"
                                     "a b"},
                                    {"false", "false",
                                     " \xC2\x85"
                                     "a b\xE3\x80\x80\n"}};
    for (size_t i = 0; i < 4; i++) {
        char json[128];
        snprintf(json, sizeof json, strip, cases[i][0], cases[i][1]);
        check(json,
              " \xC2\x85"
              "a b\xE3\x80\x80\n",
              cases[i][2]);
    }
    check("{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}", " \t ", "");
    check("{\"type\":\"Prepend\",\"prepend\":\"\xE2\x96\x81\"}", "a",
          "\xE2\x96\x81"
          "a");
    check("{\"type\":\"Prepend\",\"prepend\":\"x\"}", "", "");
    check("{\"type\":\"Nmt\"}",
          "\x01"
          "a\tb\xE2\x80\x8B\x7F"
          "c",
          "a b c");
    check("{\"type\":\"ByteLevel\"}", "a \xC3\xA9", "a\xC4\xA0\xC3\x83\xC2\xA9");
    check("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Lowercase\"},{\"type\":\"Prepend\","
          "\"prepend\":\"A\"},{\"type\":\"NFD\"},{\"type\":\"StripAccents\"}]}",
          "\xC3\x89", "Ae");
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        embedd_status status;
        const char *message;
    } cases[] = {
        {"{\"type\":\"Append\"}", EMBEDD_UNSUPPORTED, "t.json: normalizer Append is not supported"},
        {"{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Cyrillic\"}]}", EMBEDD_UNSUPPORTED,
         "t.json: normalizer Cyrillic is not supported"},
        {"{\"type\":\"Precompiled\"}", EMBEDD_FORMAT, "t.json: precompiled_charsmap is missing"},
        {"{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAA\"}", EMBEDD_FORMAT,
         "t.json: precompiled_charsmap is not base64"},
        {"{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"CAAAAAAA\"}", EMBEDD_FORMAT,
         "t.json: precompiled_charsmap is cut short"},
        {"{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAD/AA==\"}", EMBEDD_FORMAT,
         "t.json: precompiled_charsmap is not valid UTF-8"},
        {"{\"type\":\"Prepend\"}", EMBEDD_FORMAT, "t.json: prepend is not a string"},
        {REPLACE("\"String\":\"\""), EMBEDD_UNSUPPORTED,
         "t.json: an empty pattern is not supported"},
        {REPLACE("\"Glob\":\"*\""), EMBEDD_FORMAT, "t.json: pattern is not a String or a Regex"},
        {REPLACE("\"Regex\":\"a\\\\wb\""), EMBEDD_UNSUPPORTED,
         "t.json: the regular expression a\\wb is not supported at \\wb"},
        {REPLACE("\"Regex\":\"[a[b]]\""), EMBEDD_UNSUPPORTED,
         "t.json: the regular expression [a[b]] is not supported at [b]]"},
        {REPLACE("\"Regex\":\"(?m:.)\""), EMBEDD_UNSUPPORTED,
         "t.json: the regular expression (?m:.) is not supported at (?m:.)"},
        {REPLACE("\"Regex\":\"(a\""), EMBEDD_UNSUPPORTED,
         "t.json: the regular expression (a is not supported"},
        {"{\"type\":\"Sequence\"}", EMBEDD_FORMAT, "t.json: normalizers is missing"},
        {"{\"type\":\"Sequence\",\"normalizers\":[1]}", EMBEDD_FORMAT,
         "t.json: normalizer is not an object"},
        {"{}", EMBEDD_FORMAT, "t.json: normalizer has no type"},
        {"[]", EMBEDD_FORMAT, "t.json: normalizer is not an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ed_normalizer normalizer;
        embedd_error err;
        assert_int_equal(try_open(&normalizer, cases[i].json, &err), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
        ed_normalizer_close(&normalizer);
    }
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    char json[2048] = "";
    ed_normalizer normalizer;
    embedd_error err;
    for (size_t depth = 1; depth <= 12; depth++) {
        json[0] = '\0';
        for (size_t i = 0; i < depth; i++)
            strncat(json, "{\"type\":\"Sequence\",\"normalizers\":[", sizeof json - 1);
        strncat(json, "{\"type\":\"NFC\"}", sizeof json - strlen(json) - 1);
        for (size_t i = 0; i < depth; i++)
            strncat(json, "]}", sizeof json - strlen(json) - 1);
        assert_int_equal(try_open(&normalizer, json, &err),
                         depth <= 8 ? EMBEDD_OK : EMBEDD_UNSUPPORTED);
        assert_int_equal(normalizer.n_passes, depth <= 8 ? 1 : 0);
        ed_normalizer_close(&normalizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_normalizer_changes_nothing),
        cmocka_unit_test(bert_cleans),
        cmocka_unit_test(bert_pads_chinese),
        cmocka_unit_test(bert_strips_accents_when_it_lowers_unless_told),
        cmocka_unit_test(lower_case_is_one_letter_at_a_time),
        cmocka_unit_test(marks_are_ordered),
        cmocka_unit_test(long_runs_are_ordered),
        cmocka_unit_test(later_characters_are_left_alone),
        cmocka_unit_test(stretches_keep_their_base),
        cmocka_unit_test(long_stretches_are_cut_where_nothing_combines),
        cmocka_unit_test(strings_and_expressions_are_replaced),
        cmocka_unit_test(a_step_limit_ends_what_takes_too_long),
        cmocka_unit_test(ends_are_stripped_and_beginnings_added),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(nesting_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
