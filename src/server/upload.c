/* In: pieces of a body. Out: a file's bytes, what type it is, and the request's other fields as
 * JSON, so that they are read and checked where those of a JSON body are. */
#include "server/upload.h"

#include "base/memory.h"
#include "server/json_text.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#define PARSER_BYTES  4096
#define VALUE_MAX     1024
#define OPTIONS_BYTES ((size_t)64 << 10)

struct ed_upload {
    ed_job *job;
    ed_upload_keep keep;
    void *context;
    struct MHD_PostProcessor *parser; /* NULL = the whole body is the file */
    ed_document_type type;
    size_t n_files;
    bool ok;
    bool in_file;      /* the part that is being read is one */
    const char *field; /* whose value is being read; NULL = none */
    size_t n_part;     /* bytes of the part so far */
    char value[VALUE_MAX];
    size_t n_value;
};

typedef struct field {
    const char *name;
    bool is_text; /* else a number or true, false, null, as JSON writes them */
} field;

static const field fields[] = {
    {"chunk_size", false}, {"chunk_overlap", false}, {"max_chunks", false}, {"normalize", false},
    {"dimensions", false}, {"truncate", false},      {"pooling", true},     {"prompt", true},
    {"prompt_name", true}, {"model", true},
};

static bool is_json(const char *content_type);
static const field *find_field(const char *name);
static enum MHD_Result on_query(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value);
static enum MHD_Result on_part(void *context, enum MHD_ValueKind kind, const char *name,
                               const char *file_name, const char *content_type, const char *coding,
                               const char *data, uint64_t offset, size_t n_bytes);
static bool begin_file(ed_upload *upload, const char *file_name, const char *content_type);
static void end_field(ed_upload *upload);
static void put_option(ed_upload *upload, const char *name, const char *value, size_t n_value);
static bool fail(ed_upload *upload, ed_problem_code code, const char *message);

bool ed_upload_open(ed_upload **out, struct MHD_Connection *connection, ed_job *job,
                    ed_upload_keep keep, void *context)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    if (is_json(type))
        return true;
    ed_upload *upload = ed_calloc(1, sizeof *upload);
    if (!upload)
        return ed_problem_set(&job->problem, ED_PROBLEM_OUT_OF_MEMORY, EMBEDD_NO_INDEX, NULL);
    *out = upload;
    *upload = (ed_upload){.job = job, .keep = keep, .context = context, .ok = true};
    ed_buf_init(&job->options, OPTIONS_BYTES);
    if (strncasecmp(type, "multipart/form-data", 19) == 0) {
        upload->parser = MHD_create_post_processor(connection, PARSER_BYTES, on_part, upload);
        if (!upload->parser)
            return fail(upload, ED_PROBLEM_INVALID_VALUE,
                        "the Content-Type multipart/form-data has no boundary");
    } else {
        upload->type = ed_document_type_of_media(type);
        upload->n_files = 1;
    }
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, on_query, upload);
    return upload->ok;
}

void ed_upload_close(ed_upload *upload)
{
    if (!upload)
        return;
    if (upload->parser)
        MHD_destroy_post_processor(upload->parser);
    ed_free(upload);
}

/* What clients say of JSON, or say by not thinking of it (curl -d). */
static bool is_json(const char *content_type)
{
    size_t n = content_type ? strcspn(content_type, "; \t") : 0;
    return n == 0 || (n == 16 && strncasecmp(content_type, "application/json", n) == 0) ||
           (n == 33 && strncasecmp(content_type, "application/x-www-form-urlencoded", n) == 0);
}

bool ed_upload_read(ed_upload *upload, const char *data, size_t n_bytes)
{
    if (!upload->parser)
        return upload->keep(upload->context, data, n_bytes);
    if (MHD_post_process(upload->parser, data, n_bytes) != MHD_YES && upload->ok)
        return fail(upload, ED_PROBLEM_INVALID_VALUE, "the body is not multipart/form-data");
    return upload->ok;
}

bool ed_upload_end(ed_upload *upload)
{
    ed_job *job = upload->job;
    end_field(upload);
    if (upload->ok && upload->parser) {
        enum MHD_Result complete = MHD_destroy_post_processor(upload->parser);
        upload->parser = NULL;
        if (complete != MHD_YES)
            return fail(upload, ED_PROBLEM_INVALID_VALUE, "the multipart/form-data has no end");
    }
    if (upload->ok && upload->n_files == 0)
        return fail(upload, ED_PROBLEM_MISSING_FIELD, "the form has no file, a part with a name");
    ed_buf_append_text(&job->options, job->options.n_bytes ? "}" : "{}");
    if (job->options.failed)
        return fail(upload, ED_PROBLEM_OUT_OF_MEMORY, NULL);
    job->body_type = upload->type;
    job->body_is_file = true;
    return upload->ok;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static enum MHD_Result on_query(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    (void)kind;
    if (find_field(name) && value)
        put_option(context, name, value, strlen(value));
    return MHD_YES;
}

/* A piece of a part. */
static enum MHD_Result on_part(void *context, enum MHD_ValueKind kind, const char *name,
                               const char *file_name, const char *content_type, const char *coding,
                               const char *data, uint64_t offset, size_t n_bytes)
{
    ed_upload *upload = context;
    (void)kind;
    (void)coding;
    const field *known = file_name ? NULL : find_field(name);
    const char *known_name = known ? known->name : NULL;
    /* The parser may tell of a part's beginning more than once before its first byte. */
    bool again =
        upload->n_part == 0 && (file_name ? upload->in_file : known && upload->field == known_name);
    if (offset == 0 && !again) {
        end_field(upload);
        if (file_name && !begin_file(upload, file_name, content_type))
            return MHD_NO;
        upload->in_file = file_name != NULL;
        upload->field = known_name;
    }
    upload->n_part = (size_t)offset + n_bytes;
    if (file_name) {
        upload->ok = n_bytes == 0 || upload->keep(upload->context, data, n_bytes);
    } else if (upload->field) {
        if (n_bytes > VALUE_MAX - upload->n_value) {
            fail(upload, ED_PROBLEM_INVALID_VALUE, "a field of the form is too long");
        } else {
            memcpy(upload->value + upload->n_value, data, n_bytes);
            upload->n_value += n_bytes;
        }
    }
    return upload->ok ? MHD_YES : MHD_NO;
}

/* Its name says more than what a client's table makes of it. */
static bool begin_file(ed_upload *upload, const char *file_name, const char *content_type)
{
    if (upload->n_files++ > 0)
        return fail(upload, ED_PROBLEM_INVALID_VALUE, "the form has more than one file");
    upload->type = ed_document_type_of_name((embedd_text){file_name, strlen(file_name)});
    if (upload->type == ED_DOCUMENT_OTHER)
        upload->type = ed_document_type_of_media(content_type);
    return true;
}

static void end_field(ed_upload *upload)
{
    if (upload->field)
        put_option(upload, upload->field, upload->value, upload->n_value);
    upload->field = NULL;
    upload->n_value = 0;
}

static const field *find_field(const char *name)
{
    for (size_t i = 0; name && i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* A value that is no JSON by itself becomes a string, and whoever reads the field says what is
 * wrong. */
static void put_option(ed_upload *upload, const char *name, const char *value, size_t n_value)
{
    static const char *const words[] = {"true", "false", "null", "0"};
    ed_buf *options = &upload->job->options;
    bool bare = n_value > 0 && n_value < 16 && value[0] != '0';
    for (size_t i = 0; i < n_value; i++)
        bare = bare && value[i] >= '0' && value[i] <= '9';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        bare = bare || (n_value == strlen(words[i]) && memcmp(value, words[i], n_value) == 0);
    ed_buf_printf(options, "%c\"%s\":", options->n_bytes ? ',' : '{', name);
    if (bare && !find_field(name)->is_text)
        ed_buf_append(options, value, n_value);
    else
        ed_json_text_string(options, value, n_value);
}

static bool fail(ed_upload *upload, ed_problem_code code, const char *message)
{
    upload->ok = false;
    return ed_problem_set(&upload->job->problem, code, EMBEDD_NO_INDEX, message ? "%s" : NULL,
                          message);
}
