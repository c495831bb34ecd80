/* One task per text and head. */
#include "model/attention.h"

#include <math.h>

typedef struct attention_job {
    const ed_transformer *transformer;
    ed_workspace *workspace;
    const ed_batch *batch;
    float *qkv; /* [T][3 D] */
} attention_job;

static void attention_task(void *context, size_t task_index, size_t thread_index);

void ed_attention_run(const ed_transformer *transformer, ed_workspace *workspace,
                      const ed_batch *batch, float *qkv)
{
    attention_job job = {transformer, workspace, batch, qkv};

    ed_thread_pool_run(workspace->pool, attention_task, &job,
                       batch->n_texts * transformer->n_heads);
}

static void attention_task(void *context, size_t task_index, size_t thread_index)
{
    const attention_job *job = context;
    const ed_transformer *transformer = job->transformer;
    size_t text_index = task_index / transformer->n_heads;
    size_t head_index = task_index % transformer->n_heads;
    size_t begin = job->batch->offsets[text_index];
    size_t d = transformer->hidden_size, k = transformer->head_size;
    float *q = job->qkv + begin * 3 * d + head_index * k;
    ed_attention_call call = {
        .q = q,
        .k = q + d,
        .v = q + 2 * d,
        .ld_qkv = 3 * d,
        .scale = (float)(1.0 / sqrt((double)k)),
        .n_tokens = job->batch->offsets[text_index + 1] - begin,
        .head_size = k,
        .out = q,
        .ld_out = 3 * d,
        .scratch = job->workspace->attention[thread_index],
    };

    if (transformer->relative_bias) {
        size_t reach = transformer->relative_reach; /* the middle of a head's row is distance 0 */
        call.bias = transformer->relative_bias + head_index * (2 * reach - 1) + (reach - 1);
    }
    job->workspace->kernels->f32_attention(&call);
}
