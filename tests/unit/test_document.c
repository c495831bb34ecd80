/* The bytes of a file: which are text, and as which characters they are read. */
#include "documents/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define BYTES(literal) literal, sizeof literal - 1

static void expect(const char *bytes, size_t n_bytes, const char *text, size_t n_replaced)
{
    ed_document document;
    embedd_error err;
    if (ed_document_open(&document, ED_DOCUMENT_TEXT, bytes, n_bytes, &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    assert_int_equal(document.n_bytes, strlen(text));
    assert_memory_equal(document.text, text, strlen(text));
    assert_int_equal(document.n_replaced, n_replaced);
    ed_document_close(&document);
}

static void refuse(ed_document_type type, const char *bytes, size_t n_bytes, const char *why)
{
    ed_document document;
    embedd_error err;
    assert_int_equal(ed_document_open(&document, type, bytes, n_bytes, &err), EMBEDD_UNSUPPORTED);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
    ed_document_close(&document);
}

static void test_utf8_with_and_without_a_mark(void **state)
{
    (void)state;
    expect(BYTES(""), "", 0);
    expect(BYTES("Gr\xc3\xbc\xc3\x9f"), "Gr\xc3\xbc\xc3\x9f", 0);
    expect(BYTES("\xef\xbb\xbfmarked"), "marked", 0);
    expect(BYTES("\xef\xbb\xbf"), "", 0);
}

static void test_what_is_not_utf8_is_replaced_and_counted(void **state)
{
    (void)state;
    expect(BYTES("Gr\xfc\xdf"), "Gr\xef\xbf\xbd\xef\xbf\xbd", 2); /* Latin-1 */
    expect(BYTES("cut \xe2\x82"), "cut \xef\xbf\xbd\xef\xbf\xbd", 2);
    expect(BYTES("\xef\xbb\xbf\xff!"), "\xef\xbf\xbd!", 1);
}

static void test_utf16_with_a_mark(void **state)
{
    (void)state;
    expect(BYTES("\xff\xfeh\0\xfc\0\x3d\xd8\x00\xde"), "h\xc3\xbc\xf0\x9f\x98\x80", 0);
    expect(BYTES("\xfe\xff\0h\0\xfc\xd8\x3d\xde\x00"), "h\xc3\xbc\xf0\x9f\x98\x80", 0);
    expect(BYTES("\xff\xfe"), "", 0);
    expect(BYTES("\xfe\xff\xd8\x3d\0h"), "\xef\xbf\xbdh", 1); /* half a pair */
    expect(BYTES("\xff\xfeh\0\x3d\xd8"), "h\xef\xbf\xbd", 1);
    expect(BYTES("\xff\xfeh\0x"), "h\xef\xbf\xbd", 1); /* half a unit */
}

static void test_what_is_no_text_is_refused(void **state)
{
    (void)state;
    refuse(ED_DOCUMENT_TEXT, BYTES("ab\0cd"), "byte 2 is NUL");
    refuse(ED_DOCUMENT_TEXT, BYTES("\xff\xfeh\0\0\0"), "NUL at byte 4");
    refuse(ED_DOCUMENT_TEXT, BYTES("%PDF-1.7\n"), "another kind");
    refuse(ED_DOCUMENT_MARKDOWN, BYTES("PK\x03\x04 and more"), "another kind");
    refuse(ED_DOCUMENT_OTHER, BYTES("text"), "only plain text and Markdown");
}

static ed_document_type of_name(const char *name)
{
    return ed_document_type_of_name((embedd_text){name, strlen(name)});
}

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(of_name("a.txt"), ED_DOCUMENT_TEXT);
    assert_int_equal(of_name("/b/README.MD"), ED_DOCUMENT_MARKDOWN);
    assert_int_equal(of_name("a.pdf"), ED_DOCUMENT_OTHER);
    assert_int_equal(of_name("txt"), ED_DOCUMENT_OTHER);
    assert_int_equal(of_name(""), ED_DOCUMENT_OTHER);
    assert_int_equal(ed_document_type_of_media("Text/Plain; charset=utf-8"), ED_DOCUMENT_TEXT);
    assert_int_equal(ed_document_type_of_media("text/markdown"), ED_DOCUMENT_MARKDOWN);
    assert_int_equal(ed_document_type_of_media("text/plainer"), ED_DOCUMENT_OTHER);
    assert_int_equal(ed_document_type_of_media(NULL), ED_DOCUMENT_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_with_and_without_a_mark),
        cmocka_unit_test(test_what_is_not_utf8_is_replaced_and_counted),
        cmocka_unit_test(test_utf16_with_a_mark),
        cmocka_unit_test(test_what_is_no_text_is_refused),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
