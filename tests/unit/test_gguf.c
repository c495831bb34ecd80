/* GGUF files built byte by byte: what is well-formed reads back, and each way to be malformed is
 * refused with a message that says what and where. */
#include "formats/gguf.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static ed_buf file;
static ed_gguf gguf;
static embedd_error err;

static void put(uint64_t number, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++, number >>= 8) {
        char byte = (char)(number & 255);
        ed_buf_append(&file, &byte, 1);
    }
}

static void put_text(const char *text)
{
    put(strlen(text), 8);
    ed_buf_append_text(&file, text);
}

static void put_head(uint64_t n_tensors, uint64_t n_fields)
{
    ed_buf_clear(&file);
    ed_buf_init(&file, 1 << 20);
    ed_buf_append_text(&file, "GGUF");
    put(3, 4);
    put(n_tensors, 8);
    put(n_fields, 8);
}

static void put_field(const char *key, ed_gguf_type type)
{
    put_text(key);
    put(type, 4);
}

static void put_array(const char *key, ed_gguf_type type, uint64_t n)
{
    put_field(key, ED_GGUF_ARRAY);
    put(type, 4);
    put(n, 8);
}

static void put_tensor(const char *name, uint64_t n_cols, uint64_t n_rows, uint32_t type,
                       uint64_t offset)
{
    put_text(name);
    put(2, 4);
    put(n_cols, 8);
    put(n_rows, 8);
    put(type, 4);
    put(offset, 8);
}

static void put_zeros(size_t n_bytes)
{
    while (n_bytes-- > 0)
        put(0, 1);
}

static void align(void)
{
    put_zeros((32 - file.n_bytes % 32) % 32);
}

/* Over memory of the very size, so that a sanitizer sees what reads past it. */
static embedd_status parse(void)
{
    static unsigned char *bytes;

    free(bytes);
    bytes = malloc(file.n_bytes ? file.n_bytes : 1);
    if (file.n_bytes > 0)
        memcpy(bytes, file.data, file.n_bytes);
    ed_gguf_close(&gguf);
    return ed_gguf_parse(&gguf, bytes, file.n_bytes, "x.gguf", &err);
}

static void expect(embedd_status status, const char *words)
{
    assert_int_equal(parse(), status);
    assert_int_equal(strncmp(err.message, "x.gguf: ", 8), 0);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static int close_all(void **state)
{
    (void)state;
    ed_buf_clear(&file);
    ed_gguf_close(&gguf);
    return 0;
}

/* ---- what is well-formed --------------------------------------------------------------------- */

static void every_type_of_field_reads_back(void **state)
{
    size_t size = 7;
    double number = 7;
    bool on = false;
    embedd_text text = {NULL, 0};
    const float half = 0.5F;
    const double third = 1.0 / 3;

    (void)state;
    put_head(0, 8);
    put_field("u8", ED_GGUF_U8);
    put(200, 1);
    put_field("i16", ED_GGUF_I16);
    put((uint16_t)-2, 2);
    put_field("u64", ED_GGUF_U64);
    put(UINT64_MAX, 8);
    put_field("f32", ED_GGUF_F32);
    ed_buf_append(&file, &half, 4);
    put_field("f64", ED_GGUF_F64);
    ed_buf_append(&file, &third, 8);
    put_field("on", ED_GGUF_BOOL);
    put(1, 1);
    put_field("text", ED_GGUF_STRING);
    put_text("some text");
    put_field("big", ED_GGUF_I64);
    put(INT64_MAX, 8);
    assert_int_equal(parse(), EMBEDD_OK);

    assert_int_equal(ed_gguf_get_size(&gguf, "u8", &size, &err), EMBEDD_OK);
    assert_int_equal(size, 200);
    assert_int_equal(ed_gguf_get_size(&gguf, "i16", &size, &err), EMBEDD_FORMAT);
    assert_string_equal(err.message, "x.gguf: i16 is not a whole number");
    assert_int_equal(ed_gguf_get_double(&gguf, "i16", &number, &err), EMBEDD_OK);
    assert_true(number == -2);
    assert_int_equal(ed_gguf_get_size(&gguf, "u64", &size, &err), EMBEDD_OK);
    assert_true(size == SIZE_MAX);
    assert_int_equal(ed_gguf_get_size(&gguf, "big", &size, &err), EMBEDD_OK);
    assert_true(size == INT64_MAX);
    assert_int_equal(ed_gguf_get_double(&gguf, "f32", &number, &err), EMBEDD_OK);
    assert_true(number == 0.5);
    assert_int_equal(ed_gguf_get_double(&gguf, "f64", &number, &err), EMBEDD_OK);
    assert_true(number == third);
    assert_int_equal(ed_gguf_get_bool(&gguf, "on", &on, &err), EMBEDD_OK);
    assert_true(on);
    assert_int_equal(ed_gguf_get_string(&gguf, "text", &text, &err), EMBEDD_OK);
    assert_int_equal(text.n_bytes, 9);
    assert_memory_equal(text.bytes, "some text", 9);
}

static void what_is_absent_stays_as_it_is(void **state)
{
    size_t size = 7;
    double number = 7;
    bool on = true;
    embedd_text text = {"x", 1};
    ed_gguf_array array = {.n = 3};

    (void)state;
    put_head(0, 0);
    assert_int_equal(parse(), EMBEDD_OK);
    assert_int_equal(ed_gguf_get_size(&gguf, "a", &size, &err), EMBEDD_OK);
    assert_int_equal(ed_gguf_get_double(&gguf, "a", &number, &err), EMBEDD_OK);
    assert_int_equal(ed_gguf_get_bool(&gguf, "a", &on, &err), EMBEDD_OK);
    assert_int_equal(ed_gguf_get_string(&gguf, "a", &text, &err), EMBEDD_OK);
    assert_int_equal(ed_gguf_get_array(&gguf, "a", ED_GGUF_F32, &array, &err), EMBEDD_OK);
    assert_true(size == 7 && number == 7 && on && text.n_bytes == 1 && array.n == 3);
}

static void fields_of_another_type_are_refused(void **state)
{
    size_t size;
    double number;
    bool on;
    embedd_text text;
    ed_gguf_array array;
    const double nan = (double)NAN;

    (void)state;
    put_head(0, 4);
    put_field("text", ED_GGUF_STRING);
    put_text("7");
    put_array("list", ED_GGUF_U32, 1);
    put(7, 4);
    put_field("nan", ED_GGUF_F64);
    ed_buf_append(&file, &nan, 8);
    put_field("nul", ED_GGUF_STRING);
    put(1, 8);
    put(0, 1);
    assert_int_equal(parse(), EMBEDD_OK);
    assert_int_equal(ed_gguf_get_size(&gguf, "text", &size, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_size(&gguf, "list", &size, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_size(&gguf, "nan", &size, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_double(&gguf, "text", &number, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_double(&gguf, "nan", &number, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_bool(&gguf, "text", &on, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_string(&gguf, "list", &text, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_string(&gguf, "nul", &text, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_array(&gguf, "text", ED_GGUF_STRING, &array, &err), EMBEDD_FORMAT);
    assert_int_equal(ed_gguf_get_array(&gguf, "list", ED_GGUF_I32, &array, &err), EMBEDD_FORMAT);
}

static void arrays_read_back(void **state)
{
    ed_gguf_array array;
    embedd_text text;
    const float numbers[] = {1.5F, -2};

    (void)state;
    put_head(0, 3);
    put_array("texts", ED_GGUF_STRING, 2);
    put_text("one");
    put_text("");
    put_array("floats", ED_GGUF_F32, 2);
    ed_buf_append(&file, numbers, sizeof numbers);
    put_array("ints", ED_GGUF_I32, 1);
    put((uint32_t)-5, 4);
    assert_int_equal(parse(), EMBEDD_OK);
    assert_int_equal(ed_gguf_get_array(&gguf, "texts", ED_GGUF_STRING, &array, &err), EMBEDD_OK);
    assert_true(ed_gguf_next_string(&array, &text));
    assert_int_equal(text.n_bytes, 3);
    assert_true(ed_gguf_next_string(&array, &text));
    assert_int_equal(text.n_bytes, 0);
    assert_false(ed_gguf_next_string(&array, &text));
    assert_int_equal(ed_gguf_get_array(&gguf, "floats", ED_GGUF_F32, &array, &err), EMBEDD_OK);
    assert_true(ed_gguf_float_at(&array, 1) == -2);
    assert_int_equal(ed_gguf_get_array(&gguf, "ints", ED_GGUF_I32, &array, &err), EMBEDD_OK);
    assert_int_equal(ed_gguf_int_at(&array, 0), -5);
}

static void tensors_are_views(void **state)
{
    (void)state;
    put_head(2, 0);
    put_tensor("second", 32, 2, 8, 32); /* Q8_0: 2 blocks of 34 bytes */
    put_tensor("first", 4, 2, 0, 0);    /* F32 */
    align();
    put_zeros(32 + 68);
    assert_int_equal(parse(), EMBEDD_OK);
    assert_int_equal(gguf.n_tensors, 2);
    const ed_tensor *first = &gguf.tensors[0], *second = &gguf.tensors[1];
    assert_string_equal(first->name, "first");
    assert_string_equal(second->name, "second");
    assert_int_equal(first->shape[0], 2);
    assert_int_equal(first->shape[1], 4);
    assert_int_equal(first->n_bytes, 32);
    assert_int_equal(second->n_elements, 64);
    assert_int_equal(second->n_bytes, 68);
    assert_int_equal(second->data - first->data, 32);
}

/* ---- what is not ----------------------------------------------------------------------------- */

static void every_cut_is_refused(void **state)
{
    (void)state;
    put_head(1, 2);
    put_field("key", ED_GGUF_STRING);
    put_text("value");
    put_array("list", ED_GGUF_F32, 3);
    put_zeros(12);
    put_tensor("t", 4, 1, 0, 0);
    align();
    put_zeros(16);
    assert_int_equal(parse(), EMBEDD_OK);
    for (size_t n = file.n_bytes; n-- > 0;) {
        file.n_bytes = n;
        assert_int_equal(parse(), EMBEDD_FORMAT);
        assert_int_equal(strncmp(err.message, "x.gguf: ", 8), 0);
    }
}

static void other_files_are_refused(void **state)
{
    (void)state;
    put_head(0, 0);
    file.data[0] = 'X';
    expect(EMBEDD_FORMAT, "not a GGUF file");
    put_head(0, 0);
    file.data[4] = 1;
    expect(EMBEDD_UNSUPPORTED, "version 1");
    file.data[4] = 4;
    expect(EMBEDD_UNSUPPORTED, "version 4");
    file.data[4] = 2;
    assert_int_equal(parse(), EMBEDD_OK);
    memcpy(file.data + 4, "\0\0\0\3", 4);
    expect(EMBEDD_UNSUPPORTED, "big-endian");
}

static void counts_that_cannot_be_are_refused(void **state)
{
    static const uint64_t counts[] = {1, 1000, UINT32_MAX, UINT64_MAX / 8, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        put_head(0, counts[i]);
        expect(EMBEDD_FORMAT, "metadata fields cannot be in 0 bytes");
        put_head(counts[i], 0);
        expect(EMBEDD_FORMAT, "tensors cannot be in 0 bytes");
        put_head(0, 1);
        put_array("list", ED_GGUF_U64, counts[i]);
        expect(EMBEDD_FORMAT, "of list");
        put_head(0, 1);
        put_array("texts", ED_GGUF_STRING, counts[i]);
        expect(EMBEDD_FORMAT, "of texts");
        put_head(0, 1);
        put_field("text", ED_GGUF_STRING);
        put(counts[i], 8);
        expect(EMBEDD_FORMAT, "a string");
        put_head(0, 1);
        put(counts[i] == 1 ? 13 : counts[i], 8); /* of the key */
        put_zeros(12);
        assert_int_equal(parse(), EMBEDD_FORMAT);
    }
}

static void fields_that_cannot_be_are_refused(void **state)
{
    (void)state;
    put_head(0, 1);
    put_field("odd", 13);
    put_zeros(8);
    expect(EMBEDD_FORMAT, "metadata field odd has type 13, which there is not");
    put_head(0, 1);
    put_array("nested", ED_GGUF_ARRAY, 1);
    put_zeros(16);
    expect(EMBEDD_FORMAT, "an array in an array");
    put_head(0, 1);
    put_field("flag", ED_GGUF_BOOL);
    put(2, 1);
    put_zeros(4);
    expect(EMBEDD_FORMAT, "flag is neither true nor false");
    put_head(0, 1);
    put_text("");
    put_zeros(8);
    expect(EMBEDD_FORMAT, "an empty metadata key");
    put_head(0, 2);
    put_field("same", ED_GGUF_U32);
    put(1, 4);
    put_field("same", ED_GGUF_U32);
    put(2, 4);
    expect(EMBEDD_FORMAT, "metadata field same is there twice");
}

/* One tensor, and room for 64 bytes of it. */
static void expect_tensor(embedd_status status, const char *words, uint64_t n_cols, uint64_t n_rows,
                          uint32_t type, uint64_t offset)
{
    put_head(1, 0);
    put_tensor("t", n_cols, n_rows, type, offset);
    align();
    put_zeros(64);
    expect(status, words);
}

static void tensors_that_cannot_be_are_refused(void **state)
{
    (void)state;
    expect_tensor(EMBEDD_FORMAT, "not all in the file", 17, 1, 0, 0);
    expect_tensor(EMBEDD_FORMAT, "not all in the file", 1, 1, 0, 64);
    expect_tensor(EMBEDD_FORMAT, "not all in the file", 1, 1, 0, UINT64_MAX & ~(uint64_t)31);
    expect_tensor(EMBEDD_FORMAT, "is not aligned", 1, 1, 0, 4);
    expect_tensor(EMBEDD_FORMAT, "dimension of 0", 0, 1, 0, 0);
    expect_tensor(EMBEDD_FORMAT, "too many elements", UINT64_MAX, 2, 0, 0);
    expect_tensor(EMBEDD_FORMAT, "too many elements", (uint64_t)1 << 62, 2, 0, 0);
    expect_tensor(EMBEDD_FORMAT, "Q8_0's blocks of 32", 33, 1, 8, 0);
    expect_tensor(EMBEDD_UNSUPPORTED, "has type 4", 32, 1, 4, 0);
    expect_tensor(EMBEDD_UNSUPPORTED, "has type 99", 32, 1, 99, 0);

    put_head(1, 0);
    put_text("");
    put_zeros(40);
    expect(EMBEDD_FORMAT, "name is empty");
    put_head(1, 0);
    put_text("t");
    put(5, 4);
    put_zeros(60);
    expect(EMBEDD_FORMAT, "5 dimensions");
}

static void tensors_that_overlap_are_refused(void **state)
{
    (void)state;
    put_head(2, 0);
    put_tensor("a", 16, 1, 0, 0);
    put_tensor("b", 4, 1, 0, 32);
    align();
    put_zeros(64);
    expect(EMBEDD_FORMAT, "tensors a and b overlap");
}

static void alignments_that_cannot_be_are_refused(void **state)
{
    static const uint32_t alignments[] = {0, 3, 48, 1U << 31};

    (void)state;
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        put_head(0, 1);
        put_field("general.alignment", ED_GGUF_U32);
        put(alignments[i], 4);
        expect(EMBEDD_FORMAT, "general.alignment");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_type_of_field_reads_back, close_all),
        cmocka_unit_test_teardown(what_is_absent_stays_as_it_is, close_all),
        cmocka_unit_test_teardown(fields_of_another_type_are_refused, close_all),
        cmocka_unit_test_teardown(arrays_read_back, close_all),
        cmocka_unit_test_teardown(tensors_are_views, close_all),
        cmocka_unit_test_teardown(every_cut_is_refused, close_all),
        cmocka_unit_test_teardown(other_files_are_refused, close_all),
        cmocka_unit_test_teardown(counts_that_cannot_be_are_refused, close_all),
        cmocka_unit_test_teardown(fields_that_cannot_be_are_refused, close_all),
        cmocka_unit_test_teardown(tensors_that_cannot_be_are_refused, close_all),
        cmocka_unit_test_teardown(tensors_that_overlap_are_refused, close_all),
        cmocka_unit_test_teardown(alignments_that_cannot_be_are_refused, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
