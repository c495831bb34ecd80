#include "engine/shares.h"

#include "base/error.h"

/* Rows that a thread can take through a layer at a time: a text that is longer is everybody's. Few
 * enough that many threads together need no more memory than a batch does. */
#define STEP_TOKENS_MIN ((size_t)128)
#define STEP_TOKENS_MAX ((size_t)512)

typedef struct shares_job {
    ed_shares *shares;
    const ed_transformer *transformer;
    const ed_workspace *workspace;
    const ed_batch *batch;
    const ed_shares_finish *finish;
} shares_job;

static embedd_status take_memory(ed_shares *shares, size_t batch_tokens_max, embedd_error *err);
static void step_task(void *context, size_t task_index, size_t thread_index);

static size_t clamp(size_t n, size_t min, size_t max)
{
    return n < min ? min : n > max ? max : n;
}

embedd_status ed_shares_open(ed_shares *shares, const ed_transformer *transformer, size_t n_threads,
                             const ed_workspace_limits *limits, embedd_error *err)
{
    ed_workspace_limits step = *limits;
    embedd_status status = ed_thread_pool_open(&shares->single, 1, err);

    step.batch_tokens_max =
        clamp(limits->batch_tokens_max / n_threads, STEP_TOKENS_MIN, STEP_TOKENS_MAX);
    step.hidden_elsewhere = true;
    step.text_tokens_max = clamp(limits->text_tokens_max, 1, step.batch_tokens_max);
    shares->plan.n_threads = n_threads;
    shares->plan.step_tokens_max = step.batch_tokens_max;
    if (status == EMBEDD_OK)
        status = take_memory(shares, limits->batch_tokens_max, err);
    while (status == EMBEDD_OK && shares->n_workspaces < n_threads)
        status = ed_workspace_open(&shares->workspaces[shares->n_workspaces++], transformer,
                                   shares->single, &step, err);
    return status;
}

static embedd_status take_memory(ed_shares *shares, size_t batch_tokens_max, embedd_error *err)
{
    ed_share_plan *plan = &shares->plan;
    size_t t = batch_tokens_max, n = plan->n_threads;
    ed_arena *arena = &shares->arena;

    ed_arena_plan(arena, t, sizeof *plan->order);
    ed_arena_plan(arena, t, sizeof *plan->steps);
    ed_arena_plan(arena, n, sizeof *plan->hands);
    ed_arena_plan(arena, t, sizeof *plan->by_length);
    ed_arena_plan(arena, t, sizeof *plan->hand_of);
    ed_arena_plan(arena, t + 1, sizeof *plan->n_of_length);
    ed_arena_plan(arena, n, sizeof *shares->workspaces);
    ed_arena_plan(arena, n, sizeof *shares->offsets);
    ed_arena_plan(arena, n, sizeof *shares->next);
    for (size_t i = 0; i < n; i++)
        ed_arena_plan(arena, plan->step_tokens_max + 1, sizeof **shares->offsets);
    if (!ed_arena_alloc(arena))
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the shares of %zu threads", n);

    plan->order = ed_arena_take(arena, t, sizeof *plan->order);
    plan->steps = ed_arena_take(arena, t, sizeof *plan->steps);
    plan->hands = ed_arena_take(arena, n, sizeof *plan->hands);
    plan->by_length = ed_arena_take(arena, t, sizeof *plan->by_length);
    plan->hand_of = ed_arena_take(arena, t, sizeof *plan->hand_of);
    plan->n_of_length = ed_arena_take(arena, t + 1, sizeof *plan->n_of_length);
    shares->workspaces = ed_arena_take(arena, n, sizeof *shares->workspaces);
    shares->offsets = ed_arena_take(arena, n, sizeof *shares->offsets);
    shares->next = ed_arena_take(arena, n, sizeof *shares->next);
    for (size_t i = 0; i < n; i++)
        shares->offsets[i] =
            ed_arena_take(arena, plan->step_tokens_max + 1, sizeof **shares->offsets);
    return EMBEDD_OK;
}

void ed_shares_close(ed_shares *shares)
{
    for (size_t i = 0; i < shares->n_workspaces; i++)
        ed_workspace_close(&shares->workspaces[i]);
    ed_arena_release(&shares->arena);
    ed_thread_pool_close(shares->single);
    *shares = (ed_shares){0};
}

size_t ed_shares_bytes(const ed_shares *shares)
{
    size_t n = shares->arena.n_bytes;

    for (size_t i = 0; i < shares->n_workspaces; i++)
        n += shares->workspaces[i].arena.n_bytes;
    return n;
}

void ed_shares_forward(ed_shares *shares, const ed_transformer *transformer,
                       ed_workspace *workspace, const ed_batch *batch,
                       const ed_shares_finish *finish)
{
    const ed_share_plan *plan = &shares->plan;
    shares_job job = {shares, transformer, workspace, batch, finish};

    if (plan->n_together > 0) {
        ed_batch together = *batch;

        together.n_texts = plan->n_together;
        together.n_tokens = batch->offsets[plan->n_together];
        ed_transformer_forward(transformer, workspace, &together);
        for (size_t place = 0; place < plan->n_together; place++)
            finish->run(finish->context, workspace, place);
    }
    if (plan->n_steps == 0)
        return;
    for (size_t h = 0; h < plan->n_threads; h++)
        atomic_store(&shares->next[h], plan->hands[h].step_begin);
    ed_thread_pool_run(workspace->pool, step_task, &job, plan->n_steps);
}

/* A thread takes from its own hand, which is as large as the others; a fast one then from those of
 * the slow ones. There are as many tasks as steps, so every task finds one. */
static ed_share_step take_step(ed_shares *shares, size_t thread_index)
{
    const ed_share_plan *plan = &shares->plan;
    size_t h = thread_index, step = atomic_fetch_add(&shares->next[h], 1);

    while (step >= plan->hands[h].step_end) {
        h = (h + 1) % plan->n_threads;
        step = atomic_fetch_add(&shares->next[h], 1);
    }
    return plan->steps[step];
}

static void step_task(void *context, size_t task_index, size_t thread_index)
{
    const shares_job *job = context;
    const ed_batch *batch = job->batch;
    const ed_share_step step = take_step(job->shares, thread_index);
    size_t first = batch->offsets[step.begin], *offsets = job->shares->offsets[thread_index];
    ed_workspace own = job->shares->workspaces[thread_index];

    (void)task_index;
    for (size_t i = step.begin; i <= step.end; i++)
        offsets[i - step.begin] = batch->offsets[i] - first;
    const ed_batch part = {.tokens = batch->tokens + first,
                           .positions = batch->positions + first,
                           .offsets = offsets,
                           .n_first = batch->n_first + step.begin,
                           .n_texts = step.end - step.begin,
                           .n_tokens = batch->offsets[step.end] - first};
    own.hidden = job->workspace->hidden + first * job->transformer->hidden_size;
    ed_transformer_forward(job->transformer, &own, &part);
    for (size_t place = step.begin; place < step.end; place++)
        job->finish->run(job->finish->context, &own, place);
}
