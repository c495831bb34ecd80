/* Mapping and reading files, and what is refused. */
#include "base/file_map.h"

#include "base/file_cuts.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64]; /* made for the run, removed at its end */

static char *at(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *bytes, size_t n_bytes)
{
    FILE *file = fopen(at(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/embedd_file_map.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(at("some"));
    unlink(at("other"));
    unlink(at("empty"));
    unlink(at("fifo"));
    unlink(at("link"));
    return rmdir(folder);
}

static void test_map(void **state)
{
    (void)state;
    ed_file_map map;
    embedd_error err;
    write_file("some", "a\0b", 3);
    assert_int_equal(ed_file_map_open(&map, at("some"), 3, &err), EMBEDD_OK);
    assert_int_equal(map.n_bytes, 3);
    assert_memory_equal(map.data, "a\0b", 3);
    ed_file_map_close(&map);
    assert_null(map.data);
    ed_file_map_close(&map);
}

static void test_map_lives_without_its_file(void **state)
{
    (void)state;
    ed_file_map map;
    write_file("some", "kept", 4);
    assert_int_equal(ed_file_map_open(&map, at("some"), 100, NULL), EMBEDD_OK);
    unlink(at("some"));
    assert_memory_equal(map.data, "kept", 4);
    ed_file_map_close(&map);
}

/* What is gone reads as zeros, and one learns that it is gone; others are whole. */
static void test_a_file_that_becomes_shorter(void **state)
{
    (void)state;
    enum { N_BYTES = 200000 };
    ed_file_map map, other;
    embedd_error err;
    char *bytes = calloc(N_BYTES, 1);
    assert_non_null(bytes);
    memset(bytes, 'x', N_BYTES);
    ed_file_cuts_survive();
    write_file("some", bytes, N_BYTES);
    write_file("other", bytes, N_BYTES);
    assert_int_equal(ed_file_map_open(&map, at("some"), N_BYTES, NULL), EMBEDD_OK);
    assert_int_equal(ed_file_map_open(&other, at("other"), N_BYTES, NULL), EMBEDD_OK);
    assert_int_equal(ed_file_map_check(&map, &err), EMBEDD_OK);
    assert_int_equal(truncate(at("some"), 100), 0);
    const volatile unsigned char *data = map.data;
    assert_int_equal(data[99], 'x');
    assert_int_equal(data[N_BYTES / 2], 0);
    assert_int_equal(data[N_BYTES - 1], 0);
    write_file("some", bytes, N_BYTES); /* too late: it was cut */
    assert_int_equal(ed_file_map_check(&map, &err), EMBEDD_IO);
    assert_non_null(strstr(err.message, at("some")));
    assert_int_equal(ed_file_map_check(&other, &err), EMBEDD_OK);
    ed_file_map_close(&map);
    assert_int_equal(truncate(at("other"), N_BYTES - 1), 0); /* no page is gone */
    assert_int_equal(ed_file_map_check(&other, &err), EMBEDD_IO);
    ed_file_map_close(&other);
    free(bytes);
}

static void test_empty_file(void **state)
{
    (void)state;
    ed_file_map map;
    char *data = NULL;
    size_t n_bytes = 1;
    write_file("empty", "", 0);
    assert_int_equal(ed_file_map_open(&map, at("empty"), 0, NULL), EMBEDD_OK);
    assert_non_null(map.data);
    assert_int_equal(map.n_bytes, 0);
    ed_file_map_close(&map);
    assert_int_equal(ed_file_read(at("empty"), 0, &data, &n_bytes, NULL), EMBEDD_OK);
    assert_int_equal(n_bytes, 0);
    assert_string_equal(data, "");
    ed_free(data);
}

static void test_read(void **state)
{
    (void)state;
    char *data = NULL;
    size_t n_bytes = 0;
    write_file("some", "a\0b", 3);
    assert_int_equal(ed_file_read(at("some"), 3, &data, &n_bytes, NULL), EMBEDD_OK);
    assert_int_equal(n_bytes, 3);
    assert_memory_equal(data, "a\0b", 4); /* with the NUL after it */
    ed_free(data);
}

/* Both doors refuse `path` with `status` and a message that holds the path and `reason`. */
static void check_refused(const char *path, size_t bytes_max, embedd_status status,
                          const char *reason)
{
    ed_file_map map;
    embedd_error err = {0};
    char *data = NULL;
    size_t n_bytes = 0;
    assert_int_equal(ed_file_map_open(&map, path, bytes_max, &err), status);
    assert_null(map.data);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, reason));
    err = (embedd_error){0};
    assert_int_equal(ed_file_read(path, bytes_max, &data, &n_bytes, &err), status);
    assert_null(data);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, reason));
}

static void test_refused(void **state)
{
    (void)state;
    write_file("some", "abc", 3);
    check_refused(at("some"), 2, EMBEDD_LIMIT, "3 bytes, more than the limit of 2");
    check_refused(at("none"), 9, EMBEDD_NOT_FOUND, "No such file");
    check_refused(at("some/below"), 9, EMBEDD_NOT_FOUND, "Not a directory");
    check_refused(folder, 9, EMBEDD_IO, "not a regular file");
    check_refused("/dev/zero", 9, EMBEDD_IO, "not a regular file");
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    check_refused(at("fifo"), 9, EMBEDD_IO, "not a regular file");
    assert_int_equal(symlink("link", at("link")), 0); /* a link to itself */
    check_refused(at("link"), 9, EMBEDD_IO, "symbolic links");
}

static void test_exists(void **state)
{
    (void)state;
    write_file("some", "abc", 3);
    assert_true(ed_file_exists(at("some")));
    assert_false(ed_file_exists(at("none")));
    assert_false(ed_file_exists(folder));
    assert_true(ed_folder_exists(folder));
    assert_false(ed_folder_exists(at("some")));
    assert_false(ed_folder_exists(at("none")));
}

static void test_path_join(void **state)
{
    (void)state;
    const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"/", "b", "/b"}, {"a", "", "a/"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = ed_path_join(cases[i][0], cases[i][1]);
        assert_string_equal(path, cases[i][2]);
        ed_free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),        cmocka_unit_test(test_map_lives_without_its_file),
        cmocka_unit_test(test_empty_file), cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_exists),
        cmocka_unit_test(test_path_join),  cmocka_unit_test(test_a_file_that_becomes_shorter),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
