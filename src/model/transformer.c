/* The forward pass, layer by layer; every loop over numbers is a kernel call. */
#include "model/transformer.h"

#include <string.h>

#include "model/attention.h"
#include "model/embedding.h"
#include "model/feed_forward.h"

static void run_attention(const ed_transformer *transformer, const ed_layer *layer,
                          ed_workspace *workspace, const ed_batch *batch);

void ed_transformer_forward(const ed_transformer *transformer, ed_workspace *workspace,
                            const ed_batch *batch)
{
    size_t t = batch->n_tokens, d = transformer->hidden_size;
    float *hidden = workspace->hidden;

    ed_embedding_run(transformer, workspace, batch);
    if (transformer->embedding_norm.gamma)
        ed_norm_run(&transformer->embedding_norm, workspace, hidden, hidden, t, d);
    for (size_t i = 0; i < transformer->n_layers; i++) {
        run_attention(transformer, &transformer->layers[i], workspace, batch);
        ed_feed_forward_run(transformer, &transformer->layers[i], workspace, t);
    }
    if (transformer->final_norm.gamma)
        ed_norm_run(&transformer->final_norm, workspace, hidden, hidden, t, d);
}

/* hidden = attention_norm(hidden + attention_output_norm(attention(attention_input_norm(hidden)))),
 * and where there is a second norm, that of the old hidden + the new. */
static void run_attention(const ed_transformer *transformer, const ed_layer *layer,
                          ed_workspace *workspace, const ed_batch *batch)
{
    size_t t = batch->n_tokens, d = transformer->hidden_size;
    size_t width = ed_transformer_qkv_width(transformer);
    float *hidden = workspace->hidden, *qkv = workspace->wide; /* [T][width] */
    const float *x = hidden;

    if (layer->attention_input_norm.gamma) {
        ed_norm_run(&layer->attention_input_norm, workspace, hidden, workspace->normed, t, d);
        x = workspace->normed;
    }
    ed_linear_run(&layer->qkv, workspace,
                  &(ed_linear_call){.x = x, .ld_x = d, .n_rows = t, .out = qkv, .ld_out = width});
    if (layer->second_attention_norm.gamma) /* with no norm inside, `normed` is free */
        memcpy(workspace->normed, hidden, t * d * sizeof(float));
    /* The context of a head takes the place of its q: [T][width], the first H K of each row. */
    ed_attention_run(transformer, layer, workspace, batch, qkv);
    ed_linear_add(&layer->attention_output, &layer->attention_output_norm, workspace, 0,
                  (ed_linear_call){.x = qkv, .ld_x = width, .n_rows = t});
    if (layer->attention_norm.gamma)
        ed_norm_run(&layer->attention_norm, workspace, hidden, hidden, t, d);
    if (layer->second_attention_norm.gamma) {
        workspace->kernels->f32_add(hidden, workspace->normed, t * d);
        ed_norm_run(&layer->second_attention_norm, workspace, hidden, hidden, t, d);
    }
}

size_t ed_transformer_qkv_width(const ed_transformer *transformer)
{
    return (transformer->n_heads + 2 * transformer->n_kv_heads) * transformer->head_size;
}

size_t ed_transformer_inner_width(const ed_transformer *transformer)
{
    return transformer->intermediate_size * (transformer->gated ? 2 : 1);
}
