/* All memory that a forward pass writes: planned from limits, allocated once, reused by every
 * batch. */
#ifndef ED_WORKSPACE_H
#define ED_WORKSPACE_H

#include "base/memory.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"

struct ed_transformer;

/* Rows that go through a feed-forward block together: enough for the kernels, and a bound for the
 * memory of its inside. */
#define ED_FEED_FORWARD_ROWS ((size_t)1152)

typedef struct ed_workspace {
    const ed_kernels *kernels;
    ed_thread_pool *pool;
    size_t batch_tokens_max; /* T */
    float *hidden;           /* [T][D]: a layer's input and output */
    float *normed;           /* [T][D], or NULL if no layer needs it */
    float *wide;             /* q, k, v of all rows, then the feed-forward's inside of some */
    void *packed;            /* rows of the widest product, packed for the kernel */
    float *vector;           /* one text's, on its way through pooling and the modules after it */
    void **attention;        /* [threads] */
    ed_arena arena;
} ed_workspace;

typedef struct ed_workspace_limits {
    size_t batch_tokens_max;
    bool hidden_elsewhere;  /* the caller sets `hidden` before each use */
    size_t text_tokens_max; /* of one text */
    size_t vector_max;      /* longest vector after pooling or any later module */
    size_t head_rows;       /* that go through a head together, in f32; 0 = there is none */
} ed_workspace_limits;

/* The pool stays the caller's. MEMORY. */
embedd_status ed_workspace_open(ed_workspace *workspace, const struct ed_transformer *transformer,
                                ed_thread_pool *pool, const ed_workspace_limits *limits,
                                embedd_error *err);
void ed_workspace_close(ed_workspace *workspace);

#endif
