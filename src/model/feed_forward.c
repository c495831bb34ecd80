/* Up, activation, down, in blocks of rows: the inner activations are the widest of all, and would
 * otherwise set the memory of long texts. */
#include "model/feed_forward.h"

/* Rows that one task gates. */
#define GATE_TASK_ROWS 32

static void run_rows(const ed_transformer *transformer, const ed_layer *layer,
                     ed_workspace *workspace, const float *x, size_t row_begin, size_t n_rows);
static void run_gate(const ed_transformer *transformer, ed_workspace *workspace, size_t n_rows);

void ed_feed_forward_run(const ed_transformer *transformer, const ed_layer *layer,
                         ed_workspace *workspace, size_t n_tokens)
{
    size_t d = transformer->hidden_size;
    float *hidden = workspace->hidden;
    const float *x = hidden;

    if (layer->feed_forward_input_norm.gamma) {
        ed_norm_run(&layer->feed_forward_input_norm, workspace, hidden, workspace->normed, n_tokens,
                    d);
        x = workspace->normed;
    }
    for (size_t begin = 0; begin < n_tokens; begin += ED_FEED_FORWARD_ROWS) {
        size_t n_left = n_tokens - begin;
        run_rows(transformer, layer, workspace, x, begin,
                 n_left < ED_FEED_FORWARD_ROWS ? n_left : ED_FEED_FORWARD_ROWS);
    }
    if (layer->output_norm.gamma)
        ed_norm_run(&layer->output_norm, workspace, hidden, hidden, n_tokens, d);
}

static void run_rows(const ed_transformer *transformer, const ed_layer *layer,
                     ed_workspace *workspace, const float *x, size_t row_begin, size_t n_rows)
{
    size_t d = transformer->hidden_size, width = ed_transformer_inner_width(transformer);
    float *inner = workspace->wide; /* [n_rows][width], or the rows of the second product, packed */

    if (layer->moe.n_experts) {
        ed_moe_run(&layer->moe, workspace, x + row_begin * d, row_begin, n_rows);
        return;
    }
    bool packs =
        !transformer->gated && ed_linear_packs_for(&layer->up, &layer->down, workspace, n_rows);
    ed_linear_run(
        &layer->up, workspace,
        &(ed_linear_call){
            .x = x + row_begin * d,
            .ld_x = d,
            .n_rows = n_rows,
            .out = inner,
            .ld_out = width,
            .packed_out = packs ? inner : NULL,
            .activation = transformer->gated ? ED_ACTIVATION_NONE : transformer->activation,
        });
    if (transformer->gated)
        run_gate(transformer, workspace, n_rows);
    ed_linear_add(
        &layer->down, &layer->feed_forward_output_norm, workspace, row_begin,
        (ed_linear_call){
            .x = inner, .ld_x = width, .packed_x = packs ? inner : NULL, .n_rows = n_rows});
}

void ed_linear_add(const ed_linear *linear, const ed_norm *norm, ed_workspace *workspace,
                   size_t row_begin, ed_linear_call call)
{
    size_t d = linear->n_out;
    float *hidden = workspace->hidden + row_begin * d;

    call.out = hidden;
    call.ld_out = d;
    if (!norm->gamma) {
        call.residual = hidden;
        call.ld_residual = d;
        ed_linear_run(linear, workspace, &call);
        return;
    }
    call.out = workspace->normed + row_begin * d;
    ed_linear_run(linear, workspace, &call);
    ed_norm_run(norm, workspace, call.out, call.out, call.n_rows, d);
    workspace->kernels->f32_add(hidden, call.out, call.n_rows * d);
}

typedef struct gate_job {
    const ed_transformer *transformer;
    float *inner;
    size_t n_rows;
} gate_job;

static void gate_task(void *context, size_t task_index, size_t thread_index)
{
    const gate_job *job = context;
    size_t f = job->transformer->intermediate_size, begin = task_index * GATE_TASK_ROWS;
    size_t n_rows = job->n_rows - begin < GATE_TASK_ROWS ? job->n_rows - begin : GATE_TASK_ROWS;

    (void)thread_index;
    job->transformer->kernels->f32_gate(job->inner + begin * 2 * f, 2 * f, n_rows, f,
                                        job->transformer->activation);
}

static void run_gate(const ed_transformer *transformer, ed_workspace *workspace, size_t n_rows)
{
    gate_job job = {transformer, workspace->wide, n_rows};

    ed_thread_pool_run(workspace->pool, gate_task, &job,
                       (n_rows + GATE_TASK_ROWS - 1) / GATE_TASK_ROWS);
}
