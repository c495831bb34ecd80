/* In: a file of the user's. Out: its first records, each checked: text and a finite vector. */
#include "cli/vector_records.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "cli/arrow_file.h"
#include "cli/text_source.h"
#include "formats/json.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)1 << 40) /* mapped, not read */
#define JSON_BYTES_MAX ((size_t)64 << 20)
/* Source: ollama, integration/embed_test.go. */
#define OLLAMA_TEXT "why is the sky blue?"

typedef enum file_kind { KIND_JSONL, KIND_ARROW, KIND_OLLAMA } file_kind;

static embedd_status find_kind(const char *path, const char *text_field, file_kind *kind,
                               embedd_error *err);
static embedd_status read_jsonl(ed_vector_records *records, const char *path,
                                const ed_records_request *request, embedd_error *err);
static embedd_status read_ollama(ed_vector_records *records, const char *path, embedd_error *err);
static embedd_status read_arrow(ed_vector_records *records, const char *path,
                                const ed_records_request *request, embedd_error *err);

embedd_status ed_vector_records_read(ed_vector_records *records, const char *path,
                                     const ed_records_request *request, embedd_error *err)
{
    embedd_error failure = {0};
    file_kind kind = KIND_JSONL;

    *records = (ed_vector_records){0};
    embedd_status status = find_kind(path, request->text_field, &kind, &failure);
    if (status == EMBEDD_OK && kind == KIND_ARROW)
        status = read_arrow(records, path, request, &failure);
    else if (status == EMBEDD_OK && kind == KIND_OLLAMA)
        status = read_ollama(records, path, &failure);
    else if (status == EMBEDD_OK)
        status = read_jsonl(records, path, request, &failure);
    if (status == EMBEDD_OK && records->n_records == 0)
        status = ed_fail(&failure, EMBEDD_IO, "%s: there is no record in it", path);
    if (status == EMBEDD_OK)
        return status;
    ed_vector_records_clear(records);
    return ed_fail(err, status == EMBEDD_MEMORY ? status : EMBEDD_IO, "%s", failure.message);
}

void ed_vector_records_clear(ed_vector_records *records)
{
    for (size_t i = 0; i < records->n_records; i++) {
        ed_free(records->records[i].text);
        ed_free(records->records[i].vector);
        ed_free(records->records[i].prompt);
        ed_free(records->records[i].name);
    }
    ed_free(records->records);
    *records = (ed_vector_records){0};
}

embedd_status ed_vector_records_add(ed_vector_records *records, embedd_text text,
                                    const float *vector, size_t dimensions, embedd_error *err)
{
    if (dimensions == 0 || dimensions > ED_VECTOR_DIMENSIONS_MAX)
        return ed_fail(err, EMBEDD_ARGUMENT, "a vector of %zu numbers; 1 to %d are read",
                       dimensions, ED_VECTOR_DIMENSIONS_MAX);
    for (size_t i = 0; i < dimensions; i++)
        if (!isfinite(vector[i]))
            return ed_fail(err, EMBEDD_ARGUMENT, "number %zu of the vector is not finite", i);
    if (records->n_records == records->n_room) {
        size_t n_room = records->n_room ? 2 * records->n_room : 64;
        void *larger = ed_realloc(records->records, n_room, sizeof *records->records);
        if (larger == NULL)
            return ed_fail(err, EMBEDD_MEMORY, "out of memory");
        records->records = larger;
        records->n_room = n_room;
    }
    ed_vector_record *record = &records->records[records->n_records++];
    *record = (ed_vector_record){.text = ed_strndup(text.bytes, text.n_bytes),
                                 .n_bytes = text.n_bytes,
                                 .vector = ed_calloc(dimensions, sizeof *record->vector),
                                 .dimensions = dimensions};
    if (record->text == NULL || record->vector == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    memcpy(record->vector, vector, dimensions * sizeof *vector);
    return EMBEDD_OK;
}

/* ---- what kind of file ----------------------------------------------------------------------- */

/* JSON Lines has a whole object in its first line. Ollama's file opens a brace there only. */
static embedd_status find_kind(const char *path, const char *text_field, file_kind *kind,
                               embedd_error *err)
{
    ed_file_map map = {0};
    char quoted[128];

    embedd_status status = ed_file_map_open(&map, path, FILE_BYTES_MAX, err);
    if (status != EMBEDD_OK)
        return status;
    snprintf(quoted, sizeof quoted, "\"%s\"", text_field);
    const char *text = (const char *)map.data;
    size_t n_line = 0, n_blank = 0;
    while (n_line < map.n_bytes && text[n_line] != '\n')
        n_line++;
    while (n_blank < n_line && strchr(" \t\r", text[n_blank]))
        n_blank++;
    *kind = KIND_JSONL;
    if (ed_arrow_is_one(map.data, map.n_bytes))
        *kind = KIND_ARROW;
    else if (n_blank < n_line && text[n_blank] == '{' &&
             (memchr(text, '}', n_line) == NULL || n_line == map.n_bytes))
        *kind = memmem(text, map.n_bytes, quoted, strlen(quoted)) ? KIND_JSONL : KIND_OLLAMA;
    ed_file_map_close(&map);
    return EMBEDD_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* A list of numbers as floats, in *room, which grows. */
static embedd_status read_numbers(struct json_object *list, ed_buf *room, const char *where,
                                  const char *field, embedd_error *err)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    ed_buf_reset(room);
    if (n == 0)
        return ed_fail(err, EMBEDD_IO, "%s: %s is not a list of numbers", where, field);
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        float number = (float)json_object_get_double(item);
        if (!json_object_is_type(item, json_type_double) &&
            !json_object_is_type(item, json_type_int))
            return ed_fail(err, EMBEDD_IO, "%s: %s holds something that is not a number", where,
                           field);
        if (!ed_buf_append(room, &number, sizeof number))
            return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    return EMBEDD_OK;
}

/* json-c keeps the sign, the precision and the order; ed_buf's memory is aligned for floats. */
static embedd_status add_numbers(ed_vector_records *records, embedd_text text, const ed_buf *room,
                                 const char *where, embedd_error *err)
{
    const float *vector = (const float *)(const void *)room->data;
    embedd_status status =
        ed_vector_records_add(records, text, vector, room->n_bytes / sizeof *vector, err);
    return status == EMBEDD_OK ? status : ed_fail(err, status, "%s: %s", where, err->message);
}

static embedd_status add_record(ed_vector_records *records, const ed_text_source *source,
                                const ed_text_chunk *chunk, size_t index,
                                const ed_records_request *request, ed_buf *room, embedd_error *err)
{
    const ed_slice *slice = &chunk->records[index];
    struct json_object *object = NULL, *vector = NULL;
    const char *prompt = NULL;
    char where[512];

    ed_text_source_where(source, chunk->lines[index], where, sizeof where);
    embedd_status status =
        ed_json_parse(chunk->bytes.data + slice->begin, slice->n_bytes, where, &object, err);
    if (status == EMBEDD_OK && !json_object_object_get_ex(object, request->vector_field, &vector))
        status = ed_fail(err, EMBEDD_IO, "%s: there is no field %s; --vector-field names another",
                         where, request->vector_field);
    if (status == EMBEDD_OK)
        status = read_numbers(vector, room, where, request->vector_field, err);
    if (status == EMBEDD_OK)
        status = ed_json_get_string(object, "prompt", &prompt, where, err);
    if (status == EMBEDD_OK)
        status = add_numbers(records, chunk->texts[index], room, where, err);
    if (status == EMBEDD_OK && prompt) {
        ed_vector_record *record = &records->records[records->n_records - 1];
        record->prompt = ed_strdup(prompt);
        if (record->prompt == NULL)
            status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    }
    json_object_put(object);
    return status;
}

static embedd_status read_jsonl(ed_vector_records *records, const char *path,
                                const ed_records_request *request, embedd_error *err)
{
    ed_text_source source;
    ed_buf room;
    ed_text_chunk *chunk = ed_calloc(1, sizeof *chunk);

    if (chunk == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    ed_buf_init(&room, ED_VECTOR_DIMENSIONS_MAX * sizeof(float));
    ed_text_chunk_init(chunk);
    embedd_status status = ed_text_source_open_jsonl(&source, path, request->text_field, err);
    do {
        if (status == EMBEDD_OK)
            status = ed_text_source_next(&source, chunk, err);
        for (size_t i = 0;
             status == EMBEDD_OK && i < chunk->n_texts && records->n_records < request->records_max;
             i++)
            status = add_record(records, &source, chunk, i, request, &room, err);
    } while (status == EMBEDD_OK && chunk->n_texts > 0 &&
             records->n_records < request->records_max);
    ed_text_source_close(&source);
    ed_text_chunk_clear(chunk);
    ed_free(chunk);
    ed_buf_clear(&room);
    return status;
}

static embedd_status read_ollama(ed_vector_records *records, const char *path, embedd_error *err)
{
    struct json_object *file = NULL;
    ed_buf room;

    ed_buf_init(&room, ED_VECTOR_DIMENSIONS_MAX * sizeof(float));
    embedd_status status = ed_json_read_file(path, JSON_BYTES_MAX, &file, err);
    if (status == EMBEDD_OK && !json_object_is_type(file, json_type_object))
        status = ed_fail(err, EMBEDD_IO, "%s: is not a JSON object", path);
    if (status == EMBEDD_OK) {
        const embedd_text text = {OLLAMA_TEXT, strlen(OLLAMA_TEXT)};
        json_object_object_foreach(file, name, list)
        {
            status = read_numbers(list, &room, path, name, err);
            if (status == EMBEDD_OK)
                status = add_numbers(records, text, &room, path, err);
            if (status != EMBEDD_OK)
                break;
            ed_vector_record *record = &records->records[records->n_records - 1];
            record->name = ed_strdup(name);
        }
    }
    json_object_put(file);
    ed_buf_clear(&room);
    return status;
}

/* ---- Arrow ----------------------------------------------------------------------------------- */

typedef struct arrow_target {
    ed_vector_records *records;
    size_t records_max;
} arrow_target;

static embedd_status add_row(void *context, embedd_text text, const float *vector,
                             size_t dimensions, bool *enough, embedd_error *err)
{
    arrow_target *target = context;
    embedd_status status = ed_vector_records_add(target->records, text, vector, dimensions, err);
    *enough = target->records->n_records >= target->records_max;
    return status;
}

static embedd_status read_arrow(ed_vector_records *records, const char *path,
                                const ed_records_request *request, embedd_error *err)
{
    arrow_target target = {records, request->records_max};
    const ed_arrow_columns columns = {request->text_field, request->vector_field};
    embedd_error failure = {0};
    ed_file_map map = {0};

    embedd_status status = ed_file_map_open(&map, path, FILE_BYTES_MAX, err);
    if (status != EMBEDD_OK)
        return status;
    status = ed_arrow_read(map.data, map.n_bytes, &columns, add_row, &target, &failure);
    ed_file_map_close(&map);
    return status == EMBEDD_OK ? status : ed_fail(err, status, "%s: %s", path, failure.message);
}
