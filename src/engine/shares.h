/* A batch of many short texts is cut into one share of whole texts for each thread, which takes it
 * through all layers alone: no thread waits for another between two products, and what a product
 * writes is still near the core that reads it next. Long texts, single ones and the one that lies
 * across the border of two shares are computed by all threads together. The bits are the same. */
#ifndef ED_SHARES_H
#define ED_SHARES_H

#include "model/batch.h"
#include "model/transformer.h"
#include "model/workspace.h"

typedef struct ed_shares {
    ed_thread_pool
        *single; /* a pool of the calling thread only: what workspaces run their tasks in */
    size_t n_threads;
    size_t tokens_max;        /* of one step of a share: [t] */
    ed_workspace *workspaces; /* [n_threads], [t] rows each; `hidden` is the session's */
    size_t **offsets;         /* [n_threads][t + 1] */
} ed_shares;

/* MEMORY. */
embedd_status ed_shares_open(ed_shares *shares, const ed_transformer *transformer, size_t n_threads,
                             const ed_workspace_limits *limits, embedd_error *err);
void ed_shares_close(ed_shares *shares);
size_t ed_shares_bytes(const ed_shares *shares);

/* ed_transformer_forward into workspace->hidden. */
void ed_shares_forward(ed_shares *shares, const ed_transformer *transformer,
                       ed_workspace *workspace, const ed_batch *batch);

#endif
