/* The memory plan: sizes first, one allocation, then the pointers in the same order. */
#include "model/workspace.h"

#include "base/error.h"
#include "model/transformer.h"

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

embedd_status ed_workspace_open(ed_workspace *workspace, const ed_transformer *transformer,
                                ed_thread_pool *pool, size_t batch_tokens_max,
                                size_t text_tokens_max, embedd_error *err)
{
    const ed_kernels *kernels = transformer->kernels;
    const ed_gemm *gemm = &kernels->gemm_f32;
    size_t t = batch_tokens_max, d = transformer->hidden_size;
    size_t f = transformer->intermediate_size;
    size_t t_inner = t < ED_FEED_FORWARD_ROWS ? t : ED_FEED_FORWARD_ROWS;
    size_t wide = max_size(3 * d * t, f * t_inner);
    size_t packed = max_size(gemm->rows_bytes(t, d), gemm->rows_bytes(t_inner, f));
    size_t attention = kernels->attention_scratch_bytes(text_tokens_max, transformer->head_size);
    size_t n_threads = ed_thread_pool_threads(pool);

    *workspace = (ed_workspace){.kernels = kernels, .pool = pool, .batch_tokens_max = t};
    ed_arena *arena = &workspace->arena;
    ed_arena_plan(arena, t, d * sizeof(float));
    ed_arena_plan(arena, wide, sizeof(float));
    ed_arena_plan(arena, 1, packed);
    ed_arena_plan(arena, n_threads, sizeof(void *));
    for (size_t i = 0; i < n_threads; i++)
        ed_arena_plan(arena, 1, attention);
    if (!ed_arena_alloc(arena))
        return ed_fail(err, EMBEDD_MEMORY, "no memory for batches of %zu tokens", t);

    workspace->hidden = ed_arena_take(arena, t, d * sizeof(float));
    workspace->wide = ed_arena_take(arena, wide, sizeof(float));
    workspace->packed = ed_arena_take(arena, 1, packed);
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
