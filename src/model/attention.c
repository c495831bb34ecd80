/* Heads are normed and rotated row by row; then one task per text and head. */
#include "model/attention.h"

/* Rows whose heads one task prepares. */
#define HEAD_TASK_ROWS 32

typedef struct attention_job {
    const ed_transformer *transformer;
    const ed_layer *layer;
    ed_workspace *workspace;
    const ed_batch *batch;
    float *qkv; /* [T][width] */
    size_t width;
} attention_job;

static void prepare_task(void *context, size_t task_index, size_t thread_index);
static void attention_task(void *context, size_t task_index, size_t thread_index);

void ed_attention_run(const ed_transformer *transformer, const ed_layer *layer,
                      ed_workspace *workspace, const ed_batch *batch, float *qkv)
{
    attention_job job = {transformer, layer, workspace,
                         batch,       qkv,   ed_transformer_qkv_width(transformer)};

    if (layer->rotary || layer->query_norm.gamma)
        ed_thread_pool_run(workspace->pool, prepare_task, &job,
                           (batch->n_tokens + HEAD_TASK_ROWS - 1) / HEAD_TASK_ROWS);
    ed_thread_pool_run(workspace->pool, attention_task, &job,
                       batch->n_texts * transformer->n_heads);
}

/* heads[n_heads][k], side by side */
static void norm_heads(const ed_kernels *kernels, const ed_norm *norm, float *heads, size_t n_heads,
                       size_t k)
{
    size_t width = n_heads * k;

    if (norm->rms)
        kernels->f32_rmsnorm(heads, k, heads, k, norm->gamma, norm->eps, n_heads, k);
    else
        kernels->f32_layernorm(heads, width, heads, width, norm->gamma, norm->beta, norm->eps, 1,
                               width);
}

static void prepare_row(const attention_job *job, float *row, size_t position)
{
    const ed_kernels *kernels = job->workspace->kernels;
    const ed_layer *layer = job->layer;
    size_t h = job->transformer->n_heads, g = job->transformer->n_kv_heads;
    size_t k = job->transformer->head_size;
    float *key = row + h * k;

    if (layer->query_norm.gamma) {
        norm_heads(kernels, &layer->query_norm, row, h, k);
        norm_heads(kernels, &layer->key_norm, key, g, k);
    }
    if (layer->rotary) /* query and key heads lie side by side */
        kernels->f32_rotary(row, h + g, k, layer->rotary->cosine + position * (k / 2),
                            layer->rotary->sine + position * (k / 2));
}

static void prepare_task(void *context, size_t task_index, size_t thread_index)
{
    const attention_job *job = context;
    size_t begin = task_index * HEAD_TASK_ROWS;
    size_t end = begin + HEAD_TASK_ROWS;

    (void)thread_index;
    end = end < job->batch->n_tokens ? end : job->batch->n_tokens;
    for (size_t i = begin; i < end; i++)
        prepare_row(job, job->qkv + i * job->width, job->batch->positions[i]);
}

static void attention_task(void *context, size_t task_index, size_t thread_index)
{
    const attention_job *job = context;
    const ed_transformer *transformer = job->transformer;
    size_t h = transformer->n_heads, g = transformer->n_kv_heads, k = transformer->head_size;
    size_t text_index = task_index / h, head_index = task_index % h;
    size_t begin = job->batch->offsets[text_index];
    float *row = job->qkv + begin * job->width;
    float *q = row + head_index * k;
    const float *key = row + (h + head_index / (h / g)) * k;
    ed_attention_call call = {
        .q = q,
        .k = key,
        .v = key + g * k,
        .ld_qkv = job->width,
        .scale = transformer->score_scale,
        .n_tokens = job->batch->offsets[text_index + 1] - begin,
        .head_size = k,
        .reach_back = job->layer->reach_back,
        .reach_ahead = job->layer->reach_ahead,
        .out = q,
        .ld_out = job->width,
        .scratch = job->workspace->attention[thread_index],
    };

    if (transformer->relative_bias) {
        size_t reach = transformer->relative_reach; /* the middle of a head's row is distance 0 */
        call.bias = transformer->relative_bias + head_index * (2 * reach - 1) + (reach - 1);
    }
    transformer->attention(&call);
}
