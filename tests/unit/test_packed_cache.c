/* Models opened with a cache folder: the same bits, whatever state the folder is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_map.h"
#include "embedd.h"
#include "formats/packed_file.h"
#include "support/expected.h"
#include "support/folder.h"

#define DIMENSIONS_MAX 768

typedef struct opened {
    char packed_file[4096]; /* "" = none */
    float vector[DIMENSIONS_MAX];
    ino_t inode; /* of packed_file */
} opened;

static const char *golden(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/golden/%s", expected_environment("EMBEDD_TEST_DATA"), name);
    return path;
}

/* One vector of a model that is opened, and closed again. */
static opened open_once(const char *model_folder, const embedd_model_options *options)
{
    static const char words[] = "the cache must not change a bit";
    const embedd_text text = {words, sizeof words - 1};
    opened result = {.packed_file = ""};
    embedd_model *model = NULL;
    embedd_session *session = NULL;
    embedd_error err;
    struct stat info;

    if (embedd_model_open(model_folder, options, &model, &err) != EMBEDD_OK ||
        embedd_session_open(model, NULL, &session, &err) != EMBEDD_OK ||
        embedd_embed(session, &text, 1, NULL, result.vector, DIMENSIONS_MAX, NULL, &err) !=
            EMBEDD_OK)
        fail_msg("%s", err.message);
    const char *file = embedd_model_get_info(model)->packed_file;
    snprintf(result.packed_file, sizeof result.packed_file, "%s", file ? file : "");
    if (file && stat(file, &info) == 0)
        result.inode = info.st_ino;
    embedd_session_close(session);
    embedd_model_close(model);
    return result;
}

static void assert_same_bits(const opened *a, const opened *b)
{
    assert_memory_equal(a->vector, b->vector, sizeof a->vector);
}

static size_t count_files(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void first_writes_second_maps(void **state)
{
    (void)state;
    const char *const models[] = {"bert-mean-norm", "mpnet", "distiluse-dense-tanh",
                                  "nomic-bert-hub", "gguf/bert-256-q4_k_m.gguf"};
    char *folder = folder_new();
    size_t n_files = 0;

    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        for (int dtype = EMBEDD_DTYPE_F32; dtype <= EMBEDD_DTYPE_INT8; dtype++) {
            embedd_model_options options = {.dtype = (embedd_dtype)dtype};
            if (access(golden(models[i]), F_OK) != 0)
                fail_msg("%s is missing", golden(models[i]));
            opened plain = open_once(golden(models[i]), &options);
            options.cache_folder = folder;
            opened first = open_once(golden(models[i]), &options);
            opened second = open_once(golden(models[i]), &options);
            assert_string_equal(plain.packed_file, "");
            assert_int_equal(strncmp(first.packed_file, folder, strlen(folder)), 0);
            assert_string_equal(first.packed_file, second.packed_file);
            assert_int_equal(first.inode, second.inode); /* not written again */
            assert_same_bits(&plain, &first);
            assert_same_bits(&plain, &second);
            assert_int_equal(count_files(folder), ++n_files);
        }
    }
    folder_remove(folder);
}

static void levels_have_files_of_their_own(void **state)
{
    (void)state;
    char *folder = folder_new();
    embedd_model_options options = {.cache_folder = folder, .cpu_level = "ref"};
    opened ref = open_once(golden("bert-mean-norm"), &options);
    options.cpu_level = NULL;
    opened best = open_once(golden("bert-mean-norm"), &options);

    if (strstr(best.packed_file, "-ref-"))
        assert_string_equal(best.packed_file, ref.packed_file); /* a machine with one level */
    else
        assert_int_equal(count_files(folder), 2);
    folder_remove(folder);
}

static void damage_at(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_not_equal(byte, EOF);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    fputc(byte ^ 0x55, file);
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_file_is_written_again(void **state)
{
    (void)state;
    const long places[] = {0, 20, 100, 1075, 4096, -1}; /* header, key, checksum, data, table */
    char *folder = folder_new();
    const embedd_model_options options = {.cache_folder = folder};
    opened good = open_once(golden("bert-mean-norm"), &options);

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        opened before = open_once(golden("bert-mean-norm"), &options);
        damage_at(before.packed_file, places[i]);
        opened after = open_once(golden("bert-mean-norm"), &options);
        assert_same_bits(&good, &after);
        assert_string_equal(after.packed_file, before.packed_file);
        assert_int_not_equal(after.inode, before.inode);
    }
    for (off_t n_bytes = 0; n_bytes < 9000; n_bytes += 1500) {
        assert_int_equal(truncate(good.packed_file, n_bytes), 0);
        opened after = open_once(golden("bert-mean-norm"), &options);
        assert_same_bits(&good, &after);
    }
    assert_int_equal(count_files(folder), 1);
    folder_remove(folder);
}

/* Inside a section: found by the open that reads everything. */
static void a_whole_check_finds_the_rest(void **state)
{
    (void)state;
    char *folder = folder_new();
    embedd_model_options options = {.cache_folder = folder};
    opened good = open_once(golden("bert-mean-norm"), &options);

    damage_at(good.packed_file, 4096 + 4096 + 100);
    opened unseen = open_once(golden("bert-mean-norm"), &options);
    assert_int_equal(unseen.inode, good.inode);
    options.cache_check = true;
    opened seen = open_once(golden("bert-mean-norm"), &options);
    assert_same_bits(&good, &seen);
    assert_int_not_equal(seen.inode, good.inode);
    folder_remove(folder);
}

/* Puts NaN everywhere but into the first and the last page of each section. */
static void spoil(const char *path)
{
    const uint32_t nan = 0x7fc00000;
    ed_file_map map;
    ed_packed_file file;
    FILE *out = fopen(path, "r+b");

    assert_non_null(out);
    assert_int_equal(ed_file_map_open(&map, path, SIZE_MAX, NULL), EMBEDD_OK);
    assert_int_equal(ed_packed_file_parse(&file, map.data, map.n_bytes, path, NULL), EMBEDD_OK);
    for (size_t i = 0; i < file.header.n_sections; i++) {
        const ed_packed_section section = ed_packed_file_section(&file, i);
        assert_int_equal(fseek(out, (long)(section.begin + ED_PACKED_PAGE), SEEK_SET), 0);
        for (size_t at = 2 * ED_PACKED_PAGE; at < section.n_bytes; at += sizeof nan)
            assert_int_equal(fwrite(&nan, sizeof nan, 1, out), 1);
    }
    ed_file_map_close(&map);
    assert_int_equal(fclose(out), 0);
}

static void weights_that_are_not_finite_are_packed_again(void **state)
{
    (void)state;
    char *folder = folder_new();
    const embedd_model_options options = {.cache_folder = folder};
    opened good = open_once(golden("bert-mean-norm"), &options);

    spoil(good.packed_file);
    opened after = open_once(golden("bert-mean-norm"), &options);
    assert_string_equal(after.packed_file, ""); /* this time from the model's own files */
    assert_same_bits(&good, &after);
    after = open_once(golden("bert-mean-norm"), &options);
    assert_string_equal(after.packed_file, good.packed_file);
    assert_same_bits(&good, &after);
    folder_remove(folder);
}

static void a_changed_model_replaces_its_file(void **state)
{
    (void)state;
    char *folder = folder_new(), *model = folder_copy(golden("bert-mean-norm"));
    const embedd_model_options options = {.cache_folder = folder};
    size_t n_bytes;
    opened before = open_once(model, &options);
    char *weights = folder_read(model, "model.safetensors", &n_bytes);

    folder_write(folder, "someone-elses.txt", "x", 1);
    /* The last bytes are no header: only the time and the inode tell. */
    float number = 0.25F;
    memcpy(weights + n_bytes - sizeof number, &number, sizeof number);
    folder_delete_file(model, "model.safetensors");
    folder_write(model, "model.safetensors", weights, n_bytes);
    free(weights);
    opened plain = open_once(model, NULL);
    opened after = open_once(model, &options);
    assert_same_bits(&plain, &after);
    assert_string_not_equal(after.packed_file, before.packed_file);
    assert_int_equal(count_files(folder), 2); /* the old one has gone, the other stays */
    folder_remove(folder);
    folder_remove(model);
}

static void no_folder_is_no_trouble(void **state)
{
    (void)state;
    char *folder = folder_new(), path[4096];
    embedd_model_options options = {.cache_folder = path};
    opened plain = open_once(golden("bert-mean-norm"), NULL);

    folder_write(folder, "file", "x", 1);
    snprintf(path, sizeof path, "%s/file/below", folder);
    opened below_a_file = open_once(golden("bert-mean-norm"), &options);
    assert_string_equal(below_a_file.packed_file, "");
    assert_same_bits(&plain, &below_a_file);
    options.cache_folder = "/proc/embedd";
    opened in_proc = open_once(golden("bert-mean-norm"), &options);
    assert_string_equal(in_proc.packed_file, "");
    snprintf(path, sizeof path, "%s/new/and/deep", folder);
    options.cache_folder = path;
    opened deep = open_once(golden("bert-mean-norm"), &options);
    assert_int_equal(strncmp(deep.packed_file, path, strlen(path)), 0);
    assert_same_bits(&plain, &deep);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_writes_second_maps),
        cmocka_unit_test(levels_have_files_of_their_own),
        cmocka_unit_test(a_damaged_file_is_written_again),
        cmocka_unit_test(a_whole_check_finds_the_rest),
        cmocka_unit_test(weights_that_are_not_finite_are_packed_again),
        cmocka_unit_test(a_changed_model_replaces_its_file),
        cmocka_unit_test(no_folder_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
