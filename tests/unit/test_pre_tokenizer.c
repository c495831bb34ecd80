#include "tokenizer/pre_tokenizer.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Words joined by '|', asked for n_max at a time. */
static const char *words_of(const char *text, size_t n_max)
{
    static char joined[256];
    embedd_text words[8];
    size_t at = 0, n_words, n_joined = 0;
    while ((n_words = ed_next_words_bert((embedd_text){text, strlen(text)}, &at, words, n_max)) > 0)
        for (size_t i = 0; i < n_words; i++) {
            memcpy(joined + n_joined, words[i].bytes, words[i].n_bytes);
            n_joined += words[i].n_bytes;
            joined[n_joined++] = '|';
        }
    joined[n_joined] = '\0';
    return joined;
}

static void words_end_at_spaces_and_punctuation(void **state)
{
    (void)state;
    for (size_t n_max = 1; n_max <= 8; n_max++) {
        assert_string_equal(words_of("", n_max), "");
        assert_string_equal(words_of(" \t\n", n_max), "");
        assert_string_equal(words_of("one two", n_max), "one|two|");
        assert_string_equal(words_of(" it's $5.", n_max), "it|'|s|$|5|.|");
        /* U+3000 and U+0085 are spaces, U+00BF and U+2014 punctuation, U+20AC and U+00E9 are not.
         */
        assert_string_equal(words_of("a\xE3\x80\x80"
                                     "b\xC2\x85\xC2\xBFno\xE2\x80\x94\xE2\x82\xAC\xC3\xA9",
                                     n_max),
                            "a|b|\xC2\xBF|no|\xE2\x80\x94|\xE2\x82\xAC\xC3\xA9|");
    }
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    ed_next_words next_words;
    embedd_error err;
    struct json_object *json = json_tokener_parse("{\"type\":\"Metaspace\"}");
    assert_int_equal(ed_pre_tokenizer_open(&next_words, json, "t.json", &err), EMBEDD_UNSUPPORTED);
    assert_string_equal(err.message, "t.json: pre_tokenizer Metaspace is not supported");
    json_object_put(json);
    json = json_tokener_parse("{\"type\":3}");
    assert_int_equal(ed_pre_tokenizer_open(&next_words, json, "t.json", &err), EMBEDD_FORMAT);
    json_object_put(json);
    json = json_tokener_parse("[]");
    assert_int_equal(ed_pre_tokenizer_open(&next_words, json, "t.json", &err), EMBEDD_FORMAT);
    json_object_put(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_end_at_spaces_and_punctuation),
        cmocka_unit_test(what_is_not_known_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
