/* Statuses and error messages. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_names_are_lower_case_of_the_list(void **state)
{
    (void)state;
#define XX(name, number, sentence)                                                                 \
    do {                                                                                           \
        const char *lower = embedd_status_name(EMBEDD_##name);                                     \
        assert_int_equal(strcasecmp(lower, #name), 0);                                             \
        for (const char *at = lower; *at; at++)                                                    \
            assert_false(*at >= 'A' && *at <= 'Z');                                                \
        assert_string_equal(embedd_status_sentence(EMBEDD_##name), sentence);                      \
    } while (0);
    EMBEDD_STATUS_MAP(XX)
#undef XX
    assert_string_equal(embedd_status_name((embedd_status)12345), "unknown");
    assert_string_equal(embedd_status_sentence((embedd_status)-12345), "unknown status");
    assert_string_equal(embedd_version(), EMBEDD_VERSION);
}

static void test_fill(void **state)
{
    (void)state;
    embedd_error err;
    memset(&err, 0x55, sizeof err);
    assert_int_equal(ed_fail(&err, EMBEDD_FORMAT, "%s: line %d", "a.json", 7), EMBEDD_FORMAT);
    assert_int_equal(err.status, EMBEDD_FORMAT);
    assert_true(err.index == EMBEDD_NO_INDEX);
    assert_string_equal(err.message, "a.json: line 7");
    assert_int_equal(ed_fail_at(&err, EMBEDD_TOO_LONG, 3, "text %d", 3), EMBEDD_TOO_LONG);
    assert_int_equal(err.index, 3);
    assert_string_equal(err.message, "text 3");
    assert_int_equal(ed_fail(NULL, EMBEDD_IO, "nobody reads this"), EMBEDD_IO);
}

static void test_message_may_quote_itself(void **state)
{
    (void)state;
    embedd_error err;
    ed_fail(&err, EMBEDD_IO, "inner");
    ed_fail(&err, EMBEDD_IO, "outer: %s", err.message);
    assert_string_equal(err.message, "outer: inner");
}

static void test_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    embedd_error err;
    char text[2000];
    /* One byte, then two-byte characters: the cut falls inside a character. */
    for (size_t n_before = 0; n_before < 4; n_before++) {
        memset(text, 'x', n_before);
        for (size_t i = n_before; i + 2 < sizeof text; i += 2)
            memcpy(text + i, "\xC3\xA9", 3);
        ed_fail(&err, EMBEDD_IO, "%s", text);
        size_t n = strlen(err.message);
        assert_in_range(n, sizeof err.message - 3, sizeof err.message - 1);
        assert_int_equal((n - n_before) % 2, 0);
        assert_memory_equal(err.message, text, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_lower_case_of_the_list),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_message_may_quote_itself),
        cmocka_unit_test(test_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
