/* POST /embed-file: a file's text in chunks, each with its vector. In: a path below a file root, or
 * the file itself (upload.c). Out: chunks, their vectors and places. Never a file from outside the
 * roots, and never a word about what is there. */
#include "server/dialect.h"

#include "documents/file_root.h"
#include "server/json_text.h"
#include "server/prepare.h"

static bool read_path(ed_request_parser *p, ed_json_token token);
static bool read_chunk_size(ed_request_parser *p, ed_json_token token);
static bool read_chunk_overlap(ed_request_parser *p, ed_json_token token);
static bool read_max_chunks(ed_request_parser *p, ed_json_token token);
static bool check(ed_request_parser *p);
static bool make_texts(struct ed_job *job, const struct ed_prepare_options *options);
static bool read_file(ed_job *job, const ed_prepare_options *options, embedd_text *bytes);
static bool open_document(ed_job *job, ed_budget *budget, ed_document_type type, embedd_text bytes);
static bool cut(ed_job *job, bool markdown);
static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem);

static const ed_request_field fields[] = {
    {"path", read_path},
    {"chunk_size", read_chunk_size},
    {"chunk_overlap", read_chunk_overlap},
    {"max_chunks", read_max_chunks},
    {"normalize", ed_read_normalize},
    {"truncate", ed_read_truncate},
    {"pooling", ed_read_pooling},
    {"prompt", ed_read_prompt},
    {"prompt_name", ed_read_prompt_name},
    {"dimensions", ed_read_dimensions},
    {"model", ed_read_model},
};

const ed_dialect ed_dialect_file = {.fields = fields,
                                    .n_fields = sizeof fields / sizeof *fields,
                                    .check = check,
                                    .make_texts = make_texts,
                                    .put_vectors = put_vectors,
                                    .put_problem = ed_put_problem};

static bool read_path(ed_request_parser *p, ed_json_token token)
{
    p->request->file.path = (embedd_text){0};
    return ed_read_string(p, token, "\"path\"", &p->request->file.path);
}

static bool read_chunk_size(ed_request_parser *p, ed_json_token token)
{
    p->request->file.chunk_size = 0;
    return ed_read_whole_number(p, token, "\"chunk_size\"", 1, &p->request->file.chunk_size);
}

static bool read_chunk_overlap(ed_request_parser *p, ed_json_token token)
{
    p->request->file.overlap_given = token != ED_JSON_NULL;
    return ed_read_whole_number(p, token, "\"chunk_overlap\"", 0, &p->request->file.chunk_overlap);
}

static bool read_max_chunks(ed_request_parser *p, ed_json_token token)
{
    p->request->file.chunks_max = 0;
    return ed_read_whole_number(p, token, "\"max_chunks\"", 1, &p->request->file.chunks_max);
}

/* The defaults. */
static bool check(ed_request_parser *p)
{
    ed_file_request *file = &p->request->file;
    if (file->chunk_size == 0)
        file->chunk_size = ED_CHUNK_SIZE;
    if (!file->overlap_given)
        file->chunk_overlap = ed_chunk_overlap_default(file->chunk_size);
    if (file->chunk_overlap > file->chunk_size / 2)
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"chunk_overlap\" is more than half of \"chunk_size\"");
    if (file->chunks_max == 0)
        file->chunks_max = ED_CHUNKS_MAX < p->texts_max ? ED_CHUNKS_MAX : p->texts_max;
    if (file->chunks_max > p->texts_max)
        return ed_problem_set(p->problem, ED_PROBLEM_INVALID_VALUE, EMBEDD_NO_INDEX,
                              "\"max_chunks\" is more than the %zu texts of a request",
                              p->texts_max);
    return true;
}

/* ---- from the file to texts ------------------------------------------------------------------ */

static bool make_texts(struct ed_job *job, const struct ed_prepare_options *options)
{
    embedd_text bytes = {job->body, job->n_body};
    ed_document_type type = job->body_type;
    if (!job->body_is_file) {
        if (!read_file(job, options, &bytes))
            return false;
        type = ed_document_type_of_name(job->request.file.path);
    }
    return open_document(job, options->budget, type, bytes) &&
           cut(job, type == ED_DOCUMENT_MARKDOWN);
}

static bool read_file(ed_job *job, const ed_prepare_options *options, embedd_text *bytes)
{
    ed_file_request *request = &job->request.file;
    ed_rooted_file file = {.fd = -1};
    bool ok = false;
    if (!request->path.bytes)
        return ed_problem_set(&job->problem, ED_PROBLEM_MISSING_FIELD, EMBEDD_NO_INDEX,
                              "expected \"path\", a string, or an uploaded file");
    if (!options->file_roots)
        return ed_problem_set(&job->problem, ED_PROBLEM_FORBIDDEN_PATH, EMBEDD_NO_INDEX,
                              "no file is read by its path without --file-root; upload it instead");
    switch (ed_rooted_file_open(&file, options->file_roots, request->path)) {
    case ED_FILE_FORBIDDEN:
        return ed_problem_set(&job->problem, ED_PROBLEM_FORBIDDEN_PATH, EMBEDD_NO_INDEX, NULL);
    case ED_FILE_NOT_REGULAR:
        return ed_problem_set(&job->problem, ED_PROBLEM_NOT_A_FILE, EMBEDD_NO_INDEX, NULL);
    case ED_FILE_OPENED:
        break;
    }
    if (file.n_bytes > options->body_bytes_max)
        ed_problem_set(&job->problem, ED_PROBLEM_BODY_TOO_LARGE, EMBEDD_NO_INDEX,
                       "the file is larger than %zu bytes", options->body_bytes_max);
    else if (!ed_budget_take(options->budget, &job->memory, file.n_bytes))
        ed_problem_set(&job->problem, ED_PROBLEM_OVERLOADED, EMBEDD_NO_INDEX, NULL);
    else if (!(request->bytes = ed_calloc(file.n_bytes, 1)))
        ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    else if (!ed_rooted_file_read(&file, request->bytes, &bytes->n_bytes))
        ed_problem_set(&job->problem, ED_PROBLEM_FORBIDDEN_PATH, EMBEDD_NO_INDEX, NULL);
    else
        ok = true;
    bytes->bytes = request->bytes;
    ed_rooted_file_close(&file);
    return ok;
}

static bool open_document(ed_job *job, ed_budget *budget, ed_document_type type, embedd_text bytes)
{
    ed_document *document = &job->request.file.document;
    embedd_error err;
    embedd_status status =
        ed_document_open(document, type, bytes.bytes ? bytes.bytes : "", bytes.n_bytes, &err);
    if (status == EMBEDD_UNSUPPORTED)
        return ed_problem_set(&job->problem, ED_PROBLEM_UNSUPPORTED_DOCUMENT, EMBEDD_NO_INDEX, "%s",
                              err.message);
    if (status != EMBEDD_OK)
        return ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    /* The table of places to cut, and the text if it is not the file's bytes. */
    size_t n_bytes = document->n_bytes + (document->own ? document->n_bytes : 0);
    return ed_budget_take(budget, &job->memory, n_bytes) ||
           ed_problem_set(&job->problem, ED_PROBLEM_OVERLOADED, EMBEDD_NO_INDEX, NULL);
}

static bool cut(ed_job *job, bool markdown)
{
    ed_request *request = &job->request;
    ed_file_request *file = &request->file;
    const embedd_text text = {file->document.text, file->document.n_bytes};
    const ed_chunk_options options = {.size = file->chunk_size,
                                      .overlap = file->chunk_overlap,
                                      .chunks_max = file->chunks_max,
                                      .markdown = markdown};
    embedd_error err;
    if (ed_chunks_make(&file->chunks, text, &options, &err) != EMBEDD_OK ||
        !(request->texts = ed_calloc(file->chunks.n_chunks, sizeof *request->texts)))
        return ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    for (size_t i = 0; i < file->chunks.n_chunks; i++) {
        const ed_chunk *chunk = &file->chunks.chunks[i];
        request->texts[i] = (embedd_text){text.bytes + chunk->begin, chunk->end - chunk->begin};
        file->n_text_bytes += chunk->end - chunk->begin;
    }
    request->n_texts = file->chunks.n_chunks;
    return true;
}

/* ---- the reply ------------------------------------------------------------------------------- */

static bool put_vectors(ed_buf *reply, const ed_request *request, const ed_result *result,
                        ed_problem *problem)
{
    const ed_file_request *file = &request->file;
    ed_buf_append_text(reply, "{\"chunks\":[");
    for (size_t i = 0; i < request->n_texts; i++) {
        ed_buf_append(reply, ",", i > 0);
        ed_json_text_string(reply, request->texts[i].bytes, request->texts[i].n_bytes);
    }
    ed_buf_append_text(reply, "],\"offsets\":[");
    for (size_t i = 0; i < request->n_texts; i++) {
        const ed_chunk *chunk = &file->chunks.chunks[i];
        ed_buf_printf(reply, "%s[%zu,%zu]", i > 0 ? "," : "", chunk->first_character,
                      chunk->first_character + chunk->n_characters);
    }
    ed_buf_printf(reply, "],\"max_chunks_reached\":%s,\"replaced\":%zu,\"vectors\":[",
                  file->chunks.cut ? "true" : "false", file->document.n_replaced);
    for (size_t i = 0; i < request->n_texts; i++) {
        ed_buf_append(reply, ",", i > 0);
        if (!ed_reply_vector(reply, request, result, i, problem) && !reply->failed)
            return false;
    }
    ed_put_summary(reply, request, result);
    return ed_reply_end(reply, problem);
}
