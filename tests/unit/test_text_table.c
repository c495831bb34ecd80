/* Widths on a terminal, and cells of exactly the wanted width. */
#include "cli/text_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_cell(const char *text, size_t columns, const char *expected)
{
    ed_buf out;

    ed_buf_init(&out, 4096);
    ed_append_cell(&out, text, strlen(text), columns);
    assert_true(ed_buf_append(&out, "", 1));
    assert_string_equal(out.data, expected);
    ed_buf_clear(&out);
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(ed_text_width("", 0), 0);
    assert_int_equal(ed_text_width("cat", 3), 3);
    assert_int_equal(ed_text_width("\xe6\x97\xa5\xe6\x9c\xac", 6), 4); /* two ideographs */
    assert_int_equal(ed_text_width("e\xcc\x81", 3), 1);                /* e, combining acute */
    assert_int_equal(ed_text_width("\xf0\x9f\x98\x80", 4), 2);         /* an emoji */
    assert_int_equal(ed_text_width("\xff\xc0\xaf", 3), 3);             /* no UTF-8 */
    assert_int_equal(ed_text_width("\xe6\x97", 2), 2);                 /* cut short */
}

static void cells_have_the_wanted_width(void **state)
{
    (void)state;
    expect_cell("cat", 5, "cat  ");
    expect_cell("cat", 3, "cat");
    expect_cell("catalogue", 6, "cat...");
    expect_cell("catalogue", 2, "..");
    expect_cell("catalogue", 0, "");
    expect_cell("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5...");
    /* Half of a wide character does not fit: a blank fills its place. */
    expect_cell("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, "... ");
    expect_cell("\xe6\x97\xa5", 4, "\xe6\x97\xa5  ");
}

static void control_characters_are_blanks(void **state)
{
    (void)state;
    expect_cell("a\tb\x1b[1m\n\x7f", 9, "a b [1m  ");
    expect_cell("a\xe2\x80\xae"
                "b",
                3, "a b"); /* right-to-left override */
    expect_cell("\xff\xfe", 2, "  ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths),
        cmocka_unit_test(cells_have_the_wanted_width),
        cmocka_unit_test(control_characters_are_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
