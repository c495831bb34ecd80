/* In: gamma and weights, finite. Out: a scale for each channel. Channels that hardly exist, in
 * gamma or in the weights, count as a thousandth of the largest: none is scaled without bounds. */
#include "model/row_scale.h"

#include <math.h>

#define LEAST 1e-3f

static float largest(const float *x, size_t n)
{
    float max = 0;

    for (size_t i = 0; i < n; i++)
        max = fabsf(x[i]) > max ? fabsf(x[i]) : max;
    return max;
}

/* rms[depth] of the columns of weights[n][depth] */
static void find_rms(float *rms, const float *weights, size_t n, size_t depth)
{
    for (size_t d = 0; d < depth; d++)
        rms[d] = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < depth; d++)
            rms[d] += weights[i * depth + d] * weights[i * depth + d];
    for (size_t d = 0; d < depth; d++)
        rms[d] = sqrtf(rms[d] / (float)n);
}

void ed_row_scale_choose(float *scale, float *weights, size_t n, size_t depth, const float *gamma,
                         size_t n_deciding)
{
    find_rms(scale, weights + (n - n_deciding) * depth, n_deciding, depth);
    float least_gamma = largest(gamma, depth) * LEAST, least_rms = largest(scale, depth) * LEAST;

    for (size_t d = 0; d < depth; d++) {
        float s = sqrtf(fmaxf(fabsf(gamma[d]), least_gamma) / fmaxf(scale[d], least_rms));

        scale[d] = isnormal(s) && isnormal(1 / s) ? 1 / s : 1;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < depth; d++)
            weights[i * depth + d] /= scale[d];
}
