/* Norms by blocks of rows. */
#include "model/norm.h"

/* Rows that one task normalizes: enough work to be worth handing out. */
#define NORM_TASK_ROWS 64

typedef struct norm_job {
    const ed_norm *norm;
    const ed_kernels *kernels;
    const float *from;
    float *to;
    size_t n_rows, d;
} norm_job;

static void norm_task(void *context, size_t task_index, size_t thread_index)
{
    const norm_job *job = context;
    const ed_norm *norm = job->norm;
    size_t begin = task_index * NORM_TASK_ROWS, d = job->d;
    size_t n_rows = job->n_rows - begin < NORM_TASK_ROWS ? job->n_rows - begin : NORM_TASK_ROWS;
    const float *from = job->from + begin * d;
    float *to = job->to + begin * d;

    (void)thread_index;
    if (norm->rms)
        job->kernels->f32_rmsnorm(to, d, from, d, norm->gamma, norm->eps, n_rows, d);
    else
        job->kernels->f32_layernorm(to, d, from, d, norm->gamma, norm->beta, norm->eps, n_rows, d);
}

void ed_norm_run(const ed_norm *norm, ed_workspace *workspace, const float *from, float *to,
                 size_t n_rows, size_t d)
{
    norm_job job = {norm, workspace->kernels, from, to, n_rows, d};

    ed_thread_pool_run(workspace->pool, norm_task, &job,
                       (n_rows + NORM_TASK_ROWS - 1) / NORM_TASK_ROWS);
}

void ed_norm_clear(ed_norm *norm)
{
    ed_free(norm->gamma);
    ed_free(norm->beta);
    *norm = (ed_norm){0};
}
