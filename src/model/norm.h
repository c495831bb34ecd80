/* LayerNorm and RMSNorm over the rows of a packed batch. */
#ifndef ED_NORM_H
#define ED_NORM_H

#include "model/workspace.h"

typedef struct ed_norm {
    float *gamma; /* [d]; NULL = there is no norm here */
    float *beta;  /* [d] */
    float eps;
    bool rms; /* x / sqrt(mean(x^2) + eps) * gamma; beta unused */
} ed_norm;

/* to[n_rows][d] = norm(from[n_rows][d]), spread over the pool; `to` may be `from`. */
void ed_norm_run(const ed_norm *norm, ed_workspace *workspace, const float *from, float *to,
                 size_t n_rows, size_t d);
void ed_norm_clear(ed_norm *norm);

#endif
