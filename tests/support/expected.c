/* Reads golden rows with json-c. Any fault ends the test program: nothing here may pass silently.
 */
#include "support/expected.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *path, size_t line, const char *reason)
{
    fprintf(stderr, "%s:%zu: %s\n", path, line, reason);
    exit(1);
}

static char *copy(struct json_object *text)
{
    size_t n_bytes = text ? (size_t)json_object_get_string_len(text) : 0;
    char *out = calloc(n_bytes + 1, 1);

    if (out && text)
        memcpy(out, json_object_get_string(text), n_bytes);
    return out;
}

static float *read_vector(struct json_object *numbers, size_t n)
{
    float *vector = calloc(n, sizeof *vector);

    for (size_t i = 0; i < n; i++)
        vector[i] = (float)json_object_get_double(json_object_array_get_idx(numbers, i));
    return vector;
}

static void read_row(expected_row *row, struct json_object *object, const char *path, size_t line)
{
    struct json_object *text = NULL, *ids = NULL, *vector = NULL, *field = NULL;

    if (!json_object_object_get_ex(object, "text", &text) ||
        !json_object_object_get_ex(object, "ids", &ids))
        die(path, line, "no text or ids");
    row->text = copy(text);
    row->n_text_bytes = (size_t)json_object_get_string_len(text);
    row->name = copy(json_object_object_get(object, "name"));
    row->n_ids = json_object_array_length(ids);
    row->ids = calloc(row->n_ids + 1, sizeof *row->ids);
    for (size_t i = 0; i < row->n_ids; i++)
        row->ids[i] = json_object_get_int(json_object_array_get_idx(ids, i));
    row->normalize = json_object_get_boolean(json_object_object_get(object, "normalize"));
    if (json_object_object_get_ex(object, "vector", &vector)) {
        row->n_dims = json_object_array_length(vector);
        row->vector = read_vector(vector, row->n_dims);
    }
    if (json_object_object_get_ex(object, "vector_dequant", &vector)) {
        if (json_object_array_length(vector) != row->n_dims)
            die(path, line, "vector and vector_dequant differ in length");
        row->vector_dequant = read_vector(vector, row->n_dims);
    }
    if (json_object_object_get_ex(object, "vector_hf", &vector) &&
        json_object_equal(ids, json_object_object_get(object, "hf_ids"))) {
        if (json_object_array_length(vector) != row->n_dims)
            die(path, line, "vector and vector_hf differ in length");
        row->vector_hf = read_vector(vector, row->n_dims);
    }
    row->dimensions = (size_t)json_object_get_int(json_object_object_get(object, "dimensions"));
    row->layer_norm = json_object_get_boolean(json_object_object_get(object, "layer_norm"));
    row->has_prompt = json_object_object_get_ex(object, "prompt", &field);
    row->prompt = copy(field);
    if (json_object_object_get_ex(object, "prompt_name", &field) && field)
        row->prompt_name = copy(field);
}

expected_rows expected_read(const char *path)
{
    expected_rows out = {NULL, 0};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;

    if (!file)
        die(path, 0, "cannot be opened");
    while (getline(&line, &cap, file) >= 0) {
        struct json_object *object = json_tokener_parse(line);
        if (!object)
            die(path, out.n_rows + 1, "not JSON");
        out.rows = realloc(out.rows, (out.n_rows + 1) * sizeof *out.rows);
        out.rows[out.n_rows] = (expected_row){0};
        read_row(&out.rows[out.n_rows], object, path, out.n_rows + 1);
        out.n_rows++;
        json_object_put(object);
    }
    free(line);
    fclose(file);
    if (out.n_rows == 0)
        die(path, 0, "is empty");
    return out;
}

void expected_free(expected_rows *rows)
{
    for (size_t i = 0; i < rows->n_rows; i++) {
        expected_row *row = &rows->rows[i];
        free(row->name);
        free(row->text);
        free(row->ids);
        free(row->vector);
        free(row->vector_dequant);
        free(row->vector_hf);
        free(row->prompt);
        free(row->prompt_name);
    }
    free(rows->rows);
    *rows = (expected_rows){NULL, 0};
}

const char *expected_environment(const char *name)
{
    const char *value = getenv(name);

    if (!value || !*value) {
        fprintf(stderr, "%s is not set: run the tests with `make test`\n", name);
        exit(1);
    }
    return value;
}
