/* The memory plan: sizes first, one allocation, then the pointers in the same order. */
#include "model/workspace.h"

#include "base/error.h"
#include "model/transformer.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool has_experts(const ed_transformer *transformer)
{
    for (size_t i = 0; i < transformer->n_layers; i++)
        if (transformer->layers[i].moe.n_experts)
            return true;
    return false;
}

static bool needs_normed(const ed_transformer *transformer)
{
    for (size_t i = 0; i < transformer->n_layers; i++) {
        const ed_layer *layer = &transformer->layers[i];
        if (layer->attention_input_norm.gamma || layer->attention_output_norm.gamma ||
            layer->feed_forward_input_norm.gamma || layer->feed_forward_output_norm.gamma ||
            layer->second_attention_norm.gamma)
            return true;
    }
    return false;
}

embedd_status ed_workspace_open(ed_workspace *workspace, const ed_transformer *transformer,
                                ed_thread_pool *pool, const ed_workspace_limits *limits,
                                embedd_error *err)
{
    const ed_kernels *kernels = transformer->kernels;
    const ed_gemm *gemm = transformer->gemm;
    size_t t = limits->batch_tokens_max, d = transformer->hidden_size;
    size_t f = transformer->intermediate_size;
    size_t t_hidden = limits->hidden_elsewhere ? 0 : t;
    size_t t_inner = t < ED_FEED_FORWARD_ROWS ? t : ED_FEED_FORWARD_ROWS;
    size_t wide = max_size(t * ed_transformer_qkv_width(transformer),
                           t_inner * ed_transformer_inner_width(transformer));
    if (has_experts(transformer))
        wide = max_size(wide, ed_moe_wide(t_inner, d, f));
    wide = max_size(wide, gemm->rows_bytes(t_inner, f) / sizeof(float)); /* packed_out */
    size_t normed = needs_normed(transformer) ? t * d : 0;
    size_t packed = max_size(gemm->rows_bytes(t, d), gemm->rows_bytes(t_inner, f));
    packed = max_size(packed, gemm->rows_bytes(t, transformer->n_heads * transformer->head_size));
    /* modules after pooling are f32 */
    packed = max_size(packed, kernels->gemm_f32.rows_bytes(1, limits->vector_max));
    packed = max_size(packed, kernels->gemm_f32.rows_bytes(limits->head_rows, d));
    size_t attention =
        kernels->attention_scratch_bytes(limits->text_tokens_max, transformer->head_size);
    size_t n_threads = ed_thread_pool_threads(pool);

    *workspace = (ed_workspace){.kernels = kernels, .pool = pool, .batch_tokens_max = t};
    ed_arena *arena = &workspace->arena;
    ed_arena_plan(arena, t_hidden, d * sizeof(float));
    ed_arena_plan(arena, normed, sizeof(float));
    ed_arena_plan(arena, wide, sizeof(float));
    ed_arena_plan(arena, 1, packed);
    ed_arena_plan(arena, limits->vector_max, sizeof(float));
    ed_arena_plan(arena, n_threads, sizeof(void *));
    for (size_t i = 0; i < n_threads; i++)
        ed_arena_plan(arena, 1, attention);
    if (!ed_arena_alloc(arena))
        return ed_fail(err, EMBEDD_MEMORY, "no memory for batches of %zu tokens", t);

    workspace->hidden = ed_arena_take(arena, t_hidden, d * sizeof(float));
    workspace->normed = ed_arena_take(arena, normed, sizeof(float));
    workspace->wide = ed_arena_take(arena, wide, sizeof(float));
    workspace->packed = ed_arena_take(arena, 1, packed);
    workspace->vector = ed_arena_take(arena, limits->vector_max, sizeof(float));
    workspace->attention = ed_arena_take(arena, n_threads, sizeof(void *));
    for (size_t i = 0; i < n_threads; i++)
        workspace->attention[i] = ed_arena_take(arena, 1, attention);
    return EMBEDD_OK;
}

void ed_workspace_close(ed_workspace *workspace)
{
    ed_arena_release(&workspace->arena);
    *workspace = (ed_workspace){0};
}
