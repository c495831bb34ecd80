/* Route, then expert by expert: gather its rows, two products, scatter. A token adds up its experts
 * in rising order, so that its sum does not depend on the other tokens. */
#include "model/moe.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Layout of workspace->wide during a run; n rows at most. */
typedef struct moe_buffers {
    float *shares;   /* [n][E]: how much of each expert a token takes; 0 = not used */
    float *sum;      /* [n][D] */
    float *gathered; /* [n][D] */
    float *mixed;    /* [n][D] */
    float *inner;    /* [n][F] */
} moe_buffers;

static void route(const ed_moe *moe, const ed_kernels *kernels, const float *x, float *shares);
static void run_expert(const ed_moe *moe, size_t expert_index, ed_workspace *workspace,
                       const moe_buffers *buffers, const float *x, size_t n_rows);

size_t ed_moe_wide(size_t n_rows, size_t hidden_size, size_t intermediate_size)
{
    return n_rows * (ED_EXPERTS_MAX + 3 * hidden_size + intermediate_size);
}

void ed_moe_run(const ed_moe *moe, ed_workspace *workspace, const float *x, size_t row_begin,
                size_t n_rows)
{
    const ed_kernels *kernels = workspace->kernels;
    size_t d = moe->up[0].n_in;
    moe_buffers buffers = {.shares = workspace->wide};

    buffers.sum = buffers.shares + n_rows * ED_EXPERTS_MAX;
    buffers.gathered = buffers.sum + n_rows * d;
    buffers.mixed = buffers.gathered + n_rows * d;
    buffers.inner = buffers.mixed + n_rows * d;

    for (size_t i = 0; i < n_rows; i++) {
        route(moe, kernels, x + i * d, buffers.shares + i * moe->n_experts);
        memcpy(buffers.sum + i * d, moe->bias, d * sizeof(float));
    }
    for (size_t e = 0; e < moe->n_experts; e++)
        run_expert(moe, e, workspace, &buffers, x, n_rows);
    kernels->f32_add(workspace->hidden + row_begin * d, buffers.sum, n_rows * d);
}

/* shares[E] = softmax(router x), kept for the n_used largest. */
static void route(const ed_moe *moe, const ed_kernels *kernels, const float *x, float *shares)
{
    size_t d = moe->up[0].n_in, n_experts = moe->n_experts;
    float scores[ED_EXPERTS_MAX], max = -INFINITY;
    double total = 0, kept = 0;

    for (size_t e = 0; e < n_experts; e++) {
        scores[e] = kernels->f32_dot(moe->router + e * d, x, d);
        max = fmaxf(max, scores[e]);
        shares[e] = 0;
    }
    for (size_t e = 0; e < n_experts; e++)
        total += exp((double)(scores[e] - max));
    for (size_t i = 0; i < moe->n_used; i++) {
        size_t best = n_experts;
        for (size_t e = 0; e < n_experts; e++)
            if (shares[e] <= 0 && (best == n_experts || scores[e] > scores[best]))
                best = e;
        double share = exp((double)(scores[best] - max)) / total;
        kept += share;
        /* Never 0, which would mean unused. */
        shares[best] = fmaxf((float)share, 1e-30F);
    }
    for (size_t e = 0; moe->renormalize && e < n_experts; e++)
        shares[e] = (float)((double)shares[e] / kept);
}

static void run_expert(const ed_moe *moe, size_t expert_index, ed_workspace *workspace,
                       const moe_buffers *buffers, const float *x, size_t n_rows)
{
    size_t d = moe->up[0].n_in, f = moe->up[0].n_out, n_gathered = 0;
    const float *shares = buffers->shares + expert_index;

    for (size_t i = 0; i < n_rows; i++)
        if (shares[i * moe->n_experts] > 0)
            memcpy(buffers->gathered + n_gathered++ * d, x + i * d, d * sizeof(float));
    if (n_gathered == 0)
        return;
    ed_linear_run(&moe->up[expert_index], workspace,
                  &(ed_linear_call){.x = buffers->gathered,
                                    .ld_x = d,
                                    .n_rows = n_gathered,
                                    .out = buffers->inner,
                                    .ld_out = f,
                                    .activation = moe->activation});
    ed_linear_run(&moe->down[expert_index], workspace,
                  &(ed_linear_call){.x = buffers->inner,
                                    .ld_x = f,
                                    .n_rows = n_gathered,
                                    .out = buffers->mixed,
                                    .ld_out = d});
    for (size_t i = 0, taken = 0; i < n_rows; i++)
        if (shares[i * moe->n_experts] > 0)
            workspace->kernels->f32_add_scaled(buffers->sum + i * d, buffers->mixed + taken++ * d,
                                               shares[i * moe->n_experts], d);
}

void ed_moe_clear(ed_moe *moe)
{
    for (size_t e = 0; e < moe->n_experts; e++) {
        if (moe->up)
            ed_linear_clear(&moe->up[e]);
        if (moe->down)
            ed_linear_clear(&moe->down[e]);
    }
    ed_free(moe->up);
    ed_free(moe->down);
    ed_free(moe->router);
    ed_free(moe->bias);
    *moe = (ed_moe){0};
}
