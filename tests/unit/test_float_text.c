/* Shortest float text, against strtof and printf. */
#include "server/float_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANTISSAS_PER_EXPONENT 20000
#define SHORTNESS_STEP         64

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void text_of(float value, char out[ED_FLOAT_TEXT_ROOM + 1])
{
    size_t n_bytes = ed_float_text(value, out);
    assert_in_range(n_bytes, 3, ED_FLOAT_TEXT_MAX);
    out[n_bytes] = '\0';
}

static void check_reads_back(uint32_t bits)
{
    char text[ED_FLOAT_TEXT_ROOM + 1];
    text_of(float_of(bits), text);
    if (bits_of(strtof(text, NULL)) != bits)
        fail_msg("%08x is written as %s", (unsigned)bits, text);
}

/* Significant digits without leading and trailing zeros: "1.20e5" -> "12". */
static size_t significant(const char *text, char *digits)
{
    size_t n = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0'))
            digits[n++] = *text;
    while (n > 0 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    return n;
}

/* No shorter text reads back, and of those as short it is the nearest. */
static void check_is_shortest(uint32_t bits)
{
    char text[ED_FLOAT_TEXT_ROOM + 1], digits[32], by_printf[32], digits_by_printf[32];
    text_of(float_of(bits), text);
    size_t n_digits = significant(text, digits);
    for (int n = 1; n <= 9; n++) {
        snprintf(by_printf, sizeof by_printf, "%.*e", n - 1, (double)float_of(bits));
        if (bits_of(strtof(by_printf, NULL)) != bits)
            continue;
        size_t n_by_printf = significant(by_printf, digits_by_printf);
        if (n_digits > n_by_printf ||
            (n_digits == n_by_printf && strcmp(digits, digits_by_printf) != 0))
            fail_msg("%08x: %s, by printf %s", (unsigned)bits, text, by_printf);
        return;
    }
    fail_msg("%08x: printf with nine digits does not read back", (unsigned)bits);
}

static void test_every_exponent_reads_back_and_is_shortest(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (uint32_t exponent = 0; exponent < 255; exponent++) {
        uint32_t base = exponent << 23;
        for (uint32_t i = 0; i < 64; i++) { /* both ends: powers of two and their neighbours */
            check_is_shortest(base | (i ? i : (exponent == 0)));
            check_is_shortest(base | (0x7fffff - i));
        }
        for (uint32_t i = 0; i < MANTISSAS_PER_EXPONENT; i++) {
            uint32_t bits = base | (next_random(&seed) & 0x7fffff) | (exponent == 0);
            check_reads_back(bits | (i & 1) << 31);
            if (i % SHORTNESS_STEP == 0)
                check_is_shortest(bits);
        }
    }
}

static void test_texts_of_known_floats(void **state)
{
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        {0.0f, "0.0"},
        {-0.0f, "-0.0"},
        {1.0f, "1.0"},
        {-1.5f, "-1.5"},
        {10.0f, "10.0"},
        {0.1f, "0.1"},
        {0.3f, "0.3"},
        {123.25f, "123.25"},
        {-0.043217745f, "-0.043217745"},
        {0.001f, "0.001"},
        {0.0012345f, "0.0012345"},
        {1e-4f, "1e-4"},
        {1.5e-4f, "1.5e-4"},
        {16777216.0f, "16777216.0"},
        {1e8f, "100000000.0"},
        {1e9f, "1e9"},
        {3.4028235e38f, "3.4028235e38"},
        {-1.1754944e-38f, "-1.1754944e-38"},
        {1e-45f, "1e-45"},
        {9.5367431640625e-07f, "9.536743e-7"}, /* a power of two: the interval is lopsided */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[ED_FLOAT_TEXT_ROOM + 1];
        text_of(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_what_is_not_finite_has_no_text(void **state)
{
    char text[ED_FLOAT_TEXT_ROOM];
    (void)state;
    assert_int_equal(ed_float_text(INFINITY, text), 0);
    assert_int_equal(ed_float_text(-INFINITY, text), 0);
    assert_int_equal(ed_float_text(NAN, text), 0);
    assert_int_equal(ed_float_text(float_of(0x7f800001), text), 0);
    assert_int_equal(ed_float_text(float_of(0xffffffff), text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_known_floats),
        cmocka_unit_test(test_what_is_not_finite_has_no_text),
        cmocka_unit_test(test_every_exponent_reads_back_and_is_shortest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
