/* Added tokens in texts: what is found, what is left. Expected ids are the reference's. */
#include "support/small_tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define TOKEN(content, normalized, more)                                                           \
    "{\"id\":99,\"content\":\"" content "\",\"special\":false,\"normalized\":" normalized more "}"

static void check(const char *added, const char *text, const char *ids)
{
    ed_tokenizer *tokenizer = small_tokenizer_open(&(small_tokenizer){.added_tokens = added});
    assert_string_equal(small_tokenizer_ids(tokenizer, text), ids);
    ed_tokenizer_close(tokenizer);
}

static void special_tokens_in_a_text_become_those_tokens(void **state)
{
    (void)state;
    const char *added = "[" TOKEN("[SEP]", "false", ",\"special\":true") "]";
    check(added, "a[SEP]b", "1 3 2 5 2");
    check(added, "[SEP][SEP]", "1 2 2 2");
    check(added, "a[sep]b", "1 3 0 0 0 5 2");
    check("[]", "[SEP]", "1 0 0 0 2");
}

static void new_tokens_are_numbered_after_the_vocabulary(void **state)
{
    (void)state;
    const char *added =
        "[" TOKEN("x", "false", "") "," TOKEN("ab", "false", "") "," TOKEN("y", "false", "") "]";
    ed_tokenizer *tokenizer = small_tokenizer_open(&(small_tokenizer){.added_tokens = added});
    assert_string_equal(small_tokenizer_ids(tokenizer, "xaby"), "1 11 7 12 2");
    assert_int_equal(ed_tokenizer_ids_max(tokenizer), 13);
    assert_string_equal(ed_tokenizer_token(tokenizer, 12), "y");
    assert_string_equal(ed_tokenizer_token(tokenizer, 7), "ab");
    assert_null(ed_tokenizer_token(tokenizer, 13));
    assert_null(ed_tokenizer_token(tokenizer, -1));
    ed_tokenizer_close(tokenizer);
}

static void the_leftmost_and_of_those_the_longest_wins(void **state)
{
    (void)state;
    const char *added = "[" TOKEN("<a", "false", "") "," TOKEN("<a><b>", "false", "") "," TOKEN(
        "a>", "false", "") "]";
    check(added, "<a><b>", "1 12 2");
    check(added, "<a><b", "1 11 0 0 5 2");
    check(added, "ba>", "1 5 13 2");
}

static void normalized_tokens_match_what_the_normalizer_made(void **state)
{
    (void)state;
    const char *added = "[" TOKEN("\\u00c9t", "true", "") "]";
    check(added, "b ET a \xC3\xA9t", "1 5 11 3 11 2");
    check("[" TOKEN("ET", "false", "") "]", "et ET", "1 0 11 2");
}

static void a_single_word_is_not_part_of_one(void **state)
{
    (void)state;
    const char *added = "[" TOKEN("xx", "false", ",\"single_word\":true") "]";
    check(added, "xx.xx", "1 11 9 11 2");
    check(added, "axx", "1 0 2");
    check(added, "xx_", "1 0 0 2");
    check(added, "xx\xC3\xA9", "1 0 2");
    check(added, "\xE4\xB8\xADxx", "1 10 0 2");
}

static void tokens_take_white_space_with_them(void **state)
{
    (void)state;
    const char *word = "{\"type\":\"Lowercase\"}";
    ed_tokenizer *tokenizer = small_tokenizer_open(
        &(small_tokenizer){.added_tokens = "[" TOKEN("L", "false", ",\"lstrip\":true") "," TOKEN(
                               "R", "false", ",\"rstrip\":true") "," TOKEN(" ", "false", "") "]",
                           .normalizer = word});
    assert_string_equal(small_tokenizer_ids(tokenizer, "a L"), "1 3 13 11 2");
    assert_string_equal(small_tokenizer_ids(tokenizer, "a\t\xE3\x80\x80Lb"), "1 3 11 5 2");
    assert_string_equal(small_tokenizer_ids(tokenizer, "R\t\nb"), "1 12 5 2");
    /* A later match may begin in white space that was taken. */
    assert_string_equal(small_tokenizer_ids(tokenizer, "R  b"), "1 12 13 13 5 2");
    ed_tokenizer_close(tokenizer);
}

/* Of a token whose white space all went to the one before, nothing is left. */
static void a_token_without_any_text_of_its_own_is_none(void **state)
{
    (void)state;
    const char *added =
        "[" TOKEN("R", "false", ",\"rstrip\":true") "," TOKEN(" ", "false", ",\"lstrip\":true") "]";
    check(added, "R b", "1 11 5 2");
    check(added, "R   b", "1 11 5 2");
}

static void the_last_flags_of_a_token_count(void **state)
{
    (void)state;
    const char *added = "[" TOKEN("Xx", "false", "") "," TOKEN("Xx", "true", "") "]";
    check(added, "xX", "1 11 2");
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        small_tokenizer parts;
        embedd_status status;
        const char *message;
    } cases[] = {
        {{.added_tokens = "[{\"id\":1}]"}, EMBEDD_FORMAT, "t.json: an added token has no content"},
        {{.added_tokens = "[3]"}, EMBEDD_FORMAT, "t.json: an added token has no content"},
        {{.added_tokens = "{}"}, EMBEDD_FORMAT, "t.json: added_tokens is not a list"},
        {{.added_tokens = "[" TOKEN("x", "1", "") "]"},
         EMBEDD_FORMAT,
         "t.json: normalized is not true or false"},
        {{.added_tokens = "[" TOKEN("\\u0301", "true", "") "]"},
         EMBEDD_UNSUPPORTED,
         "t.json: nothing is left of the added token \xCC\x81 when normalized"},
        {{.added_tokens = "[" TOKEN("x", "true", "") "]", .vocab = "{\"[UNK]\":1}"},
         EMBEDD_FORMAT,
         "t.json: the added token x would get the id 1, which is taken"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ed_tokenizer *tokenizer;
        embedd_error err;
        assert_int_equal(small_tokenizer_try(&tokenizer, &cases[i].parts, &err), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
        assert_null(tokenizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_tokens_in_a_text_become_those_tokens),
        cmocka_unit_test(new_tokens_are_numbered_after_the_vocabulary),
        cmocka_unit_test(the_leftmost_and_of_those_the_longest_wins),
        cmocka_unit_test(normalized_tokens_match_what_the_normalizer_made),
        cmocka_unit_test(a_single_word_is_not_part_of_one),
        cmocka_unit_test(tokens_take_white_space_with_them),
        cmocka_unit_test(a_token_without_any_text_of_its_own_is_none),
        cmocka_unit_test(the_last_flags_of_a_token_count),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
