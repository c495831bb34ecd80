/* In: chunks of vectors. Out: a file in one of three formats, complete or not there at all. */
#include "cli/vector_sink.h"

#include "base/error.h"
#include "cli/unfinished_file.h"
#include "formats/json.h"
#include "server/float_text.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW_BYTES_MAX       ((size_t)256 << 20)
#define TRUNCATED_BYTES_MAX ((size_t)256 << 20)
#define NPY_HEADER_BYTES    128
#define COPY_BYTES          ((size_t)1 << 16)

static ed_sink_format choose_format(const ed_arguments *arguments);
static embedd_status open_out(ed_vector_sink *sink, embedd_error *err);
static embedd_status write_npy_header(ed_vector_sink *sink, embedd_error *err);
static embedd_status flush_row(ed_vector_sink *sink, embedd_error *err);
static void append_json_row(ed_vector_sink *sink, size_t line, const float *vector,
                            const embedd_usage *usage);
static embedd_status append_jsonl_row(ed_vector_sink *sink, const ed_text_source *source,
                                      const ed_text_chunk *chunk, size_t row, const float *vector,
                                      const embedd_usage *usage, embedd_error *err);

static embedd_status fail_errno(const ed_vector_sink *sink, embedd_error *err)
{
    return ed_fail(err, EMBEDD_IO, "%s: %s", sink->path ? sink->path : "standard output",
                   strerror(errno));
}

embedd_status ed_vector_sink_open(ed_vector_sink *sink, const ed_arguments *arguments,
                                  const char *model, size_t dimensions, embedd_error *err)
{
    const char *path = arguments->values[ED_OPTION_OUT].text;

    *sink = (ed_vector_sink){.format = choose_format(arguments),
                             .path = path && strcmp(path, "-") == 0 ? NULL : path,
                             .model = model,
                             .dimensions = dimensions};
    ed_buf_init(&sink->text, ROW_BYTES_MAX);
    ed_buf_init(&sink->truncated, TRUNCATED_BYTES_MAX);
    if (sink->format == ED_SINK_NPY && !sink->path && isatty(STDOUT_FILENO))
        return ed_fail(err, EMBEDD_ARGUMENT, "npy is not for a terminal; name a file with --out");
    embedd_status status = open_out(sink, err);
    if (status == EMBEDD_OK && sink->format == ED_SINK_NPY)
        status = write_npy_header(sink, err);
    /* Printed with the first row: what fails before leaves no half an object. */
    if (status == EMBEDD_OK && sink->format == ED_SINK_JSON &&
        !ed_buf_append_text(&sink->text, "{\"vectors\":["))
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    return status;
}

static bool ends_in(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static ed_sink_format choose_format(const ed_arguments *arguments)
{
    const char *format = arguments->values[ED_OPTION_FORMAT].text;
    const char *out = arguments->values[ED_OPTION_OUT].text;

    if (format != NULL)
        return strcmp(format, "npy") == 0     ? ED_SINK_NPY
               : strcmp(format, "jsonl") == 0 ? ED_SINK_JSONL
                                              : ED_SINK_JSON;
    if (out != NULL && ends_in(out, ".npy"))
        return ED_SINK_NPY;
    if (out != NULL && ends_in(out, ".jsonl"))
        return ED_SINK_JSONL;
    if (out != NULL && ends_in(out, ".json"))
        return ED_SINK_JSON;
    return arguments->values[ED_OPTION_JSONL].text ? ED_SINK_JSONL : ED_SINK_JSON;
}

/* A regular file is written beside its place. What cannot be renamed (a pipe, /dev/null) is written
 * as it is; an array, whose header is known last, then goes through a temporary file. */
static embedd_status open_out(ed_vector_sink *sink, embedd_error *err)
{
    struct stat info;

    if (sink->path && (stat(sink->path, &info) != 0 || S_ISREG(info.st_mode))) {
        ed_buf_printf(&sink->text, "%s.partial", sink->path);
        sink->partial = sink->text.failed ? NULL : ed_strdup(sink->text.data);
        ed_buf_reset(&sink->text);
        if (sink->partial == NULL)
            return ed_fail(err, EMBEDD_MEMORY, "out of memory");
        ed_unfinished_file_guard(sink->partial);
        sink->file = fopen(sink->partial, "wbe");
        return sink->file ? EMBEDD_OK : fail_errno(sink, err);
    }
    sink->file = sink->path ? fopen(sink->path, "wbe") : stdout;
    if (sink->format == ED_SINK_NPY && sink->file != NULL) {
        sink->target = sink->file;
        sink->file = tmpfile();
    }
    return sink->file ? EMBEDD_OK : fail_errno(sink, err);
}

/* ---- rows ------------------------------------------------------------------------------------ */

embedd_status ed_vector_sink_write(ed_vector_sink *sink, const ed_text_source *source,
                                   const ed_text_chunk *chunk, const float *vectors,
                                   const embedd_usage *usage, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;

    for (size_t i = 0; i < chunk->n_texts && status == EMBEDD_OK; i++) {
        const float *vector = vectors + i * sink->dimensions;
        if (sink->format == ED_SINK_NPY)
            ed_buf_append(&sink->text, vector, sink->dimensions * sizeof *vector);
        else if (sink->format == ED_SINK_JSON)
            append_json_row(sink, sink->n_vectors, vector, &usage[i]);
        else
            status = append_jsonl_row(sink, source, chunk, i, vector, &usage[i], err);
        sink->n_vectors++;
        sink->n_tokens += usage[i].n_tokens;
        sink->n_truncated += usage[i].n_tokens_total > usage[i].n_tokens;
        if (status == EMBEDD_OK)
            status = flush_row(sink, err);
    }
    return status;
}

static embedd_status flush_row(ed_vector_sink *sink, embedd_error *err)
{
    size_t n_bytes = sink->text.n_bytes;

    if (sink->text.failed || sink->truncated.failed)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    if (fwrite(sink->text.data, 1, n_bytes, sink->file) != n_bytes)
        return fail_errno(sink, err);
    ed_buf_reset(&sink->text);
    return EMBEDD_OK;
}

static void append_json_row(ed_vector_sink *sink, size_t index, const float *vector,
                            const embedd_usage *usage)
{
    ed_buf_append_text(&sink->text, index > 0 ? ",\n" : "\n");
    ed_append_vector(&sink->text, vector, sink->dimensions);
    if (usage->n_tokens_total > usage->n_tokens)
        ed_buf_printf(
            &sink->truncated, "%s{\"index\":%zu,\"tokens_used\":%zu,\"tokens_total\":%zu}",
            sink->n_truncated > 0 ? "," : "", index, usage->n_tokens, usage->n_tokens_total);
}

/* The record as it was read, byte for byte, up to its closing brace; only if it has a field that is
 * added here, that one is taken out and the rest is written anew. */
static embedd_status append_record(ed_buf *out, const char *record, size_t n_bytes,
                                   embedd_error *err)
{
    static const char *const added[] = {"vector", "tokens_used", "tokens_total", "truncated"};
    struct json_object *object = NULL;
    bool changed = false;

    embedd_status status = ed_json_parse(record, n_bytes, "record", &object, err);
    if (status != EMBEDD_OK)
        return status;
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        changed |= json_object_object_get_ex(object, added[i], NULL);
        json_object_object_del(object, added[i]);
    }
    if (changed)
        record = json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN, &n_bytes);
    while (n_bytes > 0 && record[n_bytes - 1] != '}')
        n_bytes--;
    ed_buf_append(out, record, n_bytes - 1);
    if (json_object_object_length(object) > 0)
        ed_buf_append_text(out, ",");
    json_object_put(object);
    return EMBEDD_OK;
}

static embedd_status append_jsonl_row(ed_vector_sink *sink, const ed_text_source *source,
                                      const ed_text_chunk *chunk, size_t row, const float *vector,
                                      const embedd_usage *usage, embedd_error *err)
{
    ed_buf *out = &sink->text;

    if (source->kind == ED_SOURCE_JSONL) {
        const ed_slice *record = &chunk->records[row];
        embedd_status status =
            append_record(out, chunk->bytes.data + record->begin, record->n_bytes, err);
        if (status != EMBEDD_OK)
            return status;
    } else {
        ed_buf_append_text(out, "{\"text\":");
        ed_append_json_string(out, chunk->texts[row].bytes, chunk->texts[row].n_bytes);
        ed_buf_append_text(out, ",");
    }
    ed_buf_append_text(out, "\"vector\":");
    ed_append_vector(out, vector, sink->dimensions);
    ed_buf_printf(out, ",\"tokens_used\":%zu,\"tokens_total\":%zu,\"truncated\":%s}\n",
                  usage->n_tokens, usage->n_tokens_total,
                  usage->n_tokens_total > usage->n_tokens ? "true" : "false");
    return EMBEDD_OK;
}

bool ed_append_vector(ed_buf *out, const float *vector, size_t dimensions)
{
    char text[1 + ED_FLOAT_TEXT_ROOM];

    for (size_t i = 0; i < dimensions; i++) {
        text[0] = i == 0 ? '[' : ',';
        ed_buf_append(out, text, 1 + ed_float_text(vector[i], text + 1));
    }
    return ed_buf_append_text(out, dimensions == 0 ? "[]" : "]");
}

bool ed_append_json_string(ed_buf *out, const char *text, size_t n_bytes)
{
    ed_buf_append_text(out, "\"");
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        size_t n_plain = 0;
        while (i + n_plain < n_bytes && (unsigned char)text[i + n_plain] >= 0x20 &&
               text[i + n_plain] != '"' && text[i + n_plain] != '\\')
            n_plain++;
        if (n_plain > 0) {
            ed_buf_append(out, text + i, n_plain);
            i += n_plain - 1;
        } else if (c == '"' || c == '\\') {
            ed_buf_printf(out, "\\%c", c);
        } else if (c == '\n') {
            ed_buf_append_text(out, "\\n");
        } else {
            ed_buf_printf(out, "\\u%04x", c);
        }
    }
    return ed_buf_append_text(out, "\"");
}

/* ---- the NumPy array ------------------------------------------------------------------------- */

/* Format version 1.0: magic, version, the header's length in two bytes, a Python dict, blanks up to
 * a multiple of 64 and a line break. Source: numpy.lib.format. */
static embedd_status write_npy_header(ed_vector_sink *sink, embedd_error *err)
{
    char header[NPY_HEADER_BYTES];
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    const char order = '>';
#else
    const char order = '<';
#endif

    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)(NPY_HEADER_BYTES - 10);
    header[9] = 0;
    int n = snprintf(header + 10, sizeof header - 10,
                     "{'descr': '%cf4', 'fortran_order': False, 'shape': (%zu, %zu), }", order,
                     sink->n_vectors, sink->dimensions);
    memset(header + 10 + n, ' ', sizeof header - 11 - (size_t)n);
    header[sizeof header - 1] = '\n';
    if (fwrite(header, 1, sizeof header, sink->file) != sizeof header)
        return fail_errno(sink, err);
    return EMBEDD_OK;
}

/* Temporary file to target. */
static embedd_status copy_out(ed_vector_sink *sink, embedd_error *err)
{
    char bytes[COPY_BYTES];
    size_t n;

    if (fseek(sink->file, 0, SEEK_SET) != 0)
        return fail_errno(sink, err);
    while ((n = fread(bytes, 1, sizeof bytes, sink->file)) > 0)
        if (fwrite(bytes, 1, n, sink->target) != n)
            return fail_errno(sink, err);
    return ferror(sink->file) || fflush(sink->target) != 0 ? fail_errno(sink, err) : EMBEDD_OK;
}

/* ---- the end --------------------------------------------------------------------------------- */

embedd_status ed_vector_sink_finish(ed_vector_sink *sink, embedd_error *err)
{
    embedd_status status = EMBEDD_OK;

    if (sink->format == ED_SINK_JSON) {
        ed_buf_append_text(&sink->text, "\n],\"model\":");
        ed_append_json_string(&sink->text, sink->model, strlen(sink->model));
        ed_buf_printf(&sink->text,
                      ",\"dim\":%zu,\"usage\":{\"tokens\":%" PRIu64 "},\"truncated\":[",
                      sink->dimensions, sink->n_tokens);
        ed_buf_append(&sink->text, sink->truncated.data, sink->truncated.n_bytes);
        ed_buf_append_text(&sink->text, "]}\n");
        status = flush_row(sink, err);
    } else if (sink->format == ED_SINK_NPY) {
        if (fseek(sink->file, 0, SEEK_SET) != 0)
            return fail_errno(sink, err);
        status = write_npy_header(sink, err);
        if (status == EMBEDD_OK && sink->target)
            status = copy_out(sink, err);
    }
    if (status != EMBEDD_OK)
        return status;
    if (fflush(sink->file) != 0 || (sink->partial && fsync(fileno(sink->file)) != 0) ||
        (sink->partial && rename(sink->partial, sink->path) != 0))
        return fail_errno(sink, err);
    ed_unfinished_file_guard(NULL);
    ed_free(sink->partial);
    sink->partial = NULL;
    return EMBEDD_OK;
}

void ed_vector_sink_close(ed_vector_sink *sink)
{
    if (sink->partial) {
        remove(sink->partial);
        ed_unfinished_file_guard(NULL);
    }
    if (sink->file && sink->file != stdout)
        fclose(sink->file);
    if (sink->target && sink->target != stdout)
        fclose(sink->target);
    ed_free(sink->partial);
    ed_buf_clear(&sink->text);
    ed_buf_clear(&sink->truncated);
    *sink = (ed_vector_sink){0};
}
