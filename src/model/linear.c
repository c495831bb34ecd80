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

/* `n` rows or columns in parts of whole panels, none more than a panel larger than another. */
typedef struct partition {
    size_t n, panel, n_parts;
} partition;

typedef struct linear_job {
    const ed_linear *linear;
    const ed_linear_call *call;
    void *packed;         /* the rows */
    partition packing;    /* of them */
    partition rows, cols; /* of the product */
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

static partition partition_of(size_t n, size_t panel, size_t n_parts)
{
    return (partition){n, panel, min_size(n_parts, ceil_div(n, panel))};
}

/* Where part `index` begins, and the one before it ends. */
static size_t part_at(const partition *p, size_t index)
{
    return min_size(p->n, index * ceil_div(p->n, p->panel) / p->n_parts * p->panel);
}

static size_t tasks_for(size_t n_threads)
{
    return n_threads == 1 ? 1 : n_threads * TASKS_PER_THREAD;
}

/* Many rows: each task has all the columns. Few: each task has all the rows, so that a weight
 * travels to one core only. */
void ed_linear_run(const ed_linear *linear, ed_workspace *workspace, const ed_linear_call *call)
{
    size_t n_threads = ed_thread_pool_threads(workspace->pool);
    size_t tasks_wanted = tasks_for(n_threads);
    size_t n_row_tasks = ceil_div(call->n_rows, TASK_ROWS);

    if (n_row_tasks >= tasks_wanted)
        n_row_tasks = round_up(n_row_tasks, n_threads);
    linear_job job = {
        .linear = linear,
        .call = call,
        .packed = call->packed_x ? call->packed_x : workspace->packed,
        .packing = partition_of(call->n_rows, linear->gemm->mr,
                                n_row_tasks > tasks_wanted ? n_row_tasks : tasks_wanted),
        .rows = partition_of(call->n_rows, linear->gemm->mr, n_row_tasks),
        .cols = partition_of(linear->n_out,
                             call->packed_out ? linear->gemm->pack_cols : linear->gemm->nr,
                             ceil_div(tasks_wanted, n_row_tasks)),
    };

    if (!call->packed_x)
        ed_thread_pool_run(workspace->pool, pack_task, &job, job.packing.n_parts);
    ed_thread_pool_run(workspace->pool, multiply_task, &job, job.rows.n_parts * job.cols.n_parts);
}

bool ed_linear_packs_for(const ed_linear *linear, const ed_linear *next,
                         const ed_workspace *workspace, size_t n_rows)
{
    size_t cols = linear->gemm->pack_cols;
    size_t n_tasks = ceil_div(n_rows, TASK_ROWS) * (cols ? linear->n_out / cols : 0);

    return linear->gemm == next->gemm && !next->row_scale &&
           n_tasks >= tasks_for(ed_thread_pool_threads(workspace->pool));
}

static void pack_task(void *context, size_t task_index, size_t thread_index)
{
    const linear_job *job = context;
    const ed_linear *linear = job->linear;
    const ed_linear_call *call = job->call;
    size_t begin = part_at(&job->packing, task_index);
    size_t end = part_at(&job->packing, task_index + 1);

    (void)thread_index;
    if (linear->row_scale)
        linear->gemm->pack_scaled_rows(job->packed, call->x, call->ld_x, begin, end, linear->n_in,
                                       linear->row_scale);
    else
        linear->gemm->pack_rows(job->packed, call->x, call->ld_x, begin, end, linear->n_in);
}

static void multiply_task(void *context, size_t task_index, size_t thread_index)
{
    const linear_job *job = context;
    const ed_linear_call *call = job->call;
    size_t row_task = task_index / job->cols.n_parts, col_task = task_index % job->cols.n_parts;
    ed_gemm_call gemm = {
        .rows = job->packed,
        .weights = job->linear->weights,
        .bias = job->linear->bias,
        .residual = call->residual,
        .out = call->out,
        .packed_out = call->packed_out,
        .ld_residual = call->ld_residual,
        .ld_out = call->ld_out,
        .n_rows = call->n_rows,
        .n_cols = job->linear->n_out,
        .depth = job->linear->n_in,
        .row_begin = part_at(&job->rows, row_task),
        .row_end = part_at(&job->rows, row_task + 1),
        .col_begin = part_at(&job->cols, col_task),
        .col_end = part_at(&job->cols, col_task + 1),
        .activation = call->activation,
    };

    (void)thread_index;
    job->linear->gemm->run(&gemm);
}

void ed_linear_clear(ed_linear *linear)
{
    if (!linear->borrowed) {
        ed_aligned_free(linear->weights, linear->weight_bytes);
        ed_free((void *)linear->row_scale);
    }
    ed_free(linear->bias);
    *linear = (ed_linear){0};
}
