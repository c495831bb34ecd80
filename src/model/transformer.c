/* The forward pass, layer by layer; every loop over numbers is a kernel call. */
#include "model/transformer.h"

#include "model/attention.h"
#include "model/embedding.h"

/* Rows that one task normalizes: enough work to be worth handing out. */
#define NORM_TASK_ROWS 64

static void run_layer(const ed_transformer *transformer, const ed_layer *layer,
                      ed_workspace *workspace, const ed_batch *batch);
static void run_feed_forward(const ed_transformer *transformer, const ed_layer *layer,
                             ed_workspace *workspace, size_t row_begin, size_t n_rows);
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
    float *qkv = workspace->wide; /* [T][3 D] */

    ed_linear_run(&layer->qkv, workspace,
                  &(ed_linear_call){
                      .x = workspace->hidden, .ld_x = d, .n_rows = t, .out = qkv, .ld_out = 3 * d});
    /* The context of a head takes the place of its q: [T][3 D], the first D of each row. */
    ed_attention_run(transformer, workspace, batch, qkv);
    ed_linear_run(&layer->attention_output, workspace,
                  &(ed_linear_call){.x = qkv,
                                    .ld_x = 3 * d,
                                    .n_rows = t,
                                    .residual = workspace->hidden,
                                    .ld_residual = d,
                                    .out = workspace->hidden,
                                    .ld_out = d});
    run_norm(&layer->attention_norm, workspace, t, d);

    for (size_t begin = 0; begin < t; begin += ED_FEED_FORWARD_ROWS)
        run_feed_forward(transformer, layer, workspace, begin,
                         t - begin < ED_FEED_FORWARD_ROWS ? t - begin : ED_FEED_FORWARD_ROWS);
    run_norm(&layer->output_norm, workspace, t, d);
}

/* hidden += down(activation(up(hidden))) for some rows: the inner activations are the widest of
 * all, and would otherwise set the memory of long texts. */
static void run_feed_forward(const ed_transformer *transformer, const ed_layer *layer,
                             ed_workspace *workspace, size_t row_begin, size_t n_rows)
{
    size_t d = transformer->hidden_size, f = transformer->intermediate_size;
    float *hidden = workspace->hidden + row_begin * d; /* [n_rows][D] */
    float *inner = workspace->wide;                    /* [n_rows][F] */

    ed_linear_run(&layer->up, workspace,
                  &(ed_linear_call){.x = hidden,
                                    .ld_x = d,
                                    .n_rows = n_rows,
                                    .out = inner,
                                    .ld_out = f,
                                    .activation = transformer->activation});
    ed_linear_run(&layer->down, workspace,
                  &(ed_linear_call){.x = inner,
                                    .ld_x = f,
                                    .n_rows = n_rows,
                                    .residual = hidden,
                                    .ld_residual = d,
                                    .out = hidden,
                                    .ld_out = d});
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
    float *rows = job->workspace->hidden + begin * d;
    job->workspace->kernels->f32_layernorm(rows, d, rows, d, job->norm->gamma, job->norm->beta,
                                           job->norm->eps, n_rows, d);
}

/* hidden = norm(hidden) */
static void run_norm(const ed_norm *norm, ed_workspace *workspace, size_t n_tokens, size_t d)
{
    norm_job job = {norm, workspace, n_tokens, d};

    ed_thread_pool_run(workspace->pool, norm_task, &job,
                       (n_tokens + NORM_TASK_ROWS - 1) / NORM_TASK_ROWS);
}
