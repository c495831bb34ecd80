/* Bodies of POST /embed. */
#include "server/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX 100

typedef struct parsed {
    ed_request request;
    ed_problem problem;
    char *body;
    bool ok;
} parsed;

static parsed parse_bytes(const char *body, size_t n_bytes)
{
    parsed p = {.body = malloc(n_bytes ? n_bytes : 1)};
    assert_non_null(p.body);
    memcpy(p.body, body, n_bytes);
    p.ok =
        ed_request_parse(&p.request, &ed_dialect_sidecar, p.body, n_bytes, TEXTS_MAX, &p.problem);
    return p;
}

static parsed parse(const char *body)
{
    return parse_bytes(body, strlen(body));
}

static void clear(parsed *p)
{
    ed_request_clear(&p->request);
    free(p->body);
}

static void check_problem(const char *body, ed_problem_code code, size_t index)
{
    parsed p = parse(body);
    if (p.ok || p.problem.code != code || p.problem.index != index)
        fail_msg("%s: %s, %s", body, p.ok ? "accepted" : ed_problem_name(p.problem.code),
                 p.problem.message);
    assert_true(p.request.texts == NULL);
    for (const char *c = p.problem.message; *c; c++)
        assert_in_range(*c, ' ', '~');
    clear(&p);
}

static void assert_text(embedd_text text, const char *expected)
{
    assert_int_equal(text.n_bytes, strlen(expected));
    assert_memory_equal(text.bytes, expected, text.n_bytes);
}

static void test_texts_and_defaults(void **state)
{
    (void)state;
    parsed p = parse("{\"texts\":[\"a cat\",\"\",\"\\u00e9\"]}");
    assert_true(p.ok);
    assert_int_equal(p.request.n_texts, 3);
    assert_text(p.request.texts[0], "a cat");
    assert_text(p.request.texts[1], "");
    assert_text(p.request.texts[2], "\xc3\xa9");
    assert_true(p.request.normalize);
    assert_true(p.request.truncate);
    assert_int_equal(p.request.pooling, EMBEDD_POOLING_MODEL);
    assert_null(p.request.prompt.bytes);
    assert_null(p.request.prompt_name.bytes);
    assert_int_equal(p.request.batch_size, 0);
    clear(&p);
}

static void test_all_options(void **state)
{
    (void)state;
    parsed p =
        parse("{\"batch_size\":32,\"prompt_name\":\"query\",\"prompt\":\"\",\"pooling\":\"cls\","
              "\"truncate\":false,\"normalize\":false,\"text\":\"one\"}");
    assert_true(p.ok);
    assert_int_equal(p.request.n_texts, 1);
    assert_text(p.request.texts[0], "one");
    assert_false(p.request.normalize);
    assert_false(p.request.truncate);
    assert_int_equal(p.request.pooling, EMBEDD_POOLING_CLS);
    assert_non_null(p.request.prompt.bytes);
    assert_int_equal(p.request.prompt.n_bytes, 0);
    assert_text(p.request.prompt_name, "query");
    assert_int_equal(p.request.batch_size, 32);
    clear(&p);
}

static void test_a01_no_texts_is_a_request(void **state)
{
    (void)state;
    parsed p = parse("{\"texts\":[]}");
    assert_true(p.ok);
    assert_int_equal(p.request.n_texts, 0);
    clear(&p);
}

static void test_a47_unknown_fields_and_nulls_are_ignored(void **state)
{
    (void)state;
    parsed p =
        parse("{\"x\":{\"texts\":[1,{}]},\"\":[],\"model\":7,\"texts\":[\"a\"],\"pooling\":null,"
              "\"normalize\":null,\"truncate\":null,\"prompt\":null,\"prompt_name\":null,"
              "\"batch_size\":null,\"text\":null}");
    assert_true(p.ok);
    assert_int_equal(p.request.n_texts, 1);
    clear(&p);
    p = parse("\xef\xbb\xbf{\"texts\":[]}"); /* a byte order mark is passed over */
    assert_true(p.ok);
    clear(&p);
    p = parse("{\"texts\":[\"a\",\"b\"],\"texts\":[\"c\"]}"); /* the last one counts */
    assert_true(p.ok);
    assert_int_equal(p.request.n_texts, 1);
    assert_text(p.request.texts[0], "c");
    clear(&p);
}

static void test_a47_wrong_types_name_the_item(void **state)
{
    (void)state;
    check_problem("{\"texts\":[1]}", ED_PROBLEM_INVALID_TYPE, 0);
    check_problem("{\"texts\":[\"a\",null]}", ED_PROBLEM_INVALID_TYPE, 1);
    check_problem("{\"texts\":[\"a\",\"b\",[\"c\"]]}", ED_PROBLEM_INVALID_TYPE, 2);
    check_problem("{\"texts\":[{}]}", ED_PROBLEM_INVALID_TYPE, 0);
    check_problem("{\"texts\":[true]}", ED_PROBLEM_INVALID_TYPE, 0);
    check_problem("{\"texts\":\"a\"}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":5}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":{}}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"text\":[\"a\"]}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"normalize\":1}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"truncate\":\"no\"}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"pooling\":1}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"prompt\":[]}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"prompt_name\":0}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"batch_size\":\"8\"}", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("[\"a\"]", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("\"a\"", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
    check_problem("null", ED_PROBLEM_INVALID_TYPE, EMBEDD_NO_INDEX);
}

static void test_values_that_are_not_possible(void **state)
{
    static const char *const sizes[] = {"0",    "-1",    "1.5",
                                        "1e10", "1e999", "0.0000000000000000000000000000000000001"};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"texts\":[],\"batch_size\":%s}", sizes[i]);
        check_problem(body, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX);
    }
    check_problem("{\"texts\":[\"a\"],\"text\":\"b\"}", ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX);
    check_problem("{}", ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":null}", ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX);
    check_problem("{\"input\":[\"a\"]}", ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX);
}

static void test_an_unknown_pooling_names_the_choices(void **state)
{
    (void)state;
    check_problem("{\"texts\":[],\"pooling\":\"\"}", ED_PROBLEM_UNKNOWN_POOLING, EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"pooling\":\"mean\\u0000\"}", ED_PROBLEM_UNKNOWN_POOLING,
                  EMBEDD_NO_INDEX);
    check_problem("{\"texts\":[],\"pooling\":\"mean mean mean mean mean mean mean mean\"}",
                  ED_PROBLEM_UNKNOWN_POOLING, EMBEDD_NO_INDEX);
    parsed p = parse("{\"texts\":[],\"pooling\":\"median\"}");
    assert_false(p.ok);
    assert_non_null(strstr(p.problem.message, "mean"));
    assert_non_null(strstr(p.problem.message, "lasttoken"));
    assert_null(strstr(p.problem.message, "median"));
    clear(&p);
}

static void test_a47_what_is_not_json(void **state)
{
    static const char *const bodies[] = {"",
                                         "{",
                                         "{\"texts\":[",
                                         "{\"texts\":[\"a\"]}x",
                                         "{\"texts\":[\"a\",]}",
                                         "{\"x\":[[[}",
                                         "{\"texts\":[\"a\"",
                                         "not json",
                                         "{\"texts\":[\"a\" 5]}"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        check_problem(bodies[i], ED_PROBLEM_INVALID_JSON, EMBEDD_NO_INDEX);
}

static void test_a04_invalid_utf8(void **state)
{
    static const char *const ends[] = {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf0\x9f\x98", "\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"texts\":[\"a%s\"]}", ends[i]);
        check_problem(body, ED_PROBLEM_INVALID_UTF8, EMBEDD_NO_INDEX);
    }
}

static void test_a18_too_many_texts(void **state)
{
    char body[16 + (TEXTS_MAX + 1) * 4];
    (void)state;
    for (size_t n_texts = TEXTS_MAX; n_texts <= TEXTS_MAX + 1; n_texts++) {
        size_t at = (size_t)snprintf(body, sizeof body, "{\"texts\":[\"\"");
        for (size_t i = 1; i < n_texts; i++)
            at += (size_t)snprintf(body + at, sizeof body - at, ",\"\"");
        snprintf(body + at, sizeof body - at, "]}");
        if (n_texts > TEXTS_MAX) {
            check_problem(body, ED_PROBLEM_BATCH_TOO_LARGE, EMBEDD_NO_INDEX);
            continue;
        }
        parsed p = parse(body);
        assert_true(p.ok);
        assert_int_equal(p.request.n_texts, TEXTS_MAX);
        clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_and_defaults),
        cmocka_unit_test(test_all_options),
        cmocka_unit_test(test_a01_no_texts_is_a_request),
        cmocka_unit_test(test_a47_unknown_fields_and_nulls_are_ignored),
        cmocka_unit_test(test_a47_wrong_types_name_the_item),
        cmocka_unit_test(test_values_that_are_not_possible),
        cmocka_unit_test(test_an_unknown_pooling_names_the_choices),
        cmocka_unit_test(test_a47_what_is_not_json),
        cmocka_unit_test(test_a04_invalid_utf8),
        cmocka_unit_test(test_a18_too_many_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
