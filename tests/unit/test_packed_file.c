/* Files of packed weights: what was put in comes out, and no damage goes by unseen. */
#include "formats/packed_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/checksum.h"
#include "support/folder.h"

#define KEY "whose these are"

static const size_t sizes[] = {10, 3 * 4096, 4096, 50001};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static unsigned char content_at(size_t section_index, size_t i)
{
    return (unsigned char)(i * 7 + i / 4096 + section_index);
}

static embedd_status write_to(const char *path, embedd_error *err)
{
    ed_packed_writer writer;
    embedd_status status = ed_packed_writer_open(&writer, path, err);

    for (size_t i = 0; status == EMBEDD_OK && i < N_SIZES; i++) {
        unsigned char *bytes = malloc(sizes[i]);
        assert_non_null(bytes);
        for (size_t j = 0; j < sizes[i]; j++)
            bytes[j] = content_at(i, j);
        status = ed_packed_writer_add(&writer, 100 + i, bytes, sizes[i], err);
        free(bytes);
    }
    if (status == EMBEDD_OK)
        status = ed_packed_writer_commit(&writer, KEY, err);
    ed_packed_writer_close(&writer);
    return status;
}

/* The bytes of a whole file; free(). */
static unsigned char *new_file(size_t *n_bytes)
{
    char *folder = folder_new();
    char path[4096];
    embedd_error err;

    snprintf(path, sizeof path, "%s/a.packed", folder);
    assert_int_equal(write_to(path, &err), EMBEDD_OK);
    char *bytes = folder_read(folder, "a.packed", n_bytes);
    folder_remove(folder);
    return (unsigned char *)bytes;
}

static embedd_status parse(const unsigned char *bytes, size_t n_bytes)
{
    ed_packed_file file;
    embedd_error err;
    embedd_status status = ed_packed_file_parse(&file, bytes, n_bytes, "it", &err);

    return status == EMBEDD_OK ? ed_packed_file_check(&file, "it", &err) : status;
}

static void what_was_put_in_comes_out(void **state)
{
    (void)state;
    size_t n_bytes;
    unsigned char *bytes = new_file(&n_bytes);
    ed_packed_file file;

    assert_int_equal(ed_packed_file_parse(&file, bytes, n_bytes, "it", NULL), EMBEDD_OK);
    assert_int_equal(ed_packed_file_check(&file, "it", NULL), EMBEDD_OK);
    assert_string_equal(file.header.key, KEY);
    assert_int_equal(file.header.n_sections, N_SIZES);
    for (size_t i = 0; i < N_SIZES; i++) {
        const ed_packed_section section = ed_packed_file_section(&file, i);
        assert_int_equal(section.name, 100 + i);
        assert_int_equal(section.n_bytes, sizes[i]);
        assert_int_equal(section.begin % 4096, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(bytes[section.begin + j], content_at(i, j));
    }
    free(bytes);
}

static void a_shorter_file_is_refused(void **state)
{
    (void)state;
    size_t n_bytes;
    unsigned char *bytes = new_file(&n_bytes);

    for (size_t n = 0; n < n_bytes; n += n < 1200 || n + 300 > n_bytes ? 1 : 997) {
        unsigned char *less = malloc(n ? n : 1); /* a read beyond it is seen */
        assert_non_null(less);
        memcpy(less, bytes, n);
        assert_int_equal(parse(less, n), EMBEDD_FORMAT);
        free(less);
    }
    free(bytes);
}

/* In the header, the table and the ends of a section without reading the rest; in the middle of one
 * when all is read. Filling between sections holds nothing. */
static void a_changed_byte_is_seen(void **state)
{
    (void)state;
    size_t n_bytes, n_seen = 0, n_checked = 0;
    unsigned char *bytes = new_file(&n_bytes);
    ed_packed_file file;

    for (size_t at = 0; at < n_bytes; at += at < sizeof(ed_packed_header) ? 1 : 101) {
        bytes[at] ^= 0x10;
        n_seen += parse(bytes, n_bytes) == EMBEDD_FORMAT;
        n_checked += parse(bytes, n_bytes) == EMBEDD_CHECKSUM;
        bytes[at] ^= 0x10;
        if (at < sizeof(ed_packed_header))
            assert_int_equal(n_seen, at + 1);
    }
    assert_true(n_checked > 300);
    assert_int_equal(ed_packed_file_parse(&file, bytes, n_bytes, "it", NULL), EMBEDD_OK);
    const ed_packed_section section = ed_packed_file_section(&file, 1);
    bytes[section.begin + 6000] ^= 1;
    assert_int_equal(parse(bytes, n_bytes), EMBEDD_CHECKSUM);
    bytes[section.begin + section.n_bytes - 1] ^= 1;
    assert_int_equal(parse(bytes, n_bytes), EMBEDD_FORMAT);
    free(bytes);
}

/* Someone may have made the checksums right: the numbers are checked all the same. */
static void sections_outside_are_refused(void **state)
{
    (void)state;
    size_t n_bytes;
    unsigned char *bytes = new_file(&n_bytes);
    ed_packed_header header;
    memcpy(&header, bytes, sizeof header);
    unsigned char *table = bytes + header.table_begin;
    const ed_packed_section bad[] = {
        {.begin = 0, .n_bytes = 10},
        {.begin = 4097, .n_bytes = 10},
        {.begin = 4096, .n_bytes = 0},
        {.begin = 4096, .n_bytes = SIZE_MAX},
        {.begin = 4096, .n_bytes = n_bytes},
        {.begin = (uint64_t)1 << 63, .n_bytes = (uint64_t)1 << 63},
        {.begin = header.table_begin, .n_bytes = 1},
        {.begin = 8192, .n_bytes = 5000}, /* into the next one */
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ed_packed_section kept, section = bad[i];
        memcpy(&kept, table, sizeof kept);
        if (ed_slice_fits(section.begin, section.n_bytes, n_bytes) && section.n_bytes > 0)
            section.ends_checksum = ed_packed_ends_checksum(bytes + section.begin, section.n_bytes);
        memcpy(table, &section, sizeof section);
        header.table_checksum = ed_checksum(table, n_bytes - header.table_begin, 0);
        header.checksum = ed_checksum(&header, offsetof(ed_packed_header, checksum), 0);
        memcpy(bytes, &header, sizeof header);
        assert_int_equal(parse(bytes, n_bytes), EMBEDD_FORMAT);
        memcpy(table, &kept, sizeof kept);
    }
    free(bytes);
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
    (void)state;
    char *folder = folder_new();
    char path[4096];
    embedd_error err;
    ed_packed_writer writer;

    snprintf(path, sizeof path, "%s/none/a.packed", folder);
    assert_int_equal(write_to(path, &err), EMBEDD_IO);
    assert_non_null(strstr(err.message, path));

    snprintf(path, sizeof path, "%s/a.packed", folder);
    assert_int_equal(ed_packed_writer_open(&writer, path, &err), EMBEDD_OK);
    assert_int_equal(ed_packed_writer_add(&writer, 1, "abc", 3, &err), EMBEDD_OK);
    ed_packed_writer_close(&writer); /* never finished */
    assert_int_equal(rmdir(folder), 0);
    free(folder);
}

static void checksums_tell_pieces_apart(void **state)
{
    (void)state;
    unsigned char bytes[100] = {0};
    uint64_t seen[sizeof bytes + 1];

    for (size_t n = 0; n <= sizeof bytes; n++) {
        seen[n] = ed_checksum(bytes, n, 0);
        for (size_t i = 0; i < n; i++)
            assert_true(seen[i] != seen[n]);
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 1;
        assert_true(ed_checksum(bytes, sizeof bytes, 0) != seen[sizeof bytes]);
        bytes[i] = 0;
    }
    assert_true(ed_checksum(bytes, 100, 0) != ed_checksum(bytes, 100, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_comes_out),
        cmocka_unit_test(a_shorter_file_is_refused),
        cmocka_unit_test(a_changed_byte_is_seen),
        cmocka_unit_test(sections_outside_are_refused),
        cmocka_unit_test(what_cannot_be_written_leaves_nothing),
        cmocka_unit_test(checksums_tell_pieces_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
