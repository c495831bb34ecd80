/* The forward pass, layer by layer; every loop over numbers is a kernel call. */
#include "model/transformer.h"

#include "model/attention.h"
#include "model/embedding.h"

/* Rows that one task normalizes: enough work to be worth handing out. */
#define NORM_TASK_ROWS 64

static void run_layer(const ed_transformer *transformer, const ed_layer *layer,
                      ed_workspace *workspace, const ed_batch *batch);
static void run_norm(const ed_norm *norm, ed_workspace *workspace, size_t n_tokens, size_t d);

void ed_transformer_forward(const ed_transformer *transformer, ed_workspace *workspace,
                            const ed_batch *batch)
{
    ed_embedding_run(transformer, workspace, batch);
    run_norm(&transformer->embedding_norm, workspace, batch->n_tokens, transformer->hidden_size);
    for (size_t i = 0; i < transformer->n_layers; i++)
        run_layer(transformer, &transformer->layers[i], workspace, batch);
}

static void run_layer(const ed_transformer *transformer, const ed_layer *layer,
                      ed_workspace *workspace, const ed_batch *batch)
{
    size_t t = batch->n_tokens, d = transformer->hidden_size;
    float *qkv = workspace->wide;                 /* [T][3 D] */
    float *context = workspace->wide + 3 * d * t; /* [T][D] */
    float *inner = workspace->wide;               /* [T][F] */
    size_t f = transformer->intermediate_size;

    ed_linear_run(&layer->qkv, workspace,
                  &(ed_linear_call){
                      .x = workspace->hidden, .ld_x = d, .n_rows = t, .out = qkv, .ld_out = 3 * d});
    ed_attention_run(transformer, workspace, batch, qkv, context);
    ed_linear_run(&layer->attention_output, workspace,
                  &(ed_linear_call){.x = context,
                                    .ld_x = d,
                                    .n_rows = t,
                                    .residual = workspace->hidden,
                                    .ld_residual = d,
                                    .out = workspace->residual,
                                    .ld_out = d});
    run_norm(&layer->attention_norm, workspace, t, d);

    ed_linear_run(&layer->up, workspace,
                  &(ed_linear_call){.x = workspace->hidden,
                                    .ld_x = d,
                                    .n_rows = t,
                                    .out = inner,
                                    .ld_out = f,
                                    .activation = transformer->activation});
    ed_linear_run(&layer->down, workspace,
                  &(ed_linear_call){.x = inner,
                                    .ld_x = f,
                                    .n_rows = t,
                                    .residual = workspace->hidden,
                                    .ld_residual = d,
                                    .out = workspace->residual,
                                    .ld_out = d});
    run_norm(&layer->output_norm, workspace, t, d);
}

typedef struct norm_job {
    const ed_norm *norm;
    ed_workspace *workspace;
    size_t n_tokens, d;
} norm_job;

static void norm_task(void *context, size_t task_index, size_t thread_index)
{
    const norm_job *job = context;
    size_t begin = task_index * NORM_TASK_ROWS, d = job->d;
    size_t n_rows = job->n_tokens - begin < NORM_TASK_ROWS ? job->n_tokens - begin : NORM_TASK_ROWS;

    (void)thread_index;
    job->workspace->kernels->f32_layernorm(
        job->workspace->hidden + begin * d, d, job->workspace->residual + begin * d, d,
        job->norm->gamma, job->norm->beta, job->norm->eps, n_rows, d);
}

/* hidden = norm(residual) */
static void run_norm(const ed_norm *norm, ed_workspace *workspace, size_t n_tokens, size_t d)
{
    norm_job job = {norm, workspace, n_tokens, d};

    ed_thread_pool_run(workspace->pool, norm_task, &job,
                       (n_tokens + NORM_TASK_ROWS - 1) / NORM_TASK_ROWS);
}
