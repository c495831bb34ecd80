/* Pooling as sentence-transformers' Pooling does it, for a text without padding. */
#include "model/pooling.h"

#include <math.h>
#include <string.h>

/* What the reference divides by instead where nothing counts. */
#define COUNT_MIN 1e-9F

static void pool(const ed_kernels *kernels, const ed_pooling_call *call, embedd_pooling mode,
                 float *out);
void ed_pooling_run(const ed_kernels *kernels, const ed_pooling_call *call)
{
    size_t n_modes = ed_pooling_count(call->pooling);

    for (size_t i = 0; i < n_modes; i++)
        pool(kernels, call, ed_pooling_at(call->pooling, i), call->out + i * call->hidden_size);
}

/* sum of weight(i) * hidden[i] over the tokens that count, divided by `divisor`. */
static void weighted_sum(const ed_kernels *kernels, const ed_pooling_call *call, bool by_position,
                         float *out)
{
    size_t d = call->hidden_size;

    memset(out, 0, d * sizeof *out);
    for (size_t i = call->n_skipped; i < call->n_tokens; i++) {
        if (by_position)
            kernels->f32_add_scaled(out, call->hidden + i * d, (float)(i + 1), d);
        else
            kernels->f32_add(out, call->hidden + i * d, d);
    }
}

/* 1 + 2 + ... over the positions that count. */
static float position_sum(const ed_pooling_call *call)
{
    double sum = 0;

    for (size_t i = call->n_skipped; i < call->n_tokens; i++)
        sum += (double)(i + 1);
    return (float)sum;
}

static void pool(const ed_kernels *kernels, const ed_pooling_call *call, embedd_pooling mode,
                 float *out)
{
    size_t d = call->hidden_size;
    /* A text cut inside its prompt has no token that counts; cls, max and lasttoken then take what
     * there is instead of nothing. */
    size_t first = call->n_skipped < call->n_tokens ? call->n_skipped : call->n_tokens - 1;
    size_t n = call->n_skipped < call->n_tokens ? call->n_tokens - call->n_skipped : 0;
    float count = fmaxf((float)n, COUNT_MIN);

    switch (mode) {
    case EMBEDD_POOLING_CLS:
        memcpy(out, call->hidden + first * d, d * sizeof *out);
        break;
    case EMBEDD_POOLING_LASTTOKEN:
        memcpy(out, call->hidden + (call->n_tokens - 1) * d, d * sizeof *out);
        break;
    case EMBEDD_POOLING_MAX:
        memcpy(out, call->hidden + first * d, d * sizeof *out);
        for (size_t i = first + 1; i < call->n_tokens; i++)
            kernels->f32_max(out, call->hidden + i * d, d);
        break;
    case EMBEDD_POOLING_WEIGHTEDMEAN:
        weighted_sum(kernels, call, true, out);
        kernels->f32_scale(out, 1 / fmaxf(position_sum(call), COUNT_MIN), d);
        break;
    case EMBEDD_POOLING_MEAN_SQRT_LEN:
        weighted_sum(kernels, call, false, out);
        kernels->f32_scale(out, 1 / sqrtf(count), d);
        break;
    default: /* EMBEDD_POOLING_MEAN: the engine has checked the list */
        weighted_sum(kernels, call, false, out);
        kernels->f32_scale(out, 1 / count, d);
        break;
    }
}
