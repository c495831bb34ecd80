/* embedd embed: texts in, vectors out, one chunk at a time. */
#include "cli/commands.h"

#include "base/error.h"
#include "cli/model_session.h"
#include "cli/progress.h"
#include "cli/text_source.h"
#include "cli/vector_sink.h"
#include "server/server.h"

#include <stdio.h>

typedef struct embed_job {
    ed_model_session model;
    ed_text_source source;
    ed_text_chunk chunk;
    ed_vector_sink sink;
    ed_progress progress;
    float *vectors; /* [ED_CHUNK_TEXTS_MAX][D] */
    embedd_usage usage[ED_CHUNK_TEXTS_MAX];
} embed_job;

static embedd_status embed(embed_job *job, const ed_arguments *arguments, embedd_error *err);
static embedd_status embed_chunk(embed_job *job, embedd_error *err);
static void report_truncated(const embed_job *job);

int ed_command_embed(const ed_arguments *arguments)
{
    embedd_error err;
    embed_job *job = ed_calloc(1, sizeof *job);

    if (job == NULL)
        return ED_EXIT_MEMORY;
    ed_text_chunk_init(&job->chunk);
    embedd_status status = embed(job, arguments, &err);
    if (status == EMBEDD_OK) {
        ed_progress_finish(&job->progress);
        report_truncated(job);
    } else {
        ed_progress_hide(&job->progress);
    }
    ed_vector_sink_close(&job->sink);
    ed_text_source_close(&job->source);
    ed_text_chunk_clear(&job->chunk);
    ed_model_session_close(&job->model);
    ed_free(job->vectors);
    ed_free(job);
    return status == EMBEDD_OK ? ED_EXIT_OK : ed_complain(&err);
}

/* What is cheap to get wrong is checked before the model is opened. */
static embedd_status embed(embed_job *job, const ed_arguments *arguments, embedd_error *err)
{
    const ed_value *values = arguments->values;

    embedd_status status = ed_text_source_open(&job->source, arguments, err);
    if (status == EMBEDD_OK)
        status = ed_model_session_open(&job->model, arguments, err);
    if (status != EMBEDD_OK)
        return status;
    job->model.options.normalize = values[ED_OPTION_NORMALIZE].on;
    job->vectors = ed_calloc(ED_CHUNK_TEXTS_MAX, job->model.dimensions * sizeof *job->vectors);
    if (job->vectors == NULL)
        return ed_fail(err, EMBEDD_MEMORY, "out of memory");
    status = ed_vector_sink_open(&job->sink, arguments, values[ED_OPTION_MODEL].text,
                                 job->model.dimensions, err);
    if (status != EMBEDD_OK)
        return status;
    const ed_value *progress = &values[ED_OPTION_PROGRESS];
    ed_progress_start(&job->progress, ed_progress_choose(progress->given, progress->on, false),
                      ED_PROGRESS_TEXTS, "embedding", 0, job->source.n_operands);
    do
        status = embed_chunk(job, err);
    while (status == EMBEDD_OK && job->chunk.n_texts > 0);
    return status == EMBEDD_OK ? ed_vector_sink_finish(&job->sink, err) : status;
}

static embedd_status embed_chunk(embed_job *job, embedd_error *err)
{
    ed_text_chunk *chunk = &job->chunk;
    char where[512];

    embedd_status status = ed_text_source_next(&job->source, chunk, err);
    if (status != EMBEDD_OK || chunk->n_texts == 0)
        return status;
    status =
        embedd_embed(job->model.session, chunk->texts, chunk->n_texts, &job->model.options,
                     job->vectors, ED_CHUNK_TEXTS_MAX * job->model.dimensions, job->usage, err);
    if (status != EMBEDD_OK && err->index < chunk->n_texts) {
        ed_text_source_where(&job->source, chunk->lines[err->index], where, sizeof where);
        return ed_fail(err, status, "%s: %s", where, err->message);
    }
    if (status == EMBEDD_OK)
        status =
            ed_vector_sink_write(&job->sink, &job->source, chunk, job->vectors, job->usage, err);
    if (status != EMBEDD_OK)
        return status;
    ed_progress_update(&job->progress, job->sink.n_vectors, job->sink.n_tokens,
                       ed_text_source_fraction(&job->source));
    return EMBEDD_OK;
}

static void report_truncated(const embed_job *job)
{
    size_t n = job->sink.n_truncated;

    if (n > 0)
        fprintf(stderr,
                "embedd: %zu of %zu texts %s longer than the %zu tokens that the model reads and "
                "%s cut; --no-truncate refuses them\n",
                n, job->sink.n_vectors, n == 1 ? "is" : "are", job->model.info->tokens_max,
                n == 1 ? "was" : "were");
}
