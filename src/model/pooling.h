/* The hidden states of one text -> one vector. */
#ifndef ED_POOLING_H
#define ED_POOLING_H

#include "kernels/kernels.h"
#include "model/modules.h"

typedef struct ed_pooling_call {
    const float *hidden; /* [S][D] */
    size_t n_tokens;     /* S >= 1 */
    size_t hidden_size;  /* D */
    size_t n_skipped;    /* leading tokens that do not count: an excluded prompt */
    embedd_pooling pooling;
    float *out; /* [number of modes][D] */
} ed_pooling_call;

void ed_pooling_run(const ed_kernels *kernels, const ed_pooling_call *call);

#endif
