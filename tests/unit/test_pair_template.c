/* Two texts read together: the special tokens round them, their types, and what is cut. */
#include "support/small_tokenizer.h"
#include "tokenizer/pair_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEMPLATE(pair)                                                                             \
    "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\"}}],\"pair\":" pair   \
    ",\"special_tokens\":{\"C\":{\"ids\":[1]},\"S\":{\"ids\":[2,9]}}}"
#define TEXT(id, type)    "{\"Sequence\":{\"id\":\"" id "\",\"type_id\":" type "}}"
#define SPECIAL(id, type) "{\"SpecialToken\":{\"id\":\"" id "\",\"type_id\":" type "}}"

/* "1 3 2 | 5 2": a bar before the first token of type 1. */
static const char *encode(const ed_tokenizer *tokenizer, const char *first, const char *second,
                          size_t tokens_max, embedd_status *status, embedd_error *err)
{
    static char out[512];
    const embedd_text texts[2] = {{first, strlen(first)}, {second, strlen(second)}};
    ed_tokenizer_scratch *scratch = NULL;
    int32_t ids[64];
    size_t n_ids, n_total, n_first, n = 0;

    assert_int_equal(ed_tokenizer_scratch_open(&scratch, tokenizer, err), EMBEDD_OK);
    *status = ed_tokenizer_encode_pair(tokenizer, scratch, texts, tokens_max, ids, &n_ids, &n_total,
                                       &n_first, err);
    assert_true(*status != EMBEDD_OK || n_ids <= tokens_max);
    out[0] = '\0';
    for (size_t i = 0; *status == EMBEDD_OK && i < n_ids; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s%d", i > 0 ? " " : "",
                              n_first > 0 && i == n_first ? "| " : "", ids[i]);
    ed_tokenizer_scratch_close(scratch);
    return out;
}

static void check(const char *post_processor, const char *expected)
{
    embedd_status status;
    embedd_error err = {.message = ""};
    ed_tokenizer *tokenizer =
        small_tokenizer_open(&(small_tokenizer){.post_processor = post_processor});
    assert_string_equal(encode(tokenizer, "a b", "b", 64, &status, &err), expected);
    assert_int_equal(status, EMBEDD_OK);
    ed_tokenizer_close(tokenizer);
}

static void each_kind_joins_two_texts(void **state)
{
    (void)state;
    check("null", "3 5 | 5");
    check("{\"type\":\"ByteLevel\"}", "3 5 | 5");
    check("{\"type\":\"BertProcessing\",\"sep\":[\"s\",2],\"cls\":[\"c\",1]}", "1 3 5 2 | 5 2");
    check("{\"type\":\"RobertaProcessing\",\"sep\":[\"s\",2],\"cls\":[\"c\",1]}", "1 3 5 2 2 5 2");
    check(TEMPLATE("[" SPECIAL("C", "0") "," TEXT("A", "0") "," SPECIAL("S", "0") "," TEXT(
              "B", "1") "," SPECIAL("S", "1") "]"),
          "1 3 5 2 9 | 5 2 9");
    check(TEMPLATE("[" TEXT("A", "0") "," SPECIAL("S", "0") "," SPECIAL("C", "1") "," TEXT(
              "B", "1") "]"),
          "3 5 2 9 | 1 5");
    check(TEMPLATE("[" TEXT("A", "0") "," SPECIAL("C", "0") "," TEXT("B", "0") "]"), "3 5 1 5");
    check("{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},{\"type\":"
          "\"BertProcessing\",\"sep\":[\"s\",2],\"cls\":[\"c\",1]}]}",
          "1 3 5 2 | 5 2");
}

static void what_cannot_be_joined_is_told(void **state)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {TEMPLATE("[]"), "does not have both texts"},
        {TEMPLATE("[" TEXT("A", "0") "]"), "does not have both texts"},
        {TEMPLATE("[" TEXT("B", "0") "," TEXT("A", "0") "]"), "another order"},
        {TEMPLATE("[" TEXT("A", "0") "," TEXT("B", "1") "," TEXT("B", "1") "]"), "another order"},
        {TEMPLATE("[" TEXT("A", "0") "," TEXT("B", "2") "]"), "other types"},
        {TEMPLATE("[" TEXT("A", "0") "," SPECIAL("C", "1") "," TEXT("B", "0") "]"), "other types"},
        {TEMPLATE("[" TEXT("A", "1") "," TEXT("B", "1") "]"), "begins with type 1"},
        {TEMPLATE("[" TEXT("A", "0") "," TEXT("B", "0") "," SPECIAL("C", "1") "]"),
         "changes the type after"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        embedd_status status;
        embedd_error err = {.message = ""};
        ed_tokenizer *tokenizer =
            small_tokenizer_open(&(small_tokenizer){.post_processor = cases[i].json});
        assert_string_equal(small_tokenizer_ids(tokenizer, "ab"), "7"); /* alone it is read */
        encode(tokenizer, "a", "b", 64, &status, &err);
        assert_int_equal(status, EMBEDD_UNSUPPORTED);
        assert_non_null(strstr(err.message, cases[i].words));
        ed_tokenizer_close(tokenizer);
    }
}

static void a_malformed_pair_is_named(void **state)
{
    static const char *const cases[] = {
        TEMPLATE("[7]"),
        TEMPLATE("7"),
        TEMPLATE("[" SPECIAL("X", "0") "]"),
        TEMPLATE("[" TEXT("A", "\"x\"") "]"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ed_tokenizer *tokenizer = NULL;
        embedd_error err;
        assert_int_equal(
            small_tokenizer_try(&tokenizer, &(small_tokenizer){.post_processor = cases[i]}, &err),
            EMBEDD_FORMAT);
        assert_null(tokenizer);
    }
}

static void the_longer_text_is_cut_first(void **state)
{
    embedd_status status;
    embedd_error err = {.message = ""};
    ed_tokenizer *tokenizer = small_tokenizer_open(&(small_tokenizer){
        .post_processor = "{\"type\":\"BertProcessing\",\"sep\":[\"s\",2],\"cls\":[\"c\",1]}"});

    (void)state;
    assert_string_equal(encode(tokenizer, "a", "b b b b b", 7, &status, &err), "1 3 2 | 5 5 5 2");
    assert_string_equal(encode(tokenizer, "a a a a a", "b", 7, &status, &err), "1 3 3 3 2 | 5 2");
    assert_string_equal(encode(tokenizer, "a a a a a", "b b b b b b", 8, &status, &err),
                        "1 3 3 2 | 5 5 5 2");
    assert_string_equal(encode(tokenizer, "a a a a a a", "b b b b b", 8, &status, &err),
                        "1 3 3 3 2 | 5 5 2");
    assert_string_equal(encode(tokenizer, "a", "b", 3, &status, &err), "1 2 | 2");
    encode(tokenizer, "a", "b", 2, &status, &err);
    assert_int_equal(status, EMBEDD_ARGUMENT);
    encode(tokenizer, "a", "b\xff", 64, &status, &err);
    assert_int_equal(status, EMBEDD_UTF8);
    ed_tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_joins_two_texts),
        cmocka_unit_test(what_cannot_be_joined_is_told),
        cmocka_unit_test(a_malformed_pair_is_named),
        cmocka_unit_test(the_longer_text_is_cut_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
