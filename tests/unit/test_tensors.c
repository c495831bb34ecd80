/* Weight files: what is read exactly, what is refused, and that the message names the tensor. */
#include "formats/tensors.h"

#include "base/memory.h"
#include "formats/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- files made by the tests ----------------------------------------------------------------- */

static char folder[64];

static const char *at(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int remove_files(void **state)
{
    (void)state;
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));)
        unlink(at(entry->d_name));
    closedir(open);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/embedd_tensors.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    remove_files(state);
    return rmdir(folder);
}

static void write_file(const char *name, const void *bytes, size_t n_bytes)
{
    FILE *file = fopen(at(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
}

/* A safetensors file: the header's size as it is, or `claimed`; the header; then data. */
static size_t build(unsigned char *out, const char *text, size_t n_text, uint64_t claimed,
                    const void *data, size_t n_data)
{
    memcpy(out, &claimed, 8);
    memcpy(out + 8, text, n_text);
    if (n_data > 0)
        memcpy(out + 8 + n_text, data, n_data);
    return 8 + n_text + n_data;
}

static void write_tensors(const char *name, const char *text, const void *data, size_t n_data)
{
    static unsigned char bytes[70000];
    assert_true(strlen(text) + n_data + 8 <= sizeof bytes);
    write_file(name, bytes, build(bytes, text, strlen(text), strlen(text), data, n_data));
}

/* ---- one file -------------------------------------------------------------------------------- */

static void test_reads_what_was_written(void **state)
{
    (void)state;
    /* The header's size is odd, so that no tensor is aligned. */
    const char *text =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"b.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[2,26]},"
        "\"ids\":{\"shape\":[],\"data_offsets\":[26,34],\"dtype\":\"I64\",\"x\":[{}]},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[4,0],\"data_offsets\":[26,26]},"
        "\"a\\u002eb\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[0,2]}}   ";
    const float numbers[6] = {0, 1.5f, -2.25f, 1e-40f, INFINITY, 3.4028235e38f};
    unsigned char data[34] = {0x80, 0x3F}; /* bfloat16 1.0 */
    memcpy(data + 2, numbers, sizeof numbers);
    write_tensors("model.safetensors", text, data, sizeof data);

    ed_tensors *tensors = NULL;
    embedd_error err = {0};
    float out[6] = {0};
    embedd_status status = ed_tensors_open(&tensors, folder, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, EMBEDD_OK);
    assert_int_equal(ed_tensors_count(tensors), 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(strcmp(ed_tensors_at(tensors, i - 1)->name, ed_tensors_at(tensors, i)->name) <
                    0);
    assert_null(ed_tensors_at(tensors, 4));
    assert_null(ed_tensors_find(tensors, "absent"));
    assert_null(ed_tensors_find(tensors, "__metadata__"));

    const ed_tensor *b = ed_tensors_find(tensors, "b.weight");
    assert_non_null(b);
    assert_int_equal(b->type, ED_TENSOR_F32);
    assert_int_equal(b->n_dims, 2);
    assert_int_equal(b->shape[0], 2);
    assert_int_equal(b->shape[1], 3);
    assert_int_equal(b->n_elements, 6);
    assert_int_equal(b->n_bytes, 24);
    assert_true(ed_tensor_read_f32(b, 0, 6, out));
    assert_memory_equal(out, numbers, sizeof numbers);
    assert_true(ed_tensor_read_f32(b, 4, 2, out));
    assert_memory_equal(out, numbers + 4, 2 * sizeof *out);
    assert_true(ed_tensor_read_f32(b, 6, 0, out));
    assert_false(ed_tensor_read_f32(b, 6, 1, out));
    assert_false(ed_tensor_read_f32(b, 5, SIZE_MAX, out));
    assert_false(ed_tensor_read_f32(b, SIZE_MAX, 1, out));

    assert_true(ed_tensor_read_f32(ed_tensors_find(tensors, "a.b"), 0, 1, out));
    assert_true(out[0] == 1.0f);
    assert_int_equal(ed_tensors_find(tensors, "none")->n_elements, 0);
    assert_true(ed_tensor_read_f32(ed_tensors_find(tensors, "none"), 0, 0, out));
    assert_int_equal(ed_tensors_find(tensors, "ids")->type, ED_TENSOR_OTHER);
    assert_int_equal(ed_tensors_find(tensors, "ids")->n_elements, 1);
    assert_false(ed_tensor_read_f32(ed_tensors_find(tensors, "ids"), 0, 1, out));
    ed_tensors_close(tensors);
    ed_tensors_close(NULL);
}

static void test_a_file_without_tensors(void **state)
{
    (void)state;
    ed_tensors *tensors = NULL;
    write_tensors("model.safetensors", "{}", NULL, 0);
    assert_int_equal(ed_tensors_open(&tensors, folder, NULL), EMBEDD_OK);
    assert_int_equal(ed_tensors_count(tensors), 0);
    assert_null(ed_tensors_find(tensors, "a"));
    ed_tensors_close(tensors);
}

static void test_many_tensors(void **state)
{
    (void)state;
    enum { N = 500 };
    ed_tensors *tensors = NULL;
    ed_buf text;
    unsigned char data[N];
    char name[32];
    ed_buf_init(&text, 60000);
    for (int i = 0; i < N; i++) {
        int k = i * 7 % N; /* neither names nor places in order */
        data[k] = (unsigned char)k;
        ed_buf_printf(&text, "%c\"layer.%d\":{\"dtype\":\"U8\",\"shape\":[1],", i ? ',' : '{', k);
        ed_buf_printf(&text, "\"data_offsets\":[%d,%d]}", k, k + 1);
    }
    ed_buf_append(&text, "}", 2);
    assert_false(text.failed);
    write_tensors("model.safetensors", text.data, data, N);
    ed_buf_clear(&text);
    assert_int_equal(ed_tensors_open(&tensors, folder, NULL), EMBEDD_OK);
    assert_int_equal(ed_tensors_count(tensors), N);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "layer.%d", i);
        assert_non_null(ed_tensors_find(tensors, name));
        assert_int_equal(*ed_tensors_find(tensors, name)->data, (unsigned char)i);
    }
    ed_tensors_close(tensors);
}

/* ---- one malformed file each ----------------------------------------------------------------- */

typedef struct bad_file {
    const char *text;    /* the header */
    const char *message; /* part of what is said */
    size_t n_data;
    uint64_t claimed;     /* the header's size as the file says it; 0 = as it is */
    size_t n_text;        /* 0 = strlen(text) */
    embedd_status status; /* OK stands for FORMAT */
} bad_file;

#define T(dtype, shape, offsets)                                                                   \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const bad_file bad_files[] = {
    /* the header's size */
    {"{}", "a header of 3 bytes in a file of 10", 0, 3, 0, 0},
    {"{}", "a header of 18446744073709551615 bytes in a file of 10", 0, UINT64_MAX, 0, 0},
    {"{}", "a header of 9223372036854775808 bytes in a file of 10", 0, UINT64_C(1) << 63, 0, 0},
    {"{}", "header, byte 1: the text ends in the middle of a value", 0, 1, 0, 0},
    {"", "does not begin with '{'", 0, 0, 0, 0},
    /* its JSON */
    {" {}", "does not begin with '{'", 0, 0, 0, 0},
    {"[]", "does not begin with '{'", 0, 0, 0, 0},
    {"{", "header, byte 1: the text ends", 0, 0, 0, 0},
    {"{\"a\":", "header, byte 5: the text ends", 0, 0, 0, 0},
    {"{\"a\":{\"dtype\":", "header, byte 14: the text ends", 0, 0, 0, 0},
    {"{\"a\":{\"shape\":[1", "header, byte 16: the text ends", 0, 0, 0, 0},
    {"{\"a\":{\"data_offsets\":[1,", "header, byte 24: the text ends", 0, 0, 0, 0},
    {"{}{}", "header, byte 2: something follows the value", 0, 0, 0, 0},
    {"{}\0", "header, byte 2: something follows the value", 0, 0, 3, 0},
    {"{\"\xFF\":" T("F32", "[1]", "[0,4]") "}", "header, byte 2: not UTF-8", 4, 0, 0, 0},
    {"{\"a\":" T("F32", "[NaN]", "[0,4]") "}", "header, byte 29: not a value", 4, 0, 0, 0},
    /* names */
    {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"a\":" T("F32", "[1]", "[4,8]") "}",
     "tensor a: is there twice", 8, 0, 0, 0},
    {"{\"a\":" T("F32", "[0]", "[0,0]") ",\"\\u0061\":" T("F32", "[0]", "[0,0]") "}",
     "tensor a: is there twice", 0, 0, 0, 0},
    {"{\"a\\u0000b\":" T("F32", "[1]", "[0,4]") "}", "tensor a: its name holds NUL", 4, 0, 0, 0},
    /* a tensor's fields */
    {"{\"w.1\":1}", "tensor w.1: not an object", 0, 0, 0, 0},
    {"{\"w.1\":[]}", "tensor w.1: not an object", 0, 0, 0, 0},
    {"{\"w.1\":null}", "tensor w.1: not an object", 0, 0, 0, 0},
    {"{\"w.1\":{}}", "tensor w.1: dtype, shape or data_offsets is missing", 0, 0, 0, 0},
    {"{\"w.1\":{\"dtype\":\"F32\",\"shape\":[1]}}", "tensor w.1: dtype, shape or", 4, 0, 0, 0},
    {"{\"w.1\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "tensor w.1: dtype, sh", 4, 0, 0, 0},
    {"{\"w.1\":{\"shape\":[1],\"data_offsets\":[0,4]}}", "tensor w.1: dtype, shape", 4, 0, 0, 0},
    {"{\"w.1\":{\"shape\":[1],\"shape\":[1]}}", "tensor w.1: a field is given twice", 4, 0, 0, 0},
    {"{\"w.1\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "tensor w.1: a field is", 4, 0, 0, 0},
    {"{\"w.1\":{\"data_offsets\":[0,4],\"data_offsets\":[0,4]}}", "w.1: a field is", 4, 0, 0, 0},
    {"{\"w.1\":" T("F31", "[1]", "[0,4]") "}", "tensor w.1: dtype is not known", 4, 0, 0,
     EMBEDD_UNSUPPORTED},
    {"{\"w.1\":" T("f32", "[1]", "[0,4]") "}", "tensor w.1: dtype is not known", 4, 0, 0,
     EMBEDD_UNSUPPORTED},
    {"{\"w.1\":" T("", "[1]", "[0,4]") "}", "tensor w.1: dtype is not known", 4, 0, 0,
     EMBEDD_UNSUPPORTED},
    {"{\"w.1\":{\"dtype\":1}}", "tensor w.1: dtype is not a string", 0, 0, 0, 0},
    {"{\"w.1\":" T("F32", "1", "[0,4]") "}", "tensor w.1: shape is not a list", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "{}", "[0,4]") "}", "tensor w.1: shape is not a list", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[-1]", "[0,4]") "}", "tensor w.1: shape is not a list", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1.0]", "[0,4]") "}", "tensor w.1: shape is not a list", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[[1]]", "[0,4]") "}", "tensor w.1: shape is not a list", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[\"1\"]", "[0,4]") "}", "tensor w.1: shape is not a", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[18446744073709551616]", "[0,4]") "}", "w.1: shape is not a", 4, 0, 0,
     0},
    {"{\"w.1\":" T("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", "tensor w.1: more than 8 dim", 4, 0,
     0, EMBEDD_UNSUPPORTED},
    {"{\"w.1\":" T("F32", "[1]", "4") "}", "tensor w.1: data_offsets is not two", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[4]") "}", "tensor w.1: data_offsets is not two", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,4,4]") "}", "tensor w.1: data_offsets is not", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[-4,0]") "}", "tensor w.1: data_offsets is not", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,4.0]") "}", "tensor w.1: data_offsets is not", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,18446744073709551620]") "}", "data_offsets is not", 4, 0, 0,
     0},
    /* sizes and places */
    {"{\"w.1\":" T("F32", "[4294967296,4294967296]", "[0,4]") "}", "w.1: shape overflows", 4, 0, 0,
     0},
    {"{\"w.1\":" T("F32", "[4294967296,4294967296,0]", "[0,0]") "}", "w.1: shape overflows", 0, 0,
     0, 0},
    {"{\"w.1\":" T("F64", "[2305843009213693952]", "[0,0]") "}", "w.1: shape overflows", 0, 0, 0,
     0},
    {"{\"w.1\":" T("F32", "[1152921504606846976]", "[0,4611686018427387904]") "}",
     "tensor w.1: data_offsets lie beyond the file's end", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1152921504606846976]", "[0,4]") "}",
     "tensor w.1: data_offsets do not match dtype and shape", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[4,0]") "}", "tensor w.1: data_offsets run backwards", 4, 0, 0,
     0},
    {"{\"w.1\":" T("F32", "[1]", "[4,8]") "}", "tensor w.1: data_offsets lie beyond", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[2]", "[0,8]") "}", "tensor w.1: data_offsets lie beyond", 7, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[18446744073709551612,18446744073709551615]") "}",
     "tensor w.1: data_offsets lie beyond", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,3]") "}", "tensor w.1: data_offsets do not match", 4, 0, 0, 0},
    {"{\"w.1\":" T("F16", "[1]", "[0,4]") "}", "tensor w.1: data_offsets do not match", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[]", "[0,0]") "}", "tensor w.1: data_offsets do not match", 0, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,4]") ",\"w.2\":" T("F32", "[1]", "[2,6]") "}",
     "tensor w.2: overlaps another tensor", 6, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,4]") ",\"w.2\":" T("F32", "[1]", "[0,4]") "}",
     "overlaps another tensor", 4, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[2]", "[0,8]") ",\"w.2\":" T("F32", "[0]", "[4,4]") "}",
     "tensor w.2: overlaps another tensor", 8, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,4]") ",\"w.2\":" T("F32", "[1]", "[5,9]") "}",
     "tensor w.2: unused bytes lie before it", 9, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[1,5]") "}", "tensor w.1: unused bytes lie before", 5, 0, 0, 0},
    {"{\"w.1\":" T("F32", "[1]", "[0,4]") "}", "1 bytes after the last tensor", 5, 0, 0, 0},
    {"{}", "1 bytes after the last tensor", 1, 0, 0, 0},
    /* the metadata */
    {"{\"__metadata__\":[]}", "__metadata__ is not an object of strings", 0, 0, 0, 0},
    {"{\"__metadata__\":null}", "__metadata__ is not an object of strings", 0, 0, 0, 0},
    {"{\"__metadata__\":{\"a\":1}}", "__metadata__ is not an object of strings", 0, 0, 0, 0},
    {"{\"__metadata__\":{\"a\":{}}}", "__metadata__ is not an object of strings", 0, 0, 0, 0},
    {"{\"__metadata__\":{\"a\":\"b\"", "header, byte 24: the text ends", 0, 0, 0, 0},
};

static void check_bad(const bad_file *bad)
{
    static const unsigned char data[16];
    unsigned char bytes[512];
    size_t n_text = bad->n_text ? bad->n_text : strlen(bad->text);
    assert_true(8 + n_text + bad->n_data <= sizeof bytes);
    size_t n_bytes =
        build(bytes, bad->text, n_text, bad->claimed ? bad->claimed : n_text, data, bad->n_data);
    write_file("model.safetensors", bytes, n_bytes);

    ed_tensors *tensors = NULL;
    embedd_error err = {0};
    embedd_status status = ed_tensors_open(&tensors, folder, &err);
    embedd_status expected = bad->status ? bad->status : EMBEDD_FORMAT;
    if (status != expected || tensors || !strstr(err.message, bad->message) ||
        !strstr(err.message, at("model.safetensors")))
        fail_msg("%s: status %d, \"%s\"; not \"%s\"", bad->text, status, err.message, bad->message);
}

static void test_malformed_files(void **state)
{
    (void)state;
#ifndef SANITIZED
    /* Whoever allocated by a header's claims would run out here, and say so instead. */
    struct rlimit before, small = {256u << 20, 256u << 20};
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
#endif
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++)
        check_bad(&bad_files[i]);
#ifndef SANITIZED
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
#endif
}

static void test_files_too_short_for_a_size(void **state)
{
    (void)state;
    ed_tensors *tensors = NULL;
    embedd_error err;
    for (size_t n = 0; n < 8; n++) {
        write_file("model.safetensors", "\0\0\0\0\0\0\0", n);
        assert_int_equal(ed_tensors_open(&tensors, folder, &err), EMBEDD_FORMAT);
        assert_non_null(strstr(err.message, "bytes hold no header size"));
    }
}

static void test_header_over_the_limit(void **state)
{
    (void)state;
    ed_tensors *tensors = NULL;
    embedd_error err;
    uint64_t size = 100000001;
    write_file("model.safetensors", &size, sizeof size);
    assert_int_equal(truncate(at("model.safetensors"), 200000000), 0); /* a sparse file */
    assert_int_equal(ed_tensors_open(&tensors, folder, &err), EMBEDD_FORMAT);
    assert_non_null(strstr(err.message, "a header of 100000001 bytes, 100000000 are allowed"));
}

static void test_every_cut_of_a_file_is_refused(void **state)
{
    (void)state;
    const char *text = "{\"a\":" T("F32", "[2]", "[0,8]") ",\"b\":" T("I8", "[3]", "[8,11]") "}";
    unsigned char bytes[256];
    size_t n_bytes = build(bytes, text, strlen(text), strlen(text), "0123456789a", 11);
    for (size_t n = 0; n <= n_bytes; n++) {
        /* A block of its own: a read beyond the cut would be seen. */
        unsigned char *cut = malloc(n ? n : 1);
        ed_safetensors file;
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        embedd_status status = ed_safetensors_parse(&file, cut, n, "cut", NULL);
        assert_int_equal(status, n == n_bytes ? EMBEDD_OK : EMBEDD_FORMAT);
        ed_safetensors_close(&file);
        free(cut);
    }
}

/* ---- a folder -------------------------------------------------------------------------------- */

static void check_open_fails(embedd_status expected, const char *message)
{
    ed_tensors *tensors = NULL;
    embedd_error err = {0};
    embedd_status status = ed_tensors_open(&tensors, folder, &err);
    if (status != expected || tensors || !strstr(err.message, message))
        fail_msg("status %d, \"%s\"; not \"%s\"", status, err.message, message);
}

static void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

static void test_folder_without_weights(void **state)
{
    remove_files(state);
    check_open_fails(EMBEDD_NOT_FOUND, "neither model.safetensors nor model.safetensors.index.jso");
    write_text("pytorch_model.bin", "PK");
    check_open_fails(EMBEDD_UNSUPPORTED, "pickle");
}

static void write_shards(void)
{
    write_tensors("one.safetensors",
                  "{\"a\":" T("F32", "[1]", "[0,4]") ",\"c\":" T("F32", "[1]", "[4,8]") "}",
                  "\0\0\x80\x3F\0\0\0\x40", 8);
    write_tensors("two.safetensors", "{\"b\":" T("F16", "[1]", "[0,2]") "}", "\0\x42", 2);
}

static void write_index(const char *weight_map)
{
    char text[512];
    snprintf(text, sizeof text, "{\"metadata\":{\"total_size\":10},\"weight_map\":%s}", weight_map);
    write_text("model.safetensors.index.json", text);
}

static void test_shards(void **state)
{
    remove_files(state);
    write_shards();
    write_index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\",\"c\":\"one.safetensors\"}");
    ed_tensors *tensors = NULL;
    embedd_error err = {0};
    embedd_status status = ed_tensors_open(&tensors, folder, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, EMBEDD_OK);
    assert_int_equal(ed_tensors_count(tensors), 3);
    const char *const names[] = {"a", "b", "c"};
    const float values[] = {1, 3, 2};
    for (size_t i = 0; i < 3; i++) {
        float value = 0;
        assert_ptr_equal(ed_tensors_find(tensors, names[i]), ed_tensors_at(tensors, i));
        assert_true(ed_tensor_read_f32(ed_tensors_at(tensors, i), 0, 1, &value));
        assert_true(value == values[i]);
    }
    ed_tensors_close(tensors);

    write_index("{}"); /* nothing is promised, nothing is there */
    assert_int_equal(ed_tensors_open(&tensors, folder, NULL), EMBEDD_OK);
    assert_int_equal(ed_tensors_count(tensors), 0);
    ed_tensors_close(tensors);
}

static void test_bad_indexes(void **state)
{
    remove_files(state);
    write_shards();
    write_text("model.safetensors.index.json", "{\"weight_map\":");
    check_open_fails(EMBEDD_FORMAT, "index.json: byte 14: the text ends");
    write_text("model.safetensors.index.json", "[]");
    check_open_fails(EMBEDD_FORMAT, "index.json: not an object");
    write_text("model.safetensors.index.json", "{}");
    check_open_fails(EMBEDD_FORMAT, "index.json: weight_map is missing");
    write_index("[]");
    check_open_fails(EMBEDD_FORMAT, "index.json: weight_map is not an object");
    write_index("{\"a\":1}");
    check_open_fails(EMBEDD_FORMAT, "index.json: tensor a: the shard is not a string");
    write_index("{\"a\":null}");
    check_open_fails(EMBEDD_FORMAT, "index.json: tensor a: the shard is not a string");
    write_index("{\"b\":\"one.safetensors\"}");
    check_open_fails(EMBEDD_FORMAT, "index.json: tensor b is not in one.safetensors");
    write_index("{\"a\":\"three.safetensors\"}");
    check_open_fails(EMBEDD_NOT_FOUND, "three.safetensors: No such file");
    const char *const ways_out[] = {
        "",         "/etc/passwd", "../one.safetensors", "x/one.safetensors", ".", "..", ".one",
        "x\\\\one", "C:one",       "one\\u0000"};
    for (size_t i = 0; i < sizeof ways_out / sizeof *ways_out; i++) {
        char map[128];
        snprintf(map, sizeof map, "{\"a\":\"%s\"}", ways_out[i]);
        write_index(map);
        check_open_fails(EMBEDD_FORMAT, "is not the name of a file in the folder");
    }
}

static void test_bad_shards(void **state)
{
    remove_files(state);
    write_shards();
    write_index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
    write_tensors("two.safetensors",
                  "{\"b\":" T("F16", "[1]", "[0,2]") ",\"a\":" T("I8", "[1]", "[2,3]") "}", "012",
                  3);
    check_open_fails(EMBEDD_FORMAT, "tensor a is there twice");
    write_tensors("two.safetensors", "{\"b\":" T("F16", "[2]", "[0,4]") "}", "01", 2);
    check_open_fails(EMBEDD_FORMAT, "two.safetensors: tensor b: data_offsets lie beyond");
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* IEEE 754's definition of a half, in double. */
static double half_value(unsigned half)
{
    int exponent = (int)(half >> 10 & 31);
    double fraction = (half & 0x3FF) / 1024.0;
    double size = exponent == 31  ? (fraction > 0 ? (double)NAN : (double)INFINITY)
                  : exponent == 0 ? ldexp(fraction, -14)
                                  : ldexp(1 + fraction, exponent - 15);
    return half & 0x8000 ? -size : size;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void test_every_f16(void **state)
{
    (void)state;
    enum { N = 65536 };
    static unsigned char data[2 * N + 1];
    static float out[N];
    for (unsigned i = 0; i < N; i++)
        memcpy(data + 1 + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    ed_tensor tensor = {.type = ED_TENSOR_F16, .n_elements = N, .data = data + 1};
    assert_true(ed_tensor_read_f32(&tensor, 0, N, out));
    for (unsigned i = 0; i < N; i++) {
        double expected = half_value(i);
        if (isnan(expected)) /* sign and fraction are kept */
            assert_int_equal(bits_of(out[i]),
                             (i & 0x8000u) << 16 | 0x7F800000u | (i & 0x3FFu) << 13);
        else if ((double)out[i] != expected || !signbit(out[i]) != !signbit(expected))
            fail_msg("half %04x is %g, not %g", i, (double)out[i], expected);
    }
    for (size_t begin = 1000; begin < 1200; begin += 7) /* any part is the same as the whole */
        for (size_t n = 0; n < 140; n += 3) {
            float part[140];
            assert_true(ed_tensor_read_f32(&tensor, begin, n, part));
            assert_memory_equal(part, out + begin, n * sizeof *part);
        }
}

static void test_every_bf16(void **state)
{
    (void)state;
    enum { N = 65536 };
    static unsigned char data[2 * N + 1];
    static float out[N];
    for (unsigned i = 0; i < N; i++)
        memcpy(data + 1 + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    ed_tensor tensor = {.type = ED_TENSOR_BF16, .n_elements = N, .data = data + 1};
    assert_true(ed_tensor_read_f32(&tensor, 0, N, out));
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(bits_of(out[i]), i << 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_was_written),
        cmocka_unit_test(test_a_file_without_tensors),
        cmocka_unit_test(test_many_tensors),
        cmocka_unit_test(test_malformed_files),
        cmocka_unit_test(test_files_too_short_for_a_size),
        cmocka_unit_test(test_header_over_the_limit),
        cmocka_unit_test(test_every_cut_of_a_file_is_refused),
        cmocka_unit_test(test_folder_without_weights),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_bad_indexes),
        cmocka_unit_test(test_bad_shards),
        cmocka_unit_test(test_every_f16),
        cmocka_unit_test(test_every_bf16),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
