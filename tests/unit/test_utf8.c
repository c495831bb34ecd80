/* Strict UTF-8, against the definition written another way: encode every scalar value. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static bool is_scalar(uint32_t c)
{
    return c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

static void test_every_scalar_value_goes_round(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        char bytes[4];
        size_t n_used = 0, n = is_scalar(c) ? ed_utf8_encode(c, bytes) : 0;
        if (n == 0)
            continue;
        if (n != (c < 0x80      ? 1u
                  : c < 0x800   ? 2u
                  : c < 0x10000 ? 3u
                                : 4u) ||
            ed_utf8_decode(bytes, n, &n_used) != c || n_used != n ||
            ed_utf8_valid_prefix(bytes, n) != n || ed_utf8_valid_prefix(bytes, n - 1) != 0)
            fail_msg("U+%04X", (unsigned)c);
    }
}

/* All sequences of up to 3 bytes, and of 4 over the interesting bytes: valid exactly if some scalar
 * value encodes to them. */
static bool valid_by_value(const unsigned char *b, size_t n)
{
    uint32_t c;
    char again[4];
    if (n == 1)
        return b[0] < 0x80;
    if (n == 2)
        c = (uint32_t)(b[0] & 0x1F) << 6 | (b[1] & 0x3F);
    else if (n == 3)
        c = (uint32_t)(b[0] & 0x0F) << 12 | (uint32_t)(b[1] & 0x3F) << 6 | (b[2] & 0x3F);
    else
        c = (uint32_t)(b[0] & 0x07) << 18 | (uint32_t)(b[1] & 0x3F) << 12 |
            (uint32_t)(b[2] & 0x3F) << 6 | (b[3] & 0x3F);
    return is_scalar(c) && ed_utf8_encode(c, again) == n && memcmp(again, b, n) == 0;
}

static void check(const unsigned char *b, size_t n)
{
    /* b is one sequence only if no shorter part of it is valid by itself. */
    for (size_t i = 1; i < n; i++)
        if (valid_by_value(b, i))
            return;
    size_t expected = valid_by_value(b, n) ? n : 0;
    if (ed_utf8_valid_prefix((const char *)b, n) != expected)
        fail_msg("%02x %02x %02x %02x, %zu bytes", b[0], b[1], b[2], b[3], n);
}

static void test_every_short_sequence(void **state)
{
    (void)state;
    static const unsigned char edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90,
                                          0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    unsigned char b[4] = {0};
    for (unsigned i = 0; i < 1u << 24; i++) {
        b[0] = (unsigned char)(i >> 16);
        b[1] = (unsigned char)(i >> 8);
        b[2] = (unsigned char)i;
        if (b[2] == 0)
            check(b, 2);
        if (b[1] == 0 && b[2] == 0)
            check(b, 1);
        check(b, 3);
    }
    for (unsigned lead = 0xE0; lead <= 0xFF; lead++)
        for (unsigned second = 0; second <= 0xFF; second++)
            for (size_t k = 0; k < sizeof edges; k++)
                for (size_t l = 0; l < sizeof edges; l++) {
                    memcpy(b,
                           (unsigned char[]){(unsigned char)lead, (unsigned char)second, edges[k],
                                             edges[l]},
                           4);
                    check(b, 4);
                }
}

static void test_prefix_ends_at_the_bad_byte(void **state)
{
    (void)state;
    char text[64];
    for (size_t n = 0; n <= sizeof text; n++)
        for (size_t bad = 0; bad < n; bad++) {
            memset(text, 'a', sizeof text);
            text[bad] = (char)0x80;
            assert_int_equal(ed_utf8_valid_prefix(text, n), bad);
            assert_int_equal(ed_utf8_valid_prefix(text, bad), bad);
        }
    assert_int_equal(ed_utf8_valid_prefix("", 0), 0);
    assert_int_equal(ed_utf8_valid_prefix("abcdefgh\xC3\xA9 \xE2\x82\xAC\0z\xED\xA0\x80", 19), 16);
}

static void test_cut_bytes(void **state)
{
    (void)state;
    const char *text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
    const size_t cut[] = {0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0};
    for (size_t n = 0; n <= 10; n++)
        assert_int_equal(ed_utf8_cut_bytes(text, n), cut[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scalar_value_goes_round),
        cmocka_unit_test(test_every_short_sequence),
        cmocka_unit_test(test_prefix_ends_at_the_bad_byte),
        cmocka_unit_test(test_cut_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
