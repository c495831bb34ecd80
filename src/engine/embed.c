/* The spine: texts -> token ids -> packed batches -> hidden states -> vectors.
 * Allocates nothing; after a failure the session is ready for the next call. */
#include <string.h>

#include "base/error.h"
#include "engine/session.h"
#include "model/head.h"
#include "model/pooling.h"
#include "model/vector.h"

static embedd_status check_row(const embedd_session *session, const embedd_row *row,
                               size_t row_index, embedd_error *err);
static size_t fill_batch(embedd_session *session, const embedd_row *rows, size_t n_rows,
                         ed_batch *batch);
static void finish_place(void *context, ed_workspace *workspace, size_t place);
static void finish_vector(const embedd_model *model, ed_workspace *workspace, const embedd_row *row,
                          const float *hidden);
static embedd_status finish_batch(embedd_session *session, const embedd_row *rows,
                                  const ed_batch *batch, size_t first_row, embedd_error *err);

/* Of one batch; rows[n] are its texts. */
typedef struct finish_job {
    embedd_session *session;
    const embedd_row *rows;
} finish_job;

embedd_status embedd_embed_rows(embedd_session *session, const embedd_row *rows, size_t n_rows,
                                embedd_error *err)
{
    embedd_status status = embedd_model_check_files(session->model, err);

    for (size_t i = 0; status == EMBEDD_OK && i < n_rows; i++)
        status = check_row(session, &rows[i], i, err);
    for (size_t done = 0; status == EMBEDD_OK && done < n_rows;) {
        ed_batch batch;
        size_t n_taken = fill_batch(session, rows + done, n_rows - done, &batch);

        finish_job job = {session, rows + done};
        const ed_shares_finish finish = {finish_place, &job};

        ed_shares_forward(&session->shares, &session->model->transformer, &session->workspace,
                          &batch, &finish);
        status = finish_batch(session, rows + done, &batch, done, err);
        done += n_taken;
    }
    /* Last: until now what was computed may have come from a file that was being cut. */
    if (status == EMBEDD_OK || status == EMBEDD_NONFINITE) {
        embedd_status whole = embedd_model_check_files(session->model, err);
        status = whole == EMBEDD_OK ? status : whole;
    }
    return status;
}

static embedd_status check_row(const embedd_session *session, const embedd_row *row,
                               size_t row_index, embedd_error *err)
{
    const embedd_model *model = session->model;

    if (!row->ids || !row->out)
        return ed_fail_at(err, EMBEDD_ARGUMENT, row_index, "row %zu: ids or out is NULL",
                          row_index);
    if (row->n_tokens == 0 || row->n_tokens > session->text_tokens_max)
        return ed_fail_at(err, EMBEDD_ARGUMENT, row_index, "row %zu: %zu tokens, 1 to %zu are read",
                          row_index, row->n_tokens, session->text_tokens_max);
    if (embedd_row_size(model, row) == 0)
        return ed_fail_at(err, EMBEDD_ARGUMENT, row_index,
                          "row %zu: pooling is none that this model has; there are %s", row_index,
                          embedd_pooling_names());
    for (size_t i = 0; i < row->n_tokens; i++)
        if (row->ids[i] < 0 || (size_t)row->ids[i] >= model->transformer.vocabulary)
            return ed_fail_at(err, EMBEDD_ARGUMENT, row_index,
                              "row %zu: token %zu has no row in the token embedding", row_index, i);
    return EMBEDD_OK;
}

/* As many rows as fit, in the order in which the threads will take them; at least one, since the
 * batch holds the longest text. */
static size_t fill_batch(embedd_session *session, const embedd_row *rows, size_t n_rows,
                         ed_batch *batch)
{
    const size_t *order = session->shares.plan.order;
    size_t n_taken = 0, n_fit = 0, n_tokens = 0;

    while (n_taken < n_rows && rows[n_taken].n_tokens <= session->batch_tokens_max - n_fit)
        n_fit += rows[n_taken++].n_tokens;
    ed_share_plan_make(&session->shares.plan, rows, n_taken, n_fit);
    for (size_t place = 0; place < n_taken; place++) {
        const embedd_row *row = &rows[order[place]];

        session->offsets[place] = n_tokens;
        session->n_first[place] = row->n_tokens_first;
        memcpy(session->tokens + n_tokens, row->ids, row->n_tokens * sizeof *row->ids);
        for (size_t j = 0; j < row->n_tokens; j++)
            session->positions[n_tokens + j] = (uint32_t)j;
        n_tokens += row->n_tokens;
    }
    session->offsets[n_taken] = n_tokens;
    *batch = (ed_batch){.tokens = session->tokens,
                        .positions = session->positions,
                        .offsets = session->offsets,
                        .n_first = session->n_first,
                        .n_texts = n_taken,
                        .n_tokens = n_tokens};
    return n_taken;
}

/* Hidden states as they are, or a vector of them; a head's numbers come later, for all texts. */
static void finish_place(void *context, ed_workspace *workspace, size_t place)
{
    const finish_job *job = context;
    embedd_session *session = job->session;
    const embedd_model *model = session->model;
    const embedd_row *row = &job->rows[session->shares.plan.order[place]];
    size_t d = model->transformer.hidden_size;
    const float *hidden = session->workspace.hidden + session->offsets[place] * d;

    session->outs[place] = NULL;
    if (row->output == EMBEDD_OUTPUT_TOKENS)
        memcpy(row->out, hidden, row->n_tokens * d * sizeof *row->out);
    else if (model->head.task == EMBEDD_TASK_VECTOR)
        finish_vector(model, workspace, row, hidden);
    else
        session->outs[place] = row->out;
}

/* hidden[S][D] -> row->out: pooling, the modules after it, the cut, length 1. */
static void finish_vector(const embedd_model *model, ed_workspace *workspace, const embedd_row *row,
                          const float *hidden)
{
    const ed_pooling_call call = {
        .hidden = hidden,
        .n_tokens = row->n_tokens,
        .hidden_size = model->transformer.hidden_size,
        .n_skipped = row->n_tokens_prompt,
        .pooling = row->pooling ? row->pooling : model->modules.pooling,
        .out = workspace->vector,
    };

    ed_pooling_run(&model->kernels, &call);
    size_t n = ed_post_modules_run(&model->post, workspace,
                                   ed_pooling_count(call.pooling) * call.hidden_size);
    size_t n_kept = row->dimensions && row->dimensions < n ? row->dimensions : n;

    if (row->cut == EMBEDD_CUT_LAYER_NORM ||
        (row->cut == EMBEDD_CUT_MODEL && n_kept < n && model->standardizes))
        ed_vector_standardize(workspace->vector, n);
    if (row->normalize || (model->modules.normalize && n_kept < n))
        ed_vector_normalize(&model->kernels, workspace->vector, n_kept);
    memcpy(row->out, workspace->vector, n_kept * sizeof *row->out);
}

static embedd_status finish_batch(embedd_session *session, const embedd_row *rows,
                                  const ed_batch *batch, size_t first_row, embedd_error *err)
{
    const embedd_model *model = session->model;
    size_t n_of_head = 0;

    for (size_t place = 0; place < batch->n_texts; place++)
        n_of_head += session->outs[place] != NULL;
    if (n_of_head > 0)
        ed_head_run(&model->head, &session->workspace, batch, session->head, session->outs);
    for (size_t i = 0; i < batch->n_texts; i++)
        if (!ed_vector_is_finite(rows[i].out, embedd_row_size(model, &rows[i])))
            return ed_fail_at(err, EMBEDD_NONFINITE, first_row + i,
                              "row %zu: the vector holds NaN or infinity", first_row + i);
    return EMBEDD_OK;
}

embedd_status embedd_embed(embedd_session *session, const embedd_text *texts, size_t n_texts,
                           const embedd_embed_options *options, float *out, size_t out_cap,
                           embedd_usage *usage, embedd_error *err)
{
    const embedd_embed_options defaults = {.normalize = true};
    const embedd_model *model = session->model;
    size_t n_rows = 0, n_tokens = 0;
    embedd_status status = EMBEDD_OK;

    options = options ? options : &defaults;
    size_t d = embedd_row_size(
        model, &(embedd_row){.pooling = options->pooling, .dimensions = options->dimensions});
    if (model->head.task == EMBEDD_TASK_SCORE)
        return ed_fail(err, EMBEDD_UNSUPPORTED, "%s scores pairs of texts; it makes no vectors",
                       model->folder);
    if (d == 0 || n_texts > out_cap / d)
        return ed_fail(err, EMBEDD_ARGUMENT, "out has no room for %zu vectors of %zu", n_texts, d);

    embedd_encode_options encode = options->encode;
    if (encode.tokens_max == 0 || encode.tokens_max > session->text_tokens_max)
        encode.tokens_max = session->text_tokens_max;
    for (size_t i = 0; status == EMBEDD_OK && i < n_texts; i++) {
        int32_t *ids = session->encoded + n_tokens;
        embedd_usage used;

        status = embedd_encode(session->encoder, texts[i], &encode, ids,
                               session->batch_tokens_max - n_tokens, &used, err);
        if (usage)
            usage[i] = used;
        session->rows[n_rows++] = (embedd_row){.ids = ids,
                                               .n_tokens = used.n_tokens,
                                               .n_tokens_prompt = used.n_tokens_prompt,
                                               .pooling = options->pooling,
                                               .dimensions = options->dimensions,
                                               .cut = options->cut,
                                               .normalize = options->normalize,
                                               .out = out + i * d};
        n_tokens += used.n_tokens;
        bool full = session->batch_tokens_max - n_tokens < encode.tokens_max;
        if (status == EMBEDD_OK && (full || i + 1 == n_texts)) {
            status = embedd_embed_rows(session, session->rows, n_rows, err);
            if (status == EMBEDD_OK)
                n_rows = n_tokens = 0;
            else if (err && err->index != EMBEDD_NO_INDEX)
                err->index += i + 1 - n_rows;
        } else if (status != EMBEDD_OK && err) {
            err->index = i;
        }
    }
    return status;
}
