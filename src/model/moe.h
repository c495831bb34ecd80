/* A feed-forward block of experts, of which each token uses the few that its router likes best.
 * Source: Nussbaum and Duderstadt 2025 (Nomic Embed v2); Gale et al. 2022 (MegaBlocks) for the
 * layout of the weights. */
#ifndef ED_MOE_H
#define ED_MOE_H

#include "model/linear.h"
#include "model/workspace.h"

#define ED_EXPERTS_MAX 64

typedef struct ed_moe {
    size_t n_experts; /* E; 0 = this layer has none */
    size_t n_used;    /* experts a token goes through */
    bool renormalize; /* the used experts' weights sum to 1 */
    float *router;    /* [E][D] */
    ed_linear *up;    /* [E] of [F][D] */
    ed_linear *down;  /* [E] of [D][F] */
    float *bias;      /* [D], added once */
    ed_activation activation;
} ed_moe;

/* Floats of workspace->wide that n_rows need. */
size_t ed_moe_wide(size_t n_rows, size_t hidden_size, size_t intermediate_size);

/* hidden[row_begin + i] += experts(x[i]) for n_rows <= ED_FEED_FORWARD_ROWS rows of x[][D]. */
void ed_moe_run(const ed_moe *moe, ed_workspace *workspace, const float *x, size_t row_begin,
                size_t n_rows);
void ed_moe_clear(ed_moe *moe);

#endif
