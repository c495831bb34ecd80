/* A linear layer as two rounds of tasks: pack the rows, then one task per block of the product. How
 * the product is cut depends on the number of rows and threads; the kernels promise that the bits
 * of an element do not. */
#include "model/linear.h"

#include "base/memory.h"

/* Rows of one task: their packed form stays in a core's second-level cache while all the weights
 * pass by. */
#define TASK_ROWS 192
/* Tasks for each thread, so that one slow core does not hold up the others. */
#define TASKS_PER_THREAD 4

typedef struct linear_job {
    const ed_linear *linear;
    const ed_linear_call *call;
    void *packed;
    size_t rows_per_task, cols_per_task;
    size_t n_col_tasks;
} linear_job;

static void pack_task(void *context, size_t task_index, size_t thread_index);
static void multiply_task(void *context, size_t task_index, size_t thread_index);

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t round_up(size_t a, size_t multiple)
{
    return ceil_div(a, multiple) * multiple;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

void ed_linear_run(const ed_linear *linear, ed_workspace *workspace, const ed_linear_call *call)
{
    size_t n_threads = ed_thread_pool_threads(workspace->pool);
    size_t tasks_wanted = n_threads == 1 ? 1 : n_threads * TASKS_PER_THREAD;
    size_t mr = linear->gemm->mr, nr = linear->gemm->nr;
    linear_job job = {.linear = linear, .call = call, .packed = workspace->packed};

    job.rows_per_task = min_size(TASK_ROWS, ceil_div(call->n_rows, n_threads));
    job.rows_per_task = round_up(job.rows_per_task, mr);
    size_t n_row_tasks = ceil_div(call->n_rows, job.rows_per_task);

    job.cols_per_task = linear->n_out;
    if (n_row_tasks < tasks_wanted)
        job.cols_per_task = ceil_div(linear->n_out, ceil_div(tasks_wanted, n_row_tasks));
    job.cols_per_task = round_up(job.cols_per_task, nr);
    job.n_col_tasks = ceil_div(linear->n_out, job.cols_per_task);

    ed_thread_pool_run(workspace->pool, pack_task, &job, n_row_tasks);
    ed_thread_pool_run(workspace->pool, multiply_task, &job, n_row_tasks * job.n_col_tasks);
}

static void pack_task(void *context, size_t task_index, size_t thread_index)
{
    const linear_job *job = context;
    size_t begin = task_index * job->rows_per_task;
    size_t end = min_size(begin + job->rows_per_task, job->call->n_rows);

    (void)thread_index;
    job->linear->gemm->pack_rows(job->packed, job->call->x, job->call->ld_x, begin, end,
                                 job->linear->n_in);
}

static void multiply_task(void *context, size_t task_index, size_t thread_index)
{
    const linear_job *job = context;
    const ed_linear_call *call = job->call;
    size_t row_begin = task_index / job->n_col_tasks * job->rows_per_task;
    size_t col_begin = task_index % job->n_col_tasks * job->cols_per_task;
    ed_gemm_call gemm = {
        .rows = job->packed,
        .weights = job->linear->weights,
        .bias = job->linear->bias,
        .residual = call->residual,
        .out = call->out,
        .ld_residual = call->ld_residual,
        .ld_out = call->ld_out,
        .n_rows = call->n_rows,
        .n_cols = job->linear->n_out,
        .depth = job->linear->n_in,
        .row_begin = row_begin,
        .row_end = min_size(row_begin + job->rows_per_task, call->n_rows),
        .col_begin = col_begin,
        .col_end = min_size(col_begin + job->cols_per_task, job->linear->n_out),
        .activation = call->activation,
    };

    (void)thread_index;
    job->linear->gemm->run(&gemm);
}

void ed_linear_clear(ed_linear *linear)
{
    if (!linear->borrowed)
        ed_aligned_free(linear->weights, linear->weight_bytes);
    ed_free(linear->bias);
    *linear = (ed_linear){0};
}
