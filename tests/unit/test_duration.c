/* "5m", -1: how long a model stays. */
#include "base/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define S ((int64_t)1000000000)

/* In memory that ends with the text. */
static bool parse(const char *text, int64_t *ns)
{
    size_t n = strlen(text);
    char *bytes = malloc(n ? n : 1);
    assert_non_null(bytes);
    memcpy(bytes, text, n);
    bool ok = ed_duration_parse(bytes, n, ns);
    free(bytes);
    return ok;
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"5m", 300 * S},
        {"1h30m", 5400 * S},
        {"1.5h", 5400 * S},
        {"300", 300 * S},
        {"0", 0},
        {"0s", 0},
        {"-0", 0},
        {"10ms", S / 100},
        {"+7s", 7 * S},
        {"7us", 7000},
        {"7ns", 7},
        {".5s", S / 2},
        {"2.s", 2 * S},
        {"0.25", S / 4},
        {"1h1m1s", 3661 * S},
        {"-1", ED_FOREVER},
        {"-5m", ED_FOREVER},
        {"-1ns", ED_FOREVER},
        {"100000000h", ED_FOREVER},
        {"99999999999999999999", ED_FOREVER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -7;
        if (!parse(cases[i].text, &ns) || ns != cases[i].ns)
            fail_msg("%s: %lld", cases[i].text, (long long)ns);
    }
}

static void test_no_durations(void **state)
{
    static const char *const cases[] = {"",     "-",   "m",    "5x",
                                        "5 m",  " 5m", "5m ",  "5m3",
                                        "--1",  "1e3", ".",    "s5",
                                        "5M",   "nan", "inf",  "1..5s",
                                        "0x10", "5mm", "1,5h", "1234567890123456789012345678901"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -7;
        if (parse(cases[i], &ns) || ns != -7)
            fail_msg("'%s' is %lld", cases[i], (long long)ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_no_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
