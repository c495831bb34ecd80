/* embedd chunk: a file of text in, its chunks out, a line of JSON each, as embedd embed --jsonl
 * reads them. Needs no model. */
#include "cli/commands.h"

#include "base/error.h"
#include "base/file_map.h"
#include "base/memory.h"
#include "cli/vector_sink.h"
#include "documents/chunker.h"
#include "documents/document.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)256 << 20)
#define LINE_BYTES_MAX (8 * FILE_BYTES_MAX) /* a byte has six in JSON at most */

static embedd_status chunk(const ed_arguments *arguments, embedd_error *err);
static embedd_status read_options(const ed_arguments *arguments, ed_chunk_options *options,
                                  embedd_error *err);
static embedd_status print_chunks(embedd_text text, const ed_chunk_options *options,
                                  embedd_error *err);

int ed_command_chunk(const ed_arguments *arguments)
{
    embedd_error err;
    return chunk(arguments, &err) == EMBEDD_OK ? ED_EXIT_OK : ed_complain(&err);
}

static embedd_status chunk(const ed_arguments *arguments, embedd_error *err)
{
    ed_document document = {0};
    ed_chunk_options options;
    char *bytes = NULL;
    size_t n_bytes = 0;

    embedd_status status = read_options(arguments, &options, err);
    if (status != EMBEDD_OK)
        return status;
    const char *path = arguments->operands[0];
    ed_document_type type = ed_document_type_of_name((embedd_text){path, strlen(path)});
    options.markdown = type == ED_DOCUMENT_MARKDOWN;
    /* Of the file, nothing is NOT_FOUND or UNSUPPORTED, which the exit code says of a model. */
    status = ed_file_read(path, FILE_BYTES_MAX, &bytes, &n_bytes, err);
    if (status != EMBEDD_OK) {
        err->status = status == EMBEDD_MEMORY ? status : EMBEDD_IO;
        return err->status;
    }
    embedd_error why;
    status = ed_document_open(&document, type, bytes, n_bytes, &why);
    if (status != EMBEDD_OK)
        status =
            ed_fail(err, status == EMBEDD_MEMORY ? status : EMBEDD_IO, "%s: %s", path, why.message);
    else
        status = print_chunks((embedd_text){document.text, document.n_bytes}, &options, err);
    if (status == EMBEDD_OK && document.n_replaced > 0)
        fprintf(stderr, "embedd: %s: %zu bytes are not UTF-8 and were replaced\n", path,
                document.n_replaced);
    ed_document_close(&document);
    ed_free(bytes);
    return status;
}

static embedd_status read_options(const ed_arguments *arguments, ed_chunk_options *options,
                                  embedd_error *err)
{
    const ed_value *values = arguments->values;
    const ed_value *overlap = &values[ED_OPTION_CHUNK_OVERLAP];
    const ed_value *most = &values[ED_OPTION_MAX_CHUNKS];
    size_t size = (size_t)values[ED_OPTION_CHUNK_SIZE].number;

    *options = (ed_chunk_options){.size = size,
                                  .overlap = ed_chunk_overlap_default(size),
                                  .chunks_max = most->given ? (size_t)most->number : SIZE_MAX};
    if (overlap->given)
        options->overlap = (size_t)overlap->number;
    if (arguments->n_operands == 0)
        return ed_fail(err, EMBEDD_ARGUMENT, "say which file: embedd chunk FILE");
    if (options->overlap > size / 2)
        return ed_fail(err, EMBEDD_ARGUMENT, "--chunk-overlap is more than half of --chunk-size");
    return EMBEDD_OK;
}

static embedd_status print_chunks(embedd_text text, const ed_chunk_options *options,
                                  embedd_error *err)
{
    ed_chunks chunks;
    ed_buf line;

    embedd_status status = ed_chunks_make(&chunks, text, options, err);
    if (status != EMBEDD_OK)
        return status;
    ed_buf_init(&line, LINE_BYTES_MAX);
    for (size_t i = 0; i < chunks.n_chunks && !line.failed; i++) {
        const ed_chunk *c = &chunks.chunks[i];
        ed_buf_reset(&line);
        ed_buf_append_text(&line, "{\"text\":");
        ed_append_json_string(&line, text.bytes + c->begin, c->end - c->begin);
        ed_buf_printf(&line, ",\"begin\":%zu,\"end\":%zu}\n", c->first_character,
                      c->first_character + c->n_characters);
        fwrite(line.data, 1, line.n_bytes, stdout);
    }
    if (line.failed)
        status = ed_fail(err, EMBEDD_MEMORY, "out of memory");
    else if (chunks.cut)
        fprintf(stderr, "embedd: there is more text than --max-chunks %zu holds\n",
                options->chunks_max);
    ed_buf_clear(&line);
    ed_chunks_clear(&chunks);
    return status;
}
