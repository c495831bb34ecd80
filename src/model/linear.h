/* y = activation(x W^T + b) + residual over a packed batch, spread over the pool. */
#ifndef ED_LINEAR_H
#define ED_LINEAR_H

#include "model/workspace.h"

typedef struct ed_linear {
    const ed_gemm *gemm; /* the kernel whose packing `weights` has */
    void *weights;       /* packed [N][depth] */
    size_t weight_bytes;
    const float *row_scale; /* [depth], what each row is multiplied by, or NULL */
    bool borrowed;          /* weights and row_scale lie in a file's pages */
    float *bias;            /* [N] or NULL */
    size_t n_out;           /* N */
    size_t n_in;            /* depth */
} ed_linear;

typedef struct ed_linear_call {
    const float *x; /* [n_rows][ld_x] */
    size_t ld_x;
    void *packed_x; /* or NULL; else in place of x: a packed_out */
    size_t n_rows;
    const float *residual; /* [n_rows][ld_residual] or NULL; may be `out` */
    size_t ld_residual;
    float *out; /* [n_rows][ld_out]; not x */
    size_t ld_out;
    void *packed_out; /* or NULL; else in place of out: rows_bytes(n_rows, N) of `gemm` */
    ed_activation activation;
} ed_linear_call;

/* Packs x into workspace->packed, then multiplies. */
void ed_linear_run(const ed_linear *linear, ed_workspace *workspace, const ed_linear_call *call);

/* Whether what `linear` makes of n_rows may go into `next` as packed_out, and whether that is no
 * loss: enough tasks are left for the threads. */
bool ed_linear_packs_for(const ed_linear *linear, const ed_linear *next,
                         const ed_workspace *workspace, size_t n_rows);
void ed_linear_clear(ed_linear *linear);

#endif
