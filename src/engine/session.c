/* embedd_session_open: every byte that embedding needs is taken here. */
#include "engine/session.h"

#include "base/error.h"
#include "base/memory.h"

/* Enough rows that weights are read rarely, few enough that the scratch of a 768 wide model stays
 * below 100 MiB. */
#define BATCH_TOKENS_DEFAULT 2048
#define BATCH_TOKENS_LIMIT   ((size_t)1 << 20)
#define THREADS_LIMIT        1024
#define POOLING_MODES_MAX    8 /* side by side in one vector */

static embedd_status take_memory(embedd_session *session, embedd_error *err);

embedd_status embedd_session_open(const embedd_model *model, const embedd_session_options *options,
                                  embedd_session **out, embedd_error *err)
{
    embedd_session *session = ed_calloc(1, sizeof *session);
    embedd_status status = EMBEDD_MEMORY;

    *out = NULL;
    if (!session)
        return ed_fail(err, status, "out of memory");
    session->model = model;
    session->n_threads = options && options->n_threads ? options->n_threads : ed_cpu_cores();
    session->batch_tokens_max =
        options && options->batch_tokens_max ? options->batch_tokens_max : BATCH_TOKENS_DEFAULT;
    session->text_tokens_max = model->modules.tokens_max;
    if (options && options->text_tokens_max && options->text_tokens_max < session->text_tokens_max)
        session->text_tokens_max = options->text_tokens_max;
    /* The longest text must fit, whatever was asked for. */
    if (session->batch_tokens_max < session->text_tokens_max)
        session->batch_tokens_max = session->text_tokens_max;

    if (session->n_threads > THREADS_LIMIT || session->batch_tokens_max > BATCH_TOKENS_LIMIT)
        status = ed_fail(err, EMBEDD_ARGUMENT, "at most %d threads and %zu tokens in a batch",
                         THREADS_LIMIT, BATCH_TOKENS_LIMIT);
    else
        status = ed_thread_pool_open(&session->pool, session->n_threads, err);
    if (status == EMBEDD_OK)
        status = embedd_encoder_open(model, &session->encoder, err);
    if (status == EMBEDD_OK)
        status = take_memory(session, err);
    if (status == EMBEDD_OK)
        *out = session;
    else
        embedd_session_close(session);
    return status;
}

static embedd_status take_memory(embedd_session *session, embedd_error *err)
{
    size_t t = session->batch_tokens_max, n_head = ed_head_scratch(&session->model->head);
    ed_arena *arena = &session->arena;

    ed_arena_plan(arena, t, sizeof *session->tokens);
    ed_arena_plan(arena, t, sizeof *session->positions);
    ed_arena_plan(arena, t + 1, sizeof *session->offsets);
    ed_arena_plan(arena, t, sizeof *session->n_first);
    ed_arena_plan(arena, t, sizeof *session->outs);
    ed_arena_plan(arena, n_head, sizeof *session->head);
    ed_arena_plan(arena, t, sizeof *session->encoded);
    ed_arena_plan(arena, t, sizeof *session->rows);
    if (!ed_arena_alloc(arena))
        return ed_fail(err, EMBEDD_MEMORY, "no memory for batches of %zu tokens", t);
    session->tokens = ed_arena_take(arena, t, sizeof *session->tokens);
    session->positions = ed_arena_take(arena, t, sizeof *session->positions);
    session->offsets = ed_arena_take(arena, t + 1, sizeof *session->offsets);
    session->n_first = ed_arena_take(arena, t, sizeof *session->n_first);
    session->outs = ed_arena_take(arena, t, sizeof *session->outs);
    session->head = ed_arena_take(arena, n_head, sizeof *session->head);
    session->encoded = ed_arena_take(arena, t, sizeof *session->encoded);
    session->rows = ed_arena_take(arena, t, sizeof *session->rows);
    const ed_workspace_limits limits = {
        .batch_tokens_max = t,
        .text_tokens_max = session->text_tokens_max,
        .vector_max = ed_post_modules_widest(
            &session->model->post, POOLING_MODES_MAX * session->model->transformer.hidden_size),
        .head_rows = n_head > 0 ? ED_HEAD_ROWS : 0,
    };
    const ed_transformer *transformer = &session->model->transformer;
    embedd_status status =
        ed_workspace_open(&session->workspace, transformer, session->pool, &limits, err);

    if (status == EMBEDD_OK)
        status = ed_shares_open(&session->shares, transformer, session->n_threads, &limits, err);
    return status;
}

void embedd_session_close(embedd_session *session)
{
    if (!session)
        return;
    ed_shares_close(&session->shares);
    ed_workspace_close(&session->workspace);
    ed_arena_release(&session->arena);
    embedd_encoder_close(session->encoder);
    ed_thread_pool_close(session->pool);
    ed_free(session);
}

size_t embedd_session_threads(const embedd_session *session)
{
    return session->n_threads;
}

size_t embedd_session_batch_tokens_max(const embedd_session *session)
{
    return session->batch_tokens_max;
}

size_t embedd_session_scratch_bytes(const embedd_session *session)
{
    return session->arena.n_bytes + session->workspace.arena.n_bytes +
           ed_shares_bytes(&session->shares);
}
