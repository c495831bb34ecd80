/* In: arguments, a file or standard input. Out: chunks of texts, small enough that progress moves
 * and memory stays flat, big enough to fill a batch. A line is a text, an empty one too, so that
 * line 12 of the input is vector 12 of the output. */
#include "cli/text_source.h"

#include "base/error.h"
#include "formats/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES    ((size_t)1 << 16)
#define LINE_BYTES_MAX ((size_t)16 << 20)
#define CHUNK_BYTES    ((size_t)32 << 10)
#define CHUNK_BYTES_MAX                                                                            \
    (4 * LINE_BYTES_MAX) /* a long text and its record behind many short ones                      \
                          */

static embedd_status open_file(ed_text_source *source, const char *path, embedd_error *err);
static bool fill_block(ed_text_source *source);
static embedd_status read_line(ed_text_source *source, bool *at_end, embedd_error *err);
static embedd_status add_record(ed_text_source *source, ed_text_chunk *chunk, embedd_error *err);
static embedd_status add_text(ed_text_source *source, ed_text_chunk *chunk, const char *bytes,
                              size_t n_bytes, embedd_error *err);

embedd_status ed_text_source_open(ed_text_source *source, const ed_arguments *arguments,
                                  embedd_error *err)
{
    const char *file = arguments->values[ED_OPTION_FILE].text;
    const char *jsonl = arguments->values[ED_OPTION_JSONL].text;
    bool dash = arguments->n_operands == 1 && strcmp(arguments->operands[0], "-") == 0;

    *source = (ed_text_source){.field = arguments->values[ED_OPTION_FIELD].text,
                               .chunk_bytes = CHUNK_BYTES};
    ed_buf_init(&source->line, LINE_BYTES_MAX);
    if ((file != NULL) + (jsonl != NULL) + (arguments->n_operands > 0) > 1)
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "texts can be arguments, or in --file, or in --jsonl: only one of these");
    if (arguments->n_operands > 0 && !dash) {
        source->operands = arguments->operands;
        source->n_operands = arguments->n_operands;
        return EMBEDD_OK;
    }
    source->kind = jsonl ? ED_SOURCE_JSONL : ED_SOURCE_LINES;
    return open_file(source, jsonl ? jsonl : file ? file : "-", err);
}

embedd_status ed_text_source_open_jsonl(ed_text_source *source, const char *path, const char *field,
                                        embedd_error *err)
{
    *source = (ed_text_source){.kind = ED_SOURCE_JSONL, .field = field, .chunk_bytes = CHUNK_BYTES};
    ed_buf_init(&source->line, LINE_BYTES_MAX);
    return open_file(source, path, err);
}

static embedd_status open_file(ed_text_source *source, const char *path, embedd_error *err)
{
    struct stat info;

    source->name = strcmp(path, "-") == 0 ? "standard input" : path;
    source->block = ed_calloc(BLOCK_BYTES, 1);
    if (source->block == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    source->file = source->name == path ? fopen(path, "rbe") : stdin;
    if (source->file == NULL || fstat(fileno(source->file), &info) != 0)
        return ed_fail(err, EMBEDD_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return ed_fail(err, EMBEDD_IO, "%s: is a folder", path);
    if (S_ISREG(info.st_mode))
        source->n_bytes_total = (uint64_t)info.st_size;
    if (isatty(fileno(source->file)))
        fputs("embedd: reading texts, one a line; Ctrl-D ends them\n", stderr);
    return EMBEDD_OK;
}

void ed_text_source_close(ed_text_source *source)
{
    if (source->file != NULL && source->file != stdin)
        fclose(source->file);
    ed_free(source->block);
    ed_buf_clear(&source->line);
    *source = (ed_text_source){0};
}

void ed_text_chunk_init(ed_text_chunk *chunk)
{
    *chunk = (ed_text_chunk){0};
    ed_buf_init(&chunk->bytes, CHUNK_BYTES_MAX);
}

void ed_text_chunk_clear(ed_text_chunk *chunk)
{
    ed_buf_clear(&chunk->bytes);
}

double ed_text_source_fraction(const ed_text_source *source)
{
    return source->n_bytes_total > 0 ? (double)source->n_bytes_read / (double)source->n_bytes_total
                                     : -1;
}

void ed_text_source_where(const ed_text_source *source, size_t line, char *out, size_t out_cap)
{
    if (source->kind == ED_SOURCE_OPERANDS)
        snprintf(out, out_cap, "text %zu", line);
    else
        snprintf(out, out_cap, "%s:%zu", source->name, line);
}

bool ed_text_source_at_end(ed_text_source *source)
{
    if (source->kind == ED_SOURCE_OPERANDS)
        return source->n_lines == source->n_operands;
    return source->block_at == source->block_end && !fill_block(source);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

embedd_status ed_text_source_next(ed_text_source *source, ed_text_chunk *chunk, embedd_error *err)
{
    bool at_end = false;

    chunk->n_texts = 0;
    ed_buf_reset(&chunk->bytes);
    if (source->kind == ED_SOURCE_OPERANDS) {
        while (chunk->n_texts < ED_CHUNK_TEXTS_MAX && source->n_lines < source->n_operands) {
            const char *text = source->operands[source->n_lines++];
            chunk->lines[chunk->n_texts] = source->n_lines;
            chunk->texts[chunk->n_texts++] = (embedd_text){text, strlen(text)};
        }
        return EMBEDD_OK;
    }
    while (chunk->n_texts < ED_CHUNK_TEXTS_MAX && chunk->bytes.n_bytes < source->chunk_bytes) {
        embedd_status status = read_line(source, &at_end, err);
        if (status == EMBEDD_OK && !at_end) {
            source->n_lines++;
            status = source->kind == ED_SOURCE_JSONL
                         ? add_record(source, chunk, err)
                         : add_text(source, chunk, source->line.data, source->line.n_bytes, err);
        }
        if (status != EMBEDD_OK)
            return status;
        if (at_end)
            break;
    }
    /* Pointers are taken now that the buffer moves no more. */
    for (size_t i = 0; i < chunk->n_texts; i++)
        chunk->texts[i] =
            (embedd_text){chunk->bytes.data + chunk->slices[i].begin, chunk->slices[i].n_bytes};
    return EMBEDD_OK;
}

static embedd_status append(ed_text_chunk *chunk, const char *bytes, size_t n_bytes,
                            ed_slice *slice, embedd_error *err)
{
    *slice = (ed_slice){chunk->bytes.n_bytes, n_bytes};
    /* The NUL keeps the buffer from being NULL when all texts are empty. */
    if (ed_buf_append(&chunk->bytes, bytes, n_bytes) && ed_buf_append(&chunk->bytes, "", 1))
        return EMBEDD_OK;
    return ed_fail(err, EMBEDD_MEMORY, "out of memory");
}

static embedd_status add_text(ed_text_source *source, ed_text_chunk *chunk, const char *bytes,
                              size_t n_bytes, embedd_error *err)
{
    chunk->lines[chunk->n_texts] = source->n_lines;
    embedd_status status = append(chunk, bytes, n_bytes, &chunk->slices[chunk->n_texts], err);
    if (status == EMBEDD_OK)
        chunk->n_texts++;
    return status;
}

/* The field of a line's object; blank lines hold no record. */
static embedd_status add_record(ed_text_source *source, ed_text_chunk *chunk, embedd_error *err)
{
    const char *line = source->line.data;
    size_t n_bytes = source->line.n_bytes;
    struct json_object *record = NULL;
    struct json_object *text = NULL;
    char where[512];

    while (n_bytes > 0 && strchr(" \t\r", line[n_bytes - 1]))
        n_bytes--;
    if (n_bytes == 0)
        return EMBEDD_OK;
    ed_text_source_where(source, source->n_lines, where, sizeof where);
    embedd_status status = ed_json_parse(line, n_bytes, where, &record, err);
    if (status != EMBEDD_OK)
        return ed_fail(err, status == EMBEDD_MEMORY ? status : EMBEDD_IO, "%s", err->message);
    if (!json_object_is_type(record, json_type_object)) {
        status = ed_fail(err, EMBEDD_IO, "%s: is not a JSON object", where);
    } else if (!json_object_object_get_ex(record, source->field, &text)) {
        status = ed_fail(err, EMBEDD_IO, "%s: there is no field %s; --field names another", where,
                         source->field);
    } else if (!json_object_is_type(text, json_type_string)) {
        status = ed_fail(err, EMBEDD_IO, "%s: the field %s is not a string", where, source->field);
    } else {
        status = append(chunk, line, n_bytes, &chunk->records[chunk->n_texts], err);
        if (status == EMBEDD_OK)
            status = add_text(source, chunk, json_object_get_string(text),
                              (size_t)json_object_get_string_len(text), err);
    }
    json_object_put(record);
    return status;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool fill_block(ed_text_source *source)
{
    source->block_at = 0;
    source->block_end = fread(source->block, 1, BLOCK_BYTES, source->file);
    return source->block_end > 0;
}

/* The next line without its end, LF or CR LF, in source->line. */
static embedd_status read_line(ed_text_source *source, bool *at_end, embedd_error *err)
{
    ed_buf *line = &source->line;
    const char *end = NULL;
    bool any = false;

    ed_buf_reset(line);
    while (end == NULL && (source->block_at < source->block_end || fill_block(source))) {
        const char *begin = source->block + source->block_at;
        size_t n = source->block_end - source->block_at;
        end = memchr(begin, '\n', n);
        if (end != NULL)
            n = (size_t)(end - begin);
        if (!ed_buf_append(line, begin, n))
            return ed_fail(err, EMBEDD_IO, "%s:%zu: the line is longer than %zu bytes",
                           source->name, source->n_lines + 1, LINE_BYTES_MAX);
        any = true;
        source->block_at += n + (end != NULL);
        source->n_bytes_read += n + (end != NULL);
    }
    if (ferror(source->file))
        return ed_fail(err, EMBEDD_IO, "%s: %s", source->name, strerror(errno));
    *at_end = !any;
    if (any && !ed_buf_append(line, "", 1)) /* never NULL, even if empty */
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    line->n_bytes -= any;
    if (line->n_bytes > 0 && line->data[line->n_bytes - 1] == '\r')
        line->n_bytes--;
    if (source->n_lines == 0 && line->n_bytes >= 3 && memcmp(line->data, "\xef\xbb\xbf", 3) == 0) {
        line->n_bytes -= 3; /* the byte order mark that some editors write */
        memmove(line->data, line->data + 3, line->n_bytes);
    }
    return EMBEDD_OK;
}
