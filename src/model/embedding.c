/* The first rows of the pass: one table look-up per token and two additions. */
#include "model/embedding.h"

static void embed_text(const ed_transformer *transformer, ed_workspace *workspace,
                       const ed_batch *batch, size_t text_index);

typedef struct embedding_job {
    const ed_transformer *transformer;
    ed_workspace *workspace;
    const ed_batch *batch;
} embedding_job;

static void embedding_task(void *context, size_t task_index, size_t thread_index)
{
    const embedding_job *job = context;

    (void)thread_index;
    embed_text(job->transformer, job->workspace, job->batch, task_index);
}

void ed_embedding_run(const ed_transformer *transformer, ed_workspace *workspace,
                      const ed_batch *batch)
{
    embedding_job job = {transformer, workspace, batch};

    ed_thread_pool_run(workspace->pool, embedding_task, &job, batch->n_texts);
}

static void embed_text(const ed_transformer *transformer, ed_workspace *workspace,
                       const ed_batch *batch, size_t text_index)
{
    const ed_kernels *kernels = workspace->kernels;
    size_t d = transformer->hidden_size, pad_id = transformer->position_pad_id;
    size_t next = pad_id == ED_NO_PAD_ID ? 0 : pad_id + 1;
    size_t begin = batch->offsets[text_index], n_first = batch->n_first[text_index];
    bool has_types = n_first > 0 && transformer->n_token_types > 1;

    for (size_t i = begin; i < batch->offsets[text_index + 1]; i++) {
        size_t id = (size_t)batch->tokens[i];
        size_t position = id == pad_id ? pad_id : next++;
        float *row = workspace->hidden + i * d;

        (void)ed_tensor_read_f32(transformer->token_embedding, id * d, d, row);
        if (transformer->token_scale != 1)
            kernels->f32_scale(row, transformer->token_scale, d);
        if (transformer->token_type_embedding)
            kernels->f32_add(
                row,
                transformer->token_type_embedding + (has_types && i - begin >= n_first ? d : 0), d);
        if (transformer->position_embedding)
            kernels->f32_add(row, transformer->position_embedding + position * d, d);
    }
}
