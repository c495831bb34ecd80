#include "engine/shares.h"

#include "base/error.h"

/* Rows that a thread takes through a layer at a time: enough for the kernels, few enough that most
 * of what they make stays in the caches near the core, and that many threads together need no more
 * than a batch does. */
#define STEP_TOKENS_MIN ((size_t)128)
#define STEP_TOKENS_MAX ((size_t)512)
/* Fewer rows for each thread are not worth that each reads all the weights. */
#define SHARE_TOKENS_MIN 96
/* A text across a border, of up to one part in so many of the batch, goes to one of both sides. */
#define BORDER_PART 32

/* Texts [begin, end) of the batch. */
typedef struct text_range {
    size_t begin, end;
} text_range;

typedef struct shares_job {
    ed_shares *shares;
    const ed_transformer *transformer;
    const ed_workspace *workspace;
    const ed_batch *batch;
} shares_job;

static bool is_worth_sharing(const ed_shares *shares, const ed_batch *batch);
static text_range share_at(const ed_batch *batch, size_t n_shares, size_t index);
static size_t border_at(const ed_batch *batch, size_t n_shares, size_t index, bool is_begin);
static void share_task(void *context, size_t task_index, size_t thread_index);
static ed_batch part_of(const ed_batch *batch, text_range range, size_t *offsets);

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
    shares->tokens_max = step.batch_tokens_max;
    if (status != EMBEDD_OK)
        return status;
    shares->workspaces = ed_calloc(n_threads, sizeof *shares->workspaces);
    shares->offsets = ed_calloc(n_threads, sizeof *shares->offsets);
    if (!shares->workspaces || !shares->offsets)
        return ed_fail(err, EMBEDD_MEMORY, "no memory for the shares of %zu threads", n_threads);
    for (; status == EMBEDD_OK && shares->n_threads < n_threads; shares->n_threads++) {
        shares->offsets[shares->n_threads] =
            ed_calloc(shares->tokens_max + 1, sizeof **shares->offsets);
        if (!shares->offsets[shares->n_threads])
            return ed_fail(err, EMBEDD_MEMORY, "no memory for the shares of %zu threads",
                           n_threads);
        status = ed_workspace_open(&shares->workspaces[shares->n_threads], transformer,
                                   shares->single, &step, err);
    }
    return status;
}

void ed_shares_close(ed_shares *shares)
{
    for (size_t i = 0; i < shares->n_threads; i++) {
        ed_workspace_close(&shares->workspaces[i]);
        ed_free(shares->offsets[i]);
    }
    ed_free(shares->workspaces);
    ed_free(shares->offsets);
    ed_thread_pool_close(shares->single);
    *shares = (ed_shares){0};
}

size_t ed_shares_bytes(const ed_shares *shares)
{
    size_t n = 0;

    for (size_t i = 0; i < shares->n_threads; i++)
        n += shares->workspaces[i].arena.n_bytes;
    return n;
}

void ed_shares_forward(ed_shares *shares, const ed_transformer *transformer,
                       ed_workspace *workspace, const ed_batch *batch)
{
    shares_job job = {shares, transformer, workspace, batch};
    size_t n = shares->n_threads, *offsets = shares->offsets[0];

    if (!is_worth_sharing(shares, batch)) {
        ed_transformer_forward(transformer, workspace, batch);
        return;
    }
    ed_thread_pool_run(workspace->pool, share_task, &job, n);
    for (size_t i = 1, done = 0; i < n; i++) { /* what lies across a border, or two, is one text */
        text_range across = {border_at(batch, n, i, false), border_at(batch, n, i, true)};

        if (across.begin < across.end && across.end > done) {
            ed_workspace all = *workspace;
            const ed_batch part = part_of(batch, across, offsets);

            all.hidden += batch->offsets[across.begin] * transformer->hidden_size;
            ed_transformer_forward(transformer, &all, &part);
            done = across.end;
        }
    }
}

static bool is_worth_sharing(const ed_shares *shares, const ed_batch *batch)
{
    if (batch->n_tokens < shares->n_threads * SHARE_TOKENS_MIN ||
        batch->n_texts < 2 * shares->n_threads)
        return false;
    for (size_t i = 0; i < batch->n_texts; i++)
        if (batch->offsets[i + 1] - batch->offsets[i] > shares->tokens_max)
            return false;
    return true;
}

/* ---- borders --------------------------------------------------------------------------------- */

static text_range share_at(const ed_batch *batch, size_t n_shares, size_t index)
{
    return (text_range){border_at(batch, n_shares, index, true),
                        border_at(batch, n_shares, index + 1, false)};
}

/* The first text behind border `index`, or of the texts before it the end. They are the same where
 * no text lies across, or a small one, which then goes to the side that has more of it. */
static size_t border_at(const ed_batch *batch, size_t n_shares, size_t index, bool is_begin)
{
    const size_t at = batch->n_tokens / n_shares * index;
    size_t low = 0, high = batch->n_texts; /* the last text that begins at or before `at` */

    if (index == 0 || index == n_shares)
        return index == 0 ? 0 : batch->n_texts;
    while (low + 1 < high) {
        const size_t middle = low + (high - low) / 2;

        if (batch->offsets[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    const size_t before = at - batch->offsets[low], behind = batch->offsets[low + 1] - at;

    if (before == 0)
        return low;
    if (before + behind <= batch->n_tokens / BORDER_PART)
        return before > behind ? low + 1 : low;
    return is_begin ? low + 1 : low;
}

/* ---- one share ------------------------------------------------------------------------------- */

static void share_task(void *context, size_t task_index, size_t thread_index)
{
    const shares_job *job = context;
    const ed_batch *batch = job->batch;
    ed_shares *shares = job->shares;
    const text_range range = share_at(batch, shares->n_threads, task_index);
    ed_workspace own = shares->workspaces[thread_index];

    for (text_range step = {range.begin, range.begin}; step.begin < range.end;
         step.begin = step.end) {
        const size_t first = batch->offsets[step.begin];

        while (step.end < range.end && batch->offsets[step.end + 1] - first <= shares->tokens_max)
            step.end++;
        const ed_batch part = part_of(batch, step, shares->offsets[thread_index]);
        own.hidden = job->workspace->hidden + first * job->transformer->hidden_size;
        ed_transformer_forward(job->transformer, &own, &part);
    }
}

/* offsets[range + 1] are counted from its first token. */
static ed_batch part_of(const ed_batch *batch, text_range range, size_t *offsets)
{
    const size_t first = batch->offsets[range.begin];

    for (size_t i = range.begin; i <= range.end; i++)
        offsets[i - range.begin] = batch->offsets[i] - first;
    return (ed_batch){.tokens = batch->tokens + first,
                      .positions = batch->positions + first,
                      .offsets = offsets,
                      .n_first = batch->n_first + range.begin,
                      .n_texts = range.end - range.begin,
                      .n_tokens = batch->offsets[range.end] - first};
}
