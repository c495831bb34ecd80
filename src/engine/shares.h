/* A batch of many texts is dealt to the threads (share_plan.h), and each takes its texts through
 * all layers alone: no thread waits for another between two products, and what a product writes is
 * still near the core that reads it next. Single texts, and long ones that would make the shares
 * uneven, are computed by all threads together. The bits are the same. */
#ifndef ED_SHARES_H
#define ED_SHARES_H

#include <stdatomic.h>

#include "engine/share_plan.h"
#include "model/batch.h"
#include "model/transformer.h"
#include "model/workspace.h"

typedef struct ed_shares {
    ed_thread_pool
        *single; /* a pool of the calling thread only: what workspaces run their tasks in */
    ed_share_plan plan;
    ed_workspace *workspaces; /* [n_threads], rows of one step each; `hidden` is the session's */
    size_t n_workspaces;
    size_t **offsets;    /* [n_threads][step_tokens_max + 1] */
    atomic_size_t *next; /* [n_threads]: the next step of each hand */
    ed_arena arena;
} ed_shares;

/* MEMORY. After a failure ed_shares_close is still due. */
embedd_status ed_shares_open(ed_shares *shares, const ed_transformer *transformer, size_t n_threads,
                             const ed_workspace_limits *limits, embedd_error *err);
void ed_shares_close(ed_shares *shares);
size_t ed_shares_bytes(const ed_shares *shares);

/* What becomes of the hidden states of the text at `place`: called once for each, by the thread
 * that has just computed them, with a workspace that is its own for the moment. */
typedef struct ed_shares_finish {
    void (*run)(void *context, ed_workspace *workspace, size_t place);
    void *context;
} ed_shares_finish;

/* ed_transformer_forward into workspace->hidden, by shares->plan, which is that of the batch; then
 * `finish`. */
void ed_shares_forward(ed_shares *shares, const ed_transformer *transformer,
                       ed_workspace *workspace, const ed_batch *batch,
                       const ed_shares_finish *finish);

#endif
