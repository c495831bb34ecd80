/* The special tokens round a text, of each kind of post-processor. */
#include "support/small_tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TEMPLATE(single, tokens)                                                                   \
    "{\"type\":\"TemplateProcessing\",\"single\":" single                                          \
    ",\"pair\":[],\"special_tokens\":" tokens "}"
#define TEXT "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}"
#define CLS  "{\"SpecialToken\":{\"id\":\"C\",\"type_id\":0}}"
#define IDS  "{\"C\":{\"id\":\"C\",\"ids\":[5,99],\"tokens\":[\"x\",\"y\"]}}"

static void check(const char *post_processor, const char *ids, size_t n_special, size_t ids_max)
{
    ed_tokenizer *tokenizer =
        small_tokenizer_open(&(small_tokenizer){.post_processor = post_processor});
    assert_string_equal(small_tokenizer_ids(tokenizer, "ab"), ids);
    assert_int_equal(ed_tokenizer_n_special(tokenizer), n_special);
    assert_int_equal(ed_tokenizer_ids_max(tokenizer), ids_max);
    ed_tokenizer_close(tokenizer);
}

static void each_kind_puts_its_tokens(void **state)
{
    (void)state;
    check("null", "7", 0, 11);
    check("{\"type\":\"BertProcessing\",\"sep\":[\"s\",2],\"cls\":[\"c\",40]}", "40 7 2", 2, 41);
    check("{\"type\":\"RobertaProcessing\",\"sep\":[\"s\",2],\"cls\":[\"c\",0],"
          "\"trim_offsets\":true,\"add_prefix_space\":false}",
          "0 7 2", 2, 11);
    check(TEMPLATE("[" TEXT "]", "{}"), "7", 0, 11);
    check(TEMPLATE("[" TEXT "," CLS "]", IDS), "7 5 99", 2, 100);
    check("{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"}," TEMPLATE(
              "[" TEXT "," CLS "]", IDS) "]}",
          "7 5 99", 2, 100);
    check("{\"type\":\"ByteLevel\"}", "7", 0, 11);
    check(TEMPLATE("[" CLS "," CLS "," TEXT "," CLS "]", IDS), "5 99 5 99 7 5 99", 6, 100);
}

static void what_is_not_known_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        embedd_status status;
        const char *message;
    } cases[] = {
        {"{\"type\":\"Pairwise\"}", EMBEDD_UNSUPPORTED,
         "t.json: post_processor Pairwise is not supported"},
        {"{\"type\":\"Sequence\"}", EMBEDD_FORMAT, "t.json: processors is missing"},
        {"{\"type\":\"Sequence\",\"processors\":[{\"type\":\"Sequence\"}]}", EMBEDD_UNSUPPORTED,
         "t.json: post_processor Sequence is not supported"},
        {"{\"type\":\"Sequence\",\"processors\":[" TEMPLATE("[" CLS "," TEXT "]", IDS) "," TEMPLATE(
             "[" CLS "," TEXT "]", IDS) "]}",
         EMBEDD_UNSUPPORTED, "t.json: two post-processors that add tokens"},
        {"{}", EMBEDD_FORMAT, "t.json: post_processor has no type"},
        {"7", EMBEDD_FORMAT, "t.json: post_processor is not an object"},
        {TEMPLATE("[" CLS "]", IDS), EMBEDD_UNSUPPORTED,
         "t.json: single has the text 0 times, not once"},
        {TEMPLATE("[" TEXT "," TEXT "]", IDS), EMBEDD_UNSUPPORTED,
         "t.json: single has the text 2 times, not once"},
        {TEMPLATE("[" CLS "," TEXT "]", "{}"), EMBEDD_FORMAT,
         "t.json: special_tokens has no ids for C"},
        {TEMPLATE("[{\"Sequence\":{\"id\":\"B\"}}]", IDS), EMBEDD_FORMAT,
         "t.json: single[0] is not a token or the text"},
        {TEMPLATE("[1]", IDS), EMBEDD_FORMAT, "t.json: single[0] is not an object"},
        {TEMPLATE("null", IDS), EMBEDD_FORMAT,
         "t.json: TemplateProcessing lacks single or special_tokens"},
        {TEMPLATE("[" CLS "," TEXT "]", "{\"C\":{\"ids\":[-1]}}"), EMBEDD_FORMAT,
         "t.json: the id of C is not a whole number"},
        {"{\"type\":\"BertProcessing\",\"cls\":[\"c\",1]}", EMBEDD_FORMAT,
         "t.json: sep is not a token and its id"},
        {"{\"type\":\"BertProcessing\",\"cls\":[\"c\",1.5],\"sep\":[\"s\",2]}", EMBEDD_FORMAT,
         "t.json: the id of cls is not a whole number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ed_tokenizer *tokenizer;
        embedd_error err;
        assert_int_equal(small_tokenizer_try(
                             &tokenizer, &(small_tokenizer){.post_processor = cases[i].json}, &err),
                         cases[i].status);
        assert_string_equal(err.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_puts_its_tokens),
        cmocka_unit_test(what_is_not_known_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
