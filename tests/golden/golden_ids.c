/* Token ids against the reference's, exactly.
 *
 *     golden_ids
 *         every folder of EMBEDD_TEST_DATA/golden, and the strings of EMBEDD_TEST_DATA/tokenizer
 *     golden_ids [--whole] FOLDER FILE ...
 *         the rows of FILE with the tokenizer of FOLDER; --whole: they were not cut at the model's
 *         limit */
#include "base/file_map.h"
#include "base/memory.h"
#include "formats/json.h"
#include "support/expected.h"
#include "tokenizer/tokenizer.h"

#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 5 /* differences of one file */

static size_t n_rows_total, n_failed_total;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static struct json_object *read_config(const char *folder, const char *name)
{
    struct json_object *config = NULL;
    embedd_error err;
    char *path = ed_path_join(folder, name);
    if (ed_file_exists(path) && ed_json_read_file(path, 1 << 20, &config, &err) != EMBEDD_OK)
        die(path, err.message);
    ed_free(path);
    return config;
}

static size_t read_limit(const char *folder, const char *name, const char *field)
{
    size_t limit = SIZE_MAX;
    embedd_error err;
    struct json_object *config = read_config(folder, name);
    if (config && ed_json_get_size(config, field, &limit, name, &err) != EMBEDD_OK)
        die(folder, err.message);
    json_object_put(config);
    return limit;
}

/* As sentence-transformers: its own number, else the smaller one of the other two. */
static size_t tokens_max_of(const char *folder)
{
    size_t own = read_limit(folder, "sentence_bert_config.json", "max_seq_length");
    size_t tokenizer = read_limit(folder, "tokenizer_config.json", "model_max_length");
    size_t positions = read_limit(folder, "config.json", "max_position_embeddings");
    if (own != SIZE_MAX)
        return own;
    return tokenizer < positions ? tokenizer : positions;
}

/* The prompt that the reference put before every text of expected.jsonl, in new memory. */
static char *default_prompt_of(const char *folder)
{
    struct json_object *config = read_config(folder, "config_sentence_transformers.json");
    const char *name =
        json_object_get_string(json_object_object_get(config, "default_prompt_name"));
    struct json_object *prompts = json_object_object_get(config, "prompts");
    const char *prompt =
        name ? json_object_get_string(json_object_object_get(prompts, name)) : NULL;
    char *copy = ed_strdup(prompt ? prompt : "");
    json_object_put(config);
    return copy;
}

static bool check_row(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                      const expected_row *row, const char *prompt, size_t tokens_max)
{
    size_t prompt_bytes = strlen(prompt), n_bytes = prompt_bytes + row->n_text_bytes;
    /* Exactly as large as it must be, for the sanitizers. */
    char *text = malloc(n_bytes > 0 ? n_bytes : 1);
    memcpy(text, prompt, prompt_bytes);
    memcpy(text + prompt_bytes, row->text, row->n_text_bytes);
    if (tokens_max > n_bytes * 4 + 16) /* no text has more */
        tokens_max = n_bytes * 4 + 16;
    int32_t *ids = malloc(tokens_max * sizeof *ids);

    size_t n_ids = 0, n_total = 0;
    embedd_error err;
    if (ed_tokenizer_encode(tokenizer, scratch, (embedd_text){text, n_bytes}, tokens_max, ids,
                            &n_ids, &n_total, &err) != EMBEDD_OK)
        die(row->text, err.message);
    bool same =
        n_ids == row->n_ids && n_total >= n_ids && memcmp(ids, row->ids, n_ids * sizeof *ids) == 0;
    free(text);
    free(ids);
    return same;
}

static void check_file(const char *folder, const char *path, bool whole)
{
    ed_tokenizer *tokenizer = NULL;
    ed_tokenizer_scratch *scratch = NULL;
    embedd_error err;
    if (ed_tokenizer_open(&tokenizer, folder, NULL, &err) != EMBEDD_OK ||
        ed_tokenizer_scratch_open(&scratch, tokenizer, &err) != EMBEDD_OK)
        die(folder, err.message);
    size_t tokens_max = whole ? SIZE_MAX : tokens_max_of(folder), n_failed = 0;
    char *default_prompt = default_prompt_of(folder);

    expected_rows rows = expected_read(path);
    for (size_t i = 0; i < rows.n_rows; i++) {
        const expected_row *row = &rows.rows[i];
        const char *prompt = row->has_prompt ? row->prompt : default_prompt;
        if (check_row(tokenizer, scratch, row, prompt, tokens_max))
            continue;
        if (n_failed++ < SHOWN_MAX)
            printf("%s:%zu: the ids of %s differ: %.60s\n", path, i + 1, row->name, row->text);
    }
    printf("%-60s %6zu rows, %zu differ\n", path, rows.n_rows, n_failed);
    n_rows_total += rows.n_rows;
    n_failed_total += n_failed;
    expected_free(&rows);
    ed_free(default_prompt);
    ed_tokenizer_scratch_close(scratch);
    ed_tokenizer_close(tokenizer);
}

static void check_golden(const char *golden)
{
    static const char *const files[] = {"expected.jsonl", "expected_prompts.jsonl"};
    DIR *directory = opendir(golden);
    if (!directory)
        die(golden, "cannot be opened");
    for (struct dirent *entry; (entry = readdir(directory));) {
        char *folder = ed_path_join(golden, entry->d_name);
        char *tokenizer = ed_path_join(folder, "tokenizer.json");
        for (size_t i = 0; i < 2 && entry->d_name[0] != '.' && ed_file_exists(tokenizer); i++) {
            char *path = ed_path_join(folder, files[i]);
            if (i == 0 || ed_file_exists(path))
                check_file(folder, path, false);
            ed_free(path);
        }
        ed_free(tokenizer);
        ed_free(folder);
    }
    closedir(directory);
}

/* FNV-1a of the ids as little-endian words. */
static uint64_t sum_of(const int32_t *ids, size_t n_ids)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n_ids; i++)
        for (unsigned shift = 0; shift < 32; shift += 8)
            sum = (sum ^ ((uint32_t)ids[i] >> shift & 0xFF)) * UINT64_C(0x100000001b3);
    return sum;
}

/* The line's end, and *line moved behind it; NULL after the last one. */
static const char *next_line(const char **line)
{
    const char *end = **line ? strchr(*line, '\n') : NULL;
    if (end)
        *line = end + 1;
    return end;
}

static bool check_sum(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                      embedd_text line, uint64_t expected)
{
    struct json_object *string = NULL;
    embedd_error err;
    if (ed_json_parse(line.bytes, line.n_bytes, "strings.jsonl", &string, &err) != EMBEDD_OK)
        die("strings.jsonl", err.message);
    size_t n_bytes = (size_t)json_object_get_string_len(string);
    size_t tokens_max = n_bytes * 8 + 64, n_ids = 0, n_total = 0;
    char *text = malloc(n_bytes > 0 ? n_bytes : 1); /* exactly as large, for the sanitizers */
    int32_t *ids = malloc(tokens_max * sizeof *ids);
    memcpy(text, json_object_get_string(string), n_bytes);
    if (ed_tokenizer_encode(tokenizer, scratch, (embedd_text){text, n_bytes}, tokens_max, ids,
                            &n_ids, &n_total, &err) != EMBEDD_OK)
        die("strings.jsonl", err.message);
    bool same = n_total == n_ids && sum_of(ids, n_ids) == expected;
    free(text);
    free(ids);
    json_object_put(string);
    return same;
}

/* Of each string, the sum of the ids that the reference gives. */
static void check_sums(const char *folder, const char *strings_path, const char *sums_path)
{
    ed_tokenizer *tokenizer = NULL;
    ed_tokenizer_scratch *scratch = NULL;
    embedd_error err;
    char *strings = NULL, *sums = NULL;
    size_t n_bytes, n_rows = 0, n_failed = 0;
    if (ed_tokenizer_open(&tokenizer, folder, NULL, &err) != EMBEDD_OK ||
        ed_tokenizer_scratch_open(&scratch, tokenizer, &err) != EMBEDD_OK ||
        ed_file_read(strings_path, 16 << 20, &strings, &n_bytes, &err) != EMBEDD_OK ||
        ed_file_read(sums_path, 16 << 20, &sums, &n_bytes, &err) != EMBEDD_OK)
        die(folder, err.message);
    const char *line = strings, *sum = sums, *begin = line, *sum_begin = sum, *end;
    while ((end = next_line(&line)) && next_line(&sum)) {
        n_rows++;
        if (!check_sum(tokenizer, scratch, (embedd_text){begin, (size_t)(end - begin)},
                       strtoull(sum_begin, NULL, 16)) &&
            n_failed++ < SHOWN_MAX)
            printf("%s: the ids differ: %.*s\n", sums_path, (int)(end - begin), begin);
        begin = line;
        sum_begin = sum;
    }
    if (*line || *sum)
        die(sums_path, "not as many lines as strings.jsonl");
    printf("%-60s %6zu rows, %zu differ\n", sums_path, n_rows, n_failed);
    n_rows_total += n_rows;
    n_failed_total += n_failed;
    ed_free(strings);
    ed_free(sums);
    ed_tokenizer_scratch_close(scratch);
    ed_tokenizer_close(tokenizer);
}

/* NAME.sums belongs to the tokenizer in the folder NAME beside it, or in that of `golden`. */
static void check_sample(const char *sample, const char *golden)
{
    DIR *directory = opendir(sample);
    if (!directory)
        die(sample, "cannot be opened");
    char *strings = ed_path_join(sample, "strings.jsonl");
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".sums") != 0)
            continue;
        char *name = ed_strndup(entry->d_name, (size_t)(dot - entry->d_name));
        char *path = ed_path_join(sample, entry->d_name);
        char *own = ed_path_join(sample, name), *other = ed_path_join(golden, name);
        check_sums(ed_folder_exists(own) ? own : other, strings, path);
        ed_free(name);
        ed_free(path);
        ed_free(own);
        ed_free(other);
    }
    ed_free(strings);
    closedir(directory);
}

/* As a line of hexadecimal digits. */
static void print_decoded(const ed_tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                          bool skip_special)
{
    ed_buf text;
    embedd_error err;
    ed_buf_init(&text, SIZE_MAX / 4);
    if (ed_tokenizer_decode(tokenizer, ids, n_ids, skip_special, &text, &err) != EMBEDD_OK)
        die("decode", err.message);
    for (size_t i = 0; i < text.n_bytes; i++)
        printf("%02x", (unsigned)(unsigned char)text.data[i]);
    printf("\n");
    ed_buf_clear(&text);
}

/* For each text of stdin: its ids, the text that they decode to, and that without special tokens.
 */
static void print_ids(const char *folder, bool decodes)
{
    ed_tokenizer *tokenizer = NULL;
    ed_tokenizer_scratch *scratch = NULL;
    embedd_error err;
    if (ed_tokenizer_open(&tokenizer, folder, NULL, &err) != EMBEDD_OK ||
        ed_tokenizer_scratch_open(&scratch, tokenizer, &err) != EMBEDD_OK)
        die(folder, err.message);
    unsigned char size[4];
    while (fread(size, 1, 4, stdin) == 4) {
        size_t n_bytes =
            size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
        size_t n_ids = 0, n_total = 0, tokens_max = n_bytes * 32 + 1024;
        char *text = malloc(n_bytes > 0 ? n_bytes : 1);
        int32_t *ids = malloc(tokens_max * sizeof *ids);
        if (fread(text, 1, n_bytes, stdin) != n_bytes)
            die("stdin", "ends in a text");
        if (ed_tokenizer_encode(tokenizer, scratch, (embedd_text){text, n_bytes}, tokens_max, ids,
                                &n_ids, &n_total, &err) != EMBEDD_OK)
            die("stdin", err.message);
        for (size_t i = 0; i < n_ids; i++)
            printf(i == 0 ? "%d" : " %d", (int)ids[i]);
        printf("\n");
        for (int skip_special = 0; decodes && skip_special < 2; skip_special++)
            print_decoded(tokenizer, ids, n_ids, skip_special);
        free(text);
        free(ids);
    }
    ed_tokenizer_scratch_close(scratch);
    ed_tokenizer_close(tokenizer);
}

int main(int argc, char **argv)
{
    bool decodes = argc == 3 && strcmp(argv[1], "--print-decoded") == 0;
    if (decodes || (argc == 3 && strcmp(argv[1], "--print") == 0)) {
        print_ids(argv[2], decodes);
        return 0;
    }
    bool whole = argc > 1 && strcmp(argv[1], "--whole") == 0;
    int first = whole ? 2 : 1;
    if (argc == 1) {
        char *golden = ed_path_join(expected_environment("EMBEDD_TEST_DATA"), "golden");
        char *sample = ed_path_join(expected_environment("EMBEDD_TEST_DATA"), "tokenizer");
        check_golden(golden);
        check_sample(sample, golden);
        ed_free(golden);
        ed_free(sample);
    }
    for (int i = first; i + 1 < argc; i += 2)
        check_file(argv[i], argv[i + 1], whole);
    printf("%zu rows, %zu differ\n", n_rows_total, n_failed_total);
    return n_failed_total > 0 || n_rows_total == 0;
}
