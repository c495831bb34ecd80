/* --dtype auto: accuracy decides, the answer is kept, and the vectors are those of the type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/stat.h>

#include "embedd.h"
#include "support/expected.h"
#include "support/folder.h"

#define DIMENSIONS_MAX 64

typedef struct opened {
    char dtype[8], level[32], reason[400];
    float vector[DIMENSIONS_MAX];
} opened;

static const char *golden(void)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/golden/bert-mean-norm",
             expected_environment("EMBEDD_TEST_DATA"));
    return path;
}

static opened open_once(const char *model_folder, const embedd_model_options *options)
{
    const embedd_text text = {"which type is it", 16};
    opened result = {.dtype = ""};
    embedd_model *model = NULL;
    embedd_session *session = NULL;
    embedd_error err;

    if (embedd_model_open(model_folder, options, &model, &err) != EMBEDD_OK ||
        embedd_session_open(model, NULL, &session, &err) != EMBEDD_OK ||
        embedd_embed(session, &text, 1, NULL, result.vector, DIMENSIONS_MAX, NULL, &err) !=
            EMBEDD_OK)
        fail_msg("%s", err.message);
    const embedd_model_info *info = embedd_model_get_info(model);
    snprintf(result.dtype, sizeof result.dtype, "%s", info->dtype);
    snprintf(result.level, sizeof result.level, "%s", info->cpu_level);
    snprintf(result.reason, sizeof result.reason, "%s",
             info->dtype_reason ? info->dtype_reason : "");
    embedd_session_close(session);
    embedd_model_close(model);
    return result;
}

static embedd_dtype dtype_of(const char *name)
{
    return strcmp(name, "int8") == 0   ? EMBEDD_DTYPE_INT8
           : strcmp(name, "bf16") == 0 ? EMBEDD_DTYPE_BF16
                                       : EMBEDD_DTYPE_F32;
}

/* The inode of the note that keeps the answer; 0 = there is none. */
static ino_t find_note(const char *folder, char path[4096])
{
    DIR *dir = opendir(folder);
    struct stat info;
    ino_t inode = 0;

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (!strstr(entry->d_name, "-auto-"))
            continue;
        assert_int_equal(inode, 0);
        snprintf(path, 4096, "%s/%s", folder, entry->d_name);
        assert_int_equal(stat(path, &info), 0);
        inode = info.st_ino;
    }
    closedir(dir);
    return inode;
}

static void what_is_asked_for_has_no_reason(void **state)
{
    (void)state;
    for (int dtype = EMBEDD_DTYPE_F32; dtype < EMBEDD_DTYPE_AUTO; dtype++) {
        opened asked = open_once(golden(), &(embedd_model_options){.dtype = (embedd_dtype)dtype});
        assert_int_equal(dtype_of(asked.dtype), dtype);
        assert_string_equal(asked.reason, "");
    }
    opened nothing = open_once(golden(), NULL);
    assert_string_equal(nothing.dtype, "f32");
}

static void the_reference_level_stays_exact(void **state)
{
    (void)state;
    opened ref = open_once(golden(),
                           &(embedd_model_options){.dtype = EMBEDD_DTYPE_AUTO, .cpu_level = "ref"});

    assert_string_equal(ref.dtype, "f32");
    assert_non_null(strstr(ref.reason, "auto: f32"));
}

static void the_answer_is_kept(void **state)
{
    (void)state;
    char *folder = folder_new(), path[4096];
    embedd_model_options options = {.dtype = EMBEDD_DTYPE_AUTO};
    opened uncached = open_once(golden(), &options);
    options.cache_folder = folder;
    opened first = open_once(golden(), &options);
    ino_t note = find_note(folder, path);
    opened second = open_once(golden(), &options);

    assert_memory_equal(&uncached, &first, sizeof first);
    assert_memory_equal(&first, &second, sizeof first);
    options.dtype = dtype_of(first.dtype);
    opened asked = open_once(golden(), &options);
    assert_memory_equal(asked.vector, first.vector, sizeof first.vector);

    options.dtype = EMBEDD_DTYPE_AUTO;
    if (note) { /* levels with nothing faster than f32 need none */
        char text[32];
        snprintf(text, sizeof text, "auto: %s", first.dtype);
        assert_int_equal(strncmp(first.reason, text, strlen(text)), 0);
        assert_int_equal(find_note(folder, path), note);
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
        fputs("damaged", file);
        assert_int_equal(fclose(file), 0);
        opened again = open_once(golden(), &options);
        assert_memory_equal(&again, &first, sizeof first);
        assert_int_not_equal(find_note(folder, path), note);
    }
    folder_remove(folder);
}

static bool holds(const char *from, const char *to, const char *word)
{
    const char *found = strstr(from, word);

    return found && found < to;
}

/* Every 64th channel of the values and of the feed-forward's inside becomes 0, and what it is
 * multiplied with later huge: f32 sees nothing of that, while eight bits with one scale for a block
 * leave nothing of the others. */
static void spoil(char *weights)
{
    enum { HIDDEN_BYTES = 64 * sizeof(float) };
    const float zero = 0, huge = 100;
    uint64_t header_bytes;
    size_t begin, end, n_before = 0, n_after = 0;

    memcpy(&header_bytes, weights, sizeof header_bytes);
    char *header = weights + 8, *data = header + header_bytes;
    for (const char *entry = header, *next;
         (next = strstr(entry, "\"data_offsets\":[")) != NULL && next < data; entry = next + 1) {
        assert_int_equal(sscanf(next, "\"data_offsets\":[%zu,%zu]", &begin, &end), 2);
        if (holds(entry, next, "value.weight") || holds(entry, next, "intermediate.dense.weight")) {
            for (size_t at = begin; at < end; at += 64 * HIDDEN_BYTES)
                memset(data + at, 0, HIDDEN_BYTES);
            n_before++;
        }
        if (holds(entry, next, "value.bias") || holds(entry, next, "intermediate.dense.bias")) {
            for (size_t at = begin; at < end; at += HIDDEN_BYTES)
                memcpy(data + at, &zero, sizeof zero);
            n_before++;
        }
        if (holds(entry, next, "output.dense.weight")) {
            for (size_t at = begin; at < end; at += HIDDEN_BYTES)
                memcpy(data + at, &huge, sizeof huge);
            n_after++;
        }
    }
    assert_int_equal(n_before, 8); /* two layers' values and insides, with their biases */
    assert_int_equal(n_after, 4);  /* of attention and of the feed-forward */
}

static void bad_vectors_are_not_taken(void **state)
{
    (void)state;
    char *model = folder_copy(golden());
    size_t n_bytes;
    char *weights = folder_read(model, "model.safetensors", &n_bytes);

    spoil(weights);
    folder_write(model, "model.safetensors", weights, n_bytes);
    free(weights);
    opened spoilt = open_once(model, &(embedd_model_options){.dtype = EMBEDD_DTYPE_AUTO});
    assert_string_not_equal(spoilt.dtype, "int8");
    if (strncmp(spoilt.level, "avx", 3) == 0)
        assert_non_null(strstr(spoilt.reason, "int8 with min "));
    folder_remove(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_has_no_reason),
        cmocka_unit_test(the_reference_level_stays_exact),
        cmocka_unit_test(the_answer_is_kept),
        cmocka_unit_test(bad_vectors_are_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
