#include "tokenizer/known_patterns.h"
#include "tokenizer/pre_tokenizer.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MARK "\xE2\x96\x81"

static embedd_status try_open(ed_pre_tokenizer *pre, const char *json, embedd_error *err)
{
    struct json_object *tree = json_tokener_parse(json);
    embedd_status status = ed_pre_tokenizer_open(pre, tree, "t.json", err);
    json_object_put(tree);
    return status;
}

/* Words joined by '|'. */
static void check_begin(const char *json, const char *text, bool begins_text, const char *expected)
{
    char joined[512] = "";
    ed_pre_tokenizer pre;
    ed_pre_scratch scratch;
    embedd_error err;
    size_t n_words, n_joined = 0;
    const embedd_text *words;
    assert_int_equal(try_open(&pre, json, &err), EMBEDD_OK);
    assert_int_equal(ed_pre_scratch_open(&scratch, &pre, &err), EMBEDD_OK);
    ed_pre_tokenizer_begin(&pre, &scratch, (embedd_text){text, strlen(text)}, begins_text);
    do {
        assert_int_equal(ed_pre_tokenizer_next(&pre, &scratch, &words, &n_words), EMBEDD_OK);
        for (size_t i = 0; i < n_words; i++) {
            assert_true(words[i].n_bytes > 0 && n_joined + words[i].n_bytes + 2 < sizeof joined);
            memcpy(joined + n_joined, words[i].bytes, words[i].n_bytes);
            n_joined += words[i].n_bytes;
            joined[n_joined++] = '|';
        }
    } while (n_words > 0);
    joined[n_joined] = '\0';
    assert_string_equal(joined, expected);
    ed_pre_scratch_close(&scratch);
    ed_pre_tokenizer_close(&pre);
}

static void check(const char *json, const char *text, const char *expected)
{
    check_begin(json, text, true, expected);
}

static void words_end_at_spaces_and_punctuation(void **state)
{
    (void)state;
    static const char bert[] = "{\"type\":\"BertPreTokenizer\"}";
    check(bert, "", "");
    check(bert, " \t\n", "");
    check(bert, "one two", "one|two|");
    check(bert, " it's $5.", "it|'|s|$|5|.|");
    /* U+3000 and U+0085 are spaces, U+00BF and U+2014 punctuation, U+20AC and U+00E9 are not. */
    check(bert,
          "a\xE3\x80\x80"
          "b\xC2\x85\xC2\xBFno\xE2\x80\x94\xE2\x82\xAC\xC3\xA9",
          "a|b|\xC2\xBF|no|\xE2\x80\x94|\xE2\x82\xAC\xC3\xA9|");
    check("null", "one two", "one two|");
    check("null", "", "");
    check("{\"type\":\"Whitespace\"}", " it's $5. \xC3\xA9_x", "it|'|s|$|5|.|\xC3\xA9_x|");
    check("{\"type\":\"WhitespaceSplit\"}", " it's\t$5. ", "it's|$5.|");
    check("{\"type\":\"Punctuation\"}", "a.b!? c", "a|.|b|!|?| c|");
    check("{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}", "a.b!? c", "a|.|b|!?| c|");
    check("{\"type\":\"Digits\",\"individual_digits\":true}", "a12\xC2\xBDx", "a|1|2|\xC2\xBD|x|");
    check("{\"type\":\"Digits\"}", "a12\xC2\xBDx", "a|12\xC2\xBD|x|");
}

#define SPLIT(behavior, invert)                                                                    \
    "{\"type\":\"Split\",\"pattern\":{\"String\":\"-\"},\"behavior\":\"" behavior                  \
    "\",\"invert\":" invert "}"

static void matches_are_kept_removed_or_merged(void **state)
{
    (void)state;
    static const char text[] = "-the--end-";
    check(SPLIT("Isolated", "false"), text, "-|the|-|-|end|-|");
    check(SPLIT("Removed", "false"), text, "the|end|");
    check(SPLIT("Removed", "true"), text, "-|-|-|-|");
    check(SPLIT("Contiguous", "false"), text, "-|the|--|end|-|");
    check(SPLIT("MergedWithPrevious", "false"), text, "-|the-|-|end-|");
    check(SPLIT("MergedWithNext", "false"), text, "-the|-|-end|-|");
    check(SPLIT("MergedWithNext", "true"), text, "-|the-|-|end-|");
    check("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\d{2}|(?=x)\"},\"behavior\":"
          "\"MergedWithPrevious\",\"invert\":false}",
          "a1234x5xx", "a12|34|x5|x|x|");
}

#define METASPACE(more) "{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\"" more "}"

static void metaspace_marks_spaces(void **state)
{
    (void)state;
    check(METASPACE(""), "a b  c", MARK "a|" MARK "b|" MARK "|" MARK "c|");
    check(METASPACE(""), " a", MARK "a|");
    check(METASPACE(",\"add_prefix_space\":false"), "a b", "a|" MARK "b|");
    check(METASPACE(",\"prepend_scheme\":\"never\",\"split\":false"), "a b", "a" MARK "b|");
    check(METASPACE(",\"prepend_scheme\":\"always\",\"add_prefix_space\":true"), "a", MARK "a|");
    check_begin(METASPACE(",\"prepend_scheme\":\"first\""), "a b", true, MARK "a|" MARK "b|");
    check_begin(METASPACE(",\"prepend_scheme\":\"first\""), "a b", false, "a|" MARK "b|");
    check("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"}," METASPACE(
              ",\"prepend_scheme\":\"first\"") "]}",
          "a b", MARK "a|b|");
    check("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"WhitespaceSplit\"}," METASPACE(
              ",\"prepend_scheme\":\"first\"") "]}",
          " a b", "a|b|");
}

static void bytes_become_their_characters(void **state)
{
    (void)state;
    check("{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", "a \xC3\xA9\n",
          "\xC4\xA0"
          "a|\xC4\xA0\xC3\x83\xC2\xA9|\xC4\x8A|");
    check("{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}", "a b.",
          "a\xC4\xA0"
          "b.|");
}

static void check_pattern(const char *regex, const char *text, const char *expected)
{
    struct json_object *json = json_object_new_object(), *pattern = json_object_new_object();
    json_object_object_add(json, "type", json_object_new_string("Split"));
    json_object_object_add(json, "behavior", json_object_new_string("Isolated"));
    json_object_object_add(json, "pattern", pattern);
    json_object_object_add(pattern, "Regex", json_object_new_string(regex));
    check(json_object_to_json_string(json), text, expected);
    /* A group round it is no known pattern: PCRE2 must find the same. */
    char grouped[256];
    snprintf(grouped, sizeof grouped, "(?:%s)", regex);
    json_object_object_add(pattern, "Regex", json_object_new_string(grouped));
    check(json_object_to_json_string(json), text, expected);
    json_object_put(json);
}

static void known_patterns_match_as_written(void **state)
{
    (void)state;
    check_pattern(ED_PATTERN_GPT2, "It's  12 ok... \n\nwe'LL   ",
                  "It|'s| | 12| ok|...| \n|\n|we|'|LL|   |");
    check_pattern(ED_PATTERN_GPT2, " 'tis\t\xC3\xA9t\xC3\xA9 ''re",
                  " '|tis|\t|\xC3\xA9t\xC3\xA9| ''|re|");
    check_pattern(ED_PATTERN_QWEN2, "It'S  12 ok...\r\n \n\nwe'LL\tx.y ",
                  "It|'S| | |1|2| ok|...\r\n| \n\n|we|'LL|\tx|.y| |");
    check_pattern(ED_PATTERN_QWEN2, "a'\xC5\xBF\xC2\xA0\nb \n  c",
                  "a|'\xC5\xBF|\xC2\xA0\n|b| \n| | c|");
    check_pattern(ED_PATTERN_LLAMA3, "12345 \r\rx(y) 'v", "123|45| \r\r|x|(y|)| '|v|");
}

/* U+11F04 is a letter and U+11F50 a digit since Unicode 15, which a PCRE2 need not know. */
static void categories_are_those_of_the_reference(void **state)
{
    (void)state;
    check_pattern("\\p{L}+|\\P{C}", "ab\xF0\x91\xBC\x84 1", "ab\xF0\x91\xBC\x84| |1|");
    check_pattern("[\\p{Lu}\\d]+|(?=z)", "aB1\xF0\x91\xBD\x90Z2yz", "a|B1\xF0\x91\xBD\x90Z2|y|z|");
    check_pattern("[-\\P{Cn}]+", "\xF0\x91\xBD\x90-a", "\xF0\x91\xBD\x90-a|");
    check_pattern("\\D+", "12\xF0\x91\xBD\x90x3", "12\xF0\x91\xBD\x90|x|3|");
}

/* Words of one batch go to the next step in batches of their own. */
static void batches_make_no_difference(void **state)
{
    (void)state;
    enum { N = 5000 };
    static char text[2 * N + 1];
    ed_pre_tokenizer pre;
    ed_pre_scratch scratch;
    embedd_error err;
    for (size_t i = 0; i < N; i++)
        memcpy(text + 2 * i, i % 3 == 0 ? "1 " : i % 3 == 1 ? "a2" : ". ", 2);
    assert_int_equal(
        try_open(&pre,
                 "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"},"
                 "{\"type\":\"Punctuation\"}," METASPACE("") ",{\"type\":\"ByteLevel\"}]}",
                 &err),
        EMBEDD_OK);
    assert_int_equal(ed_pre_scratch_open(&scratch, &pre, &err), EMBEDD_OK);
    ed_pre_tokenizer_begin(&pre, &scratch, (embedd_text){text, 2 * N}, true);
    size_t n_total = 0, n_words;
    const embedd_text *words;
    do {
        assert_int_equal(ed_pre_tokenizer_next(&pre, &scratch, &words, &n_words), EMBEDD_OK);
        n_total += n_words;
    } while (n_words > 0);
    assert_int_equal(n_total, 13334);
    ed_pre_scratch_close(&scratch);
    ed_pre_tokenizer_close(&pre);
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        embedd_status status;
        const char *message;
    } cases[] = {
        {"{\"type\":\"UnicodeScripts\"}", EMBEDD_UNSUPPORTED,
         "t.json: pre_tokenizer UnicodeScripts is not supported"},
        {"{\"type\":3}", EMBEDD_FORMAT, "t.json: type is not a string"},
        {"{}", EMBEDD_FORMAT, "t.json: pre_tokenizer has no type"},
        {"[]", EMBEDD_FORMAT, "t.json: pre_tokenizer is not an object"},
        {"{\"type\":\"Sequence\"}", EMBEDD_FORMAT, "t.json: pretokenizers is missing"},
        {"{\"type\":\"Metaspace\"}", EMBEDD_FORMAT, "t.json: replacement is not a character"},
        {METASPACE(",\"prepend_scheme\":\"last\""), EMBEDD_UNSUPPORTED,
         "t.json: prepend_scheme last is not supported"},
        {METASPACE(",\"prepend_scheme\":\"always\",\"add_prefix_space\":false"), EMBEDD_FORMAT,
         "t.json: add_prefix_space contradicts prepend_scheme"},
        {"{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":{\"Regex\":\"[a-\\\\p{L}]\"}}",
         EMBEDD_UNSUPPORTED,
         "t.json: the regular expression [a-\\p{L}] is not supported at \\p{L}]"},
        {"{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":{\"Regex\":\"\\\\p{Han}\"}}",
         EMBEDD_UNSUPPORTED,
         "t.json: the regular expression \\p{Han} is not supported at \\p{Han}"},
        {SPLIT("Doubled", "false"), EMBEDD_UNSUPPORTED,
         "t.json: behavior Doubled is not supported"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ed_pre_tokenizer pre;
        embedd_error err;
        assert_int_equal(try_open(&pre, cases[i].json, &err), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
        ed_pre_tokenizer_close(&pre);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_end_at_spaces_and_punctuation),
        cmocka_unit_test(matches_are_kept_removed_or_merged),
        cmocka_unit_test(metaspace_marks_spaces),
        cmocka_unit_test(bytes_become_their_characters),
        cmocka_unit_test(known_patterns_match_as_written),
        cmocka_unit_test(categories_are_those_of_the_reference),
        cmocka_unit_test(batches_make_no_difference),
        cmocka_unit_test(what_is_not_known_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
