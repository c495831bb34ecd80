/* A session: a pool of threads and all memory of a forward pass, sized at open. */
#ifndef ED_SESSION_H
#define ED_SESSION_H

#include "engine/model_handle.h"
#include "engine/shares.h"

struct embedd_session {
    const embedd_model *model;
    ed_thread_pool *pool;
    ed_workspace workspace;
    ed_shares shares;
    embedd_encoder *encoder; /* for embedd_embed */
    size_t batch_tokens_max; /* T, at least text_tokens_max */
    size_t text_tokens_max;
    size_t n_threads;
    ed_arena arena;
    int32_t *tokens;     /* [T]: the packed batch */
    uint32_t *positions; /* [T] */
    size_t *offsets;     /* [T + 1] */
    size_t *n_first;     /* [T] */
    float **outs;        /* [T]: where a head's numbers go */
    float *head;         /* scratch of the head */
    int32_t *encoded;    /* [T]: ids of embedd_embed's texts */
    embedd_row *rows;    /* [T] */
};

#endif
