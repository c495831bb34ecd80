/* embedd similarity: the cosine of each pair of a few texts, as a table or as JSON. */
#include "cli/commands.h"

#include "base/error.h"
#include "cli/model_session.h"
#include "cli/text_source.h"
#include "cli/text_table.h"
#include "cli/vector_sink.h"
#include "server/server.h"

#include <stdio.h>
#include <string.h>

#define LABEL_COLUMNS_MAX 40
#define TEXT_BYTES_MAX    ((size_t)16 << 20)
#define OUT_BYTES_MAX     ((size_t)128 << 20)

typedef struct similarity {
    ed_model_session model;
    ed_text_source source;
    ed_text_chunk chunk;
    float *vectors; /* [n_texts][D], of length 1 */
    embedd_usage usage[ED_CHUNK_TEXTS_MAX];
    ed_buf out;
} similarity;

static embedd_status compare(similarity *job, const ed_arguments *arguments, embedd_error *err);
static void append_table(similarity *job);
static void append_json(similarity *job, const char *model);

int ed_command_similarity(const ed_arguments *arguments)
{
    embedd_error err;
    similarity *job = ed_calloc(1, sizeof *job);

    if (job == NULL)
        return ED_EXIT_MEMORY;
    ed_text_chunk_init(&job->chunk);
    ed_buf_init(&job->out, OUT_BYTES_MAX);
    embedd_status status = compare(job, arguments, &err);
    if (status == EMBEDD_OK) {
        if (arguments->values[ED_OPTION_JSON].on)
            append_json(job, arguments->values[ED_OPTION_MODEL].text);
        else
            append_table(job);
        fwrite(job->out.data, 1, job->out.n_bytes, stdout);
        if (job->out.failed)
            status = ed_fail(&err, EMBEDD_MEMORY, "out of memory");
    }
    for (size_t i = 0; status == EMBEDD_OK && i < job->chunk.n_texts; i++)
        if (job->usage[i].n_tokens_total > job->usage[i].n_tokens)
            fprintf(stderr, "embedd: text %zu was cut: it has %zu tokens, the model reads %zu\n",
                    i + 1, job->usage[i].n_tokens_total, job->usage[i].n_tokens);
    ed_buf_clear(&job->out);
    ed_text_source_close(&job->source);
    ed_text_chunk_clear(&job->chunk);
    ed_model_session_close(&job->model);
    ed_free(job->vectors);
    ed_free(job);
    return status == EMBEDD_OK ? ED_EXIT_OK : ed_complain(&err);
}

/* All texts must fit in one chunk: a table that is wider helps nobody. */
static embedd_status compare(similarity *job, const ed_arguments *arguments, embedd_error *err)
{
    ed_text_chunk *chunk = &job->chunk;

    embedd_status status = ed_text_source_open(&job->source, arguments, err);
    job->source.chunk_bytes = TEXT_BYTES_MAX;
    if (status == EMBEDD_OK)
        status = ed_text_source_next(&job->source, chunk, err);
    if (status != EMBEDD_OK)
        return status;
    if (chunk->n_texts < 2)
        return ed_fail(err, EMBEDD_ARGUMENT, "similarity compares two texts or more");
    if (!ed_text_source_at_end(&job->source))
        return ed_fail(err, EMBEDD_ARGUMENT,
                       "similarity compares at most %d texts; embedd embed takes any number",
                       ED_CHUNK_TEXTS_MAX);
    status = ed_model_session_open(&job->model, arguments, err);
    if (status != EMBEDD_OK)
        return status;
    job->vectors = ed_calloc(chunk->n_texts, job->model.dimensions * sizeof *job->vectors);
    if (job->vectors == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    status = embedd_embed(job->model.session, chunk->texts, chunk->n_texts, &job->model.options,
                          job->vectors, chunk->n_texts * job->model.dimensions, job->usage, err);
    if (status != EMBEDD_OK && err->index < chunk->n_texts)
        return ed_fail(err, status, "text %zu: %s", err->index + 1, err->message);
    return status;
}

/* Vectors have length 1: their product is the cosine. */
static float cosine(const similarity *job, size_t row, size_t column)
{
    const float *x = job->vectors + row * job->model.dimensions;
    const float *y = job->vectors + column * job->model.dimensions;
    double sum = 0;

    for (size_t i = 0; i < job->model.dimensions; i++)
        sum += (double)x[i] * (double)y[i];
    return (float)sum;
}

/* "1  a cat      1.000  0.812": numbered rows, the numbers again above the columns. */
static void append_table(similarity *job)
{
    const ed_text_chunk *chunk = &job->chunk;
    size_t label_columns = 0;

    for (size_t i = 0; i < chunk->n_texts; i++) {
        size_t columns = ed_text_width(chunk->texts[i].bytes, chunk->texts[i].n_bytes);
        if (columns > label_columns)
            label_columns = columns;
    }
    if (label_columns > LABEL_COLUMNS_MAX)
        label_columns = LABEL_COLUMNS_MAX;
    ed_buf_printf(&job->out, "%*s", (int)(5 + label_columns), "");
    for (size_t i = 0; i < chunk->n_texts; i++)
        ed_buf_printf(&job->out, "  %6zu", i + 1);
    ed_buf_append_text(&job->out, "\n");
    for (size_t i = 0; i < chunk->n_texts; i++) {
        ed_buf_printf(&job->out, "%3zu  ", i + 1);
        ed_append_cell(&job->out, chunk->texts[i].bytes, chunk->texts[i].n_bytes, label_columns);
        for (size_t j = 0; j < chunk->n_texts; j++)
            ed_buf_printf(&job->out, "  %6.3f", (double)cosine(job, i, j));
        ed_buf_append_text(&job->out, "\n");
    }
}

static void append_json(similarity *job, const char *model)
{
    const ed_text_chunk *chunk = &job->chunk;
    float row[ED_CHUNK_TEXTS_MAX];

    ed_buf_append_text(&job->out, "{\"model\":");
    ed_append_json_string(&job->out, model, strlen(model));
    ed_buf_append_text(&job->out, ",\"texts\":[");
    for (size_t i = 0; i < chunk->n_texts; i++) {
        ed_buf_append_text(&job->out, i > 0 ? "," : "");
        ed_append_json_string(&job->out, chunk->texts[i].bytes, chunk->texts[i].n_bytes);
    }
    ed_buf_append_text(&job->out, "],\"similarities\":[");
    for (size_t i = 0; i < chunk->n_texts; i++) {
        for (size_t j = 0; j < chunk->n_texts; j++)
            row[j] = cosine(job, i, j);
        ed_buf_append_text(&job->out, i > 0 ? ",\n" : "\n");
        ed_append_vector(&job->out, row, chunk->n_texts);
    }
    ed_buf_append_text(&job->out, "\n]}\n");
}
