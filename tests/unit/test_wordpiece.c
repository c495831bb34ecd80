/* Words to pieces, and what a vocabulary may not be. */
#include "support/small_tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(const small_tokenizer *parts, const char *text, const char *ids)
{
    ed_tokenizer *tokenizer = small_tokenizer_open(parts);
    assert_string_equal(small_tokenizer_ids(tokenizer, text), ids);
    ed_tokenizer_close(tokenizer);
}

static void the_longest_piece_comes_first(void **state)
{
    (void)state;
    const small_tokenizer parts = {0};
    check(&parts, "ab", "1 7 2");
    check(&parts, "abab ba", "1 7 8 5 4 2");
    check(&parts, "aab.b", "1 3 8 9 5 2");
}

static void a_word_that_cannot_be_made_up_is_one_unknown(void **state)
{
    (void)state;
    const small_tokenizer parts = {0};
    check(&parts, "abx ab", "1 0 7 2");
    check(&parts, "xab", "1 0 2");
    check(&parts, "##b", "1 0 0 5 2");
}

static void the_limit_of_a_word_is_in_characters(void **state)
{
    (void)state;
    const small_tokenizer parts = {.vocab = "{\"[UNK]\":0,\"\\u03b1\":1,\"##\\u03b1\":2}",
                                   .word_chars_max = "3",
                                   .post_processor = "null"};
    check(&parts, "\xCE\xB1\xCE\xB1\xCE\xB1", "1 2 2");
    check(&parts, "\xCE\xB1\xCE\xB1\xCE\xB1\xCE\xB1", "0");
}

static void without_a_prefix_any_piece_goes_on(void **state)
{
    (void)state;
    const small_tokenizer parts = {.vocab = "{\"u\":0,\"ab\":1,\"b\":2}",
                                   .unk_token = "\"u\"",
                                   .prefix = "\"\"",
                                   .post_processor = "null"};
    check(&parts, "abb bab abu", "1 2 2 1 1 0");
    const small_tokenizer none = {.vocab = "{\"u\":0,\"ab\":1,\"b\":2}",
                                  .unk_token = "\"u\"",
                                  .prefix = "\"@@\"",
                                  .post_processor = "null"};
    check(&none, "ab abb", "1 0");
}

static void without_a_pre_tokenizer_the_text_is_one_word(void **state)
{
    (void)state;
    const small_tokenizer parts = {.vocab = "{\"u\":0,\"a b\":1,\"##.\":2}",
                                   .unk_token = "\"u\"",
                                   .pre_tokenizer = "null",
                                   .post_processor = "null"};
    check(&parts, "A b.", "1 2");
    check(&parts, "b", "0");
    check(&parts, "", "");
}

static void ids_may_have_holes_but_no_faults(void **state)
{
    (void)state;
    static const struct {
        small_tokenizer parts;
        const char *message; /* NULL = it is fine */
    } cases[] = {
        {{.vocab = "{\"[UNK]\":5,\"a\":16777214}"}, NULL},
        {{.vocab = "{\"[UNK]\":0,\"a\":-1}"}, "t.json: the id of a is not a whole number"},
        {{.vocab = "{\"[UNK]\":0,\"a\":1.0}"}, "t.json: the id of a is not a whole number"},
        {{.vocab = "{\"[UNK]\":0,\"a\":\"1\"}"}, "t.json: the id of a is not a whole number"},
        {{.vocab = "{\"[UNK]\":0,\"a\":{\"b\":1}}"}, "t.json: the id of a is not a whole number"},
        {{.vocab = "{\"[UNK]\":0,\"a\":16777215}"}, "t.json: the id of a is larger than 16777214"},
        {{.vocab = "{\"[UNK]\":0,\"a\":99999999999999999999999}"},
         "t.json: the id of a is not a whole number"},
        {{.vocab = "{\"[UNK]\":3,\"a\":1,\"b\":3}"},
         "t.json: two tokens have the id 3: [UNK] and b"},
        {{.vocab = "{\"[UNK]\":0,\"a\":1,\"a\":2}"}, "t.json: vocab has a twice"},
        {{.vocab = "[\"[UNK]\"]"}, "t.json: vocab is not an object"},
        {{.vocab = "null"}, "t.json: vocab is not an object"},
        {{.vocab = "{}"}, "t.json: unk_token [UNK] is not in vocab"},
        {{.unk_token = "\"x\""}, "t.json: unk_token x is not in vocab"},
        {{.unk_token = "null"}, "t.json: unk_token is not a string"},
        {{.prefix = "null"}, "t.json: continuing_subword_prefix is not a string"},
        {{.word_chars_max = "null"}, "t.json: max_input_chars_per_word is missing"},
        {{.word_chars_max = "1e30"}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ed_tokenizer *tokenizer;
        embedd_error err = {.message = ""};
        embedd_status status = small_tokenizer_try(&tokenizer, &cases[i].parts, &err);
        assert_int_equal(status, cases[i].message ? EMBEDD_FORMAT : EMBEDD_OK);
        assert_string_equal(err.message, cases[i].message ? cases[i].message : "");
        ed_tokenizer_close(tokenizer);
    }
}

static void a_vocabulary_in_no_order_is_sorted(void **state)
{
    (void)state;
    ed_tokenizer *tokenizer = small_tokenizer_open(
        &(small_tokenizer){.vocab = "{\"b\":30,\"[UNK]\":20,\"a\":10}", .post_processor = "null"});
    assert_string_equal(small_tokenizer_ids(tokenizer, "a b c"), "10 30 20");
    assert_string_equal(ed_tokenizer_token(tokenizer, 30), "b");
    assert_string_equal(ed_tokenizer_token(tokenizer, 10), "a");
    assert_null(ed_tokenizer_token(tokenizer, 15));
    assert_int_equal(ed_tokenizer_ids_max(tokenizer), 31);
    ed_tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_piece_comes_first),
        cmocka_unit_test(a_word_that_cannot_be_made_up_is_one_unknown),
        cmocka_unit_test(the_limit_of_a_word_is_in_characters),
        cmocka_unit_test(without_a_prefix_any_piece_goes_on),
        cmocka_unit_test(without_a_pre_tokenizer_the_text_is_one_word),
        cmocka_unit_test(ids_may_have_holes_but_no_faults),
        cmocka_unit_test(a_vocabulary_in_no_order_is_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
