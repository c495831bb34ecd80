/* Sums over a row. Included by the loops that need them.
 *
 * They run in CHAINS vectors of partial sums, so that additions need not wait for each other, and
 * end in a fixed tree: their order depends on the length only. */
#ifndef ED_SUMS_H
#define ED_SUMS_H

#include "kernels/loops/tile.h"

enum { CHAINS = 4 };

static inline float sum_chains(const vf s[CHAINS])
{
    return vf_sum(vf_add(vf_add(s[0], s[1]), vf_add(s[2], s[3])));
}

static inline float sum_row(const float *x, size_t n)
{
    vf s[CHAINS] = {vf_set(0.0f), vf_set(0.0f), vf_set(0.0f), vf_set(0.0f)};
    size_t i = 0;

    for (; i + CHAINS * VF_LANES <= n; i += CHAINS * VF_LANES) {
        ED_UNROLL
        for (size_t c = 0; c < CHAINS; c++)
            s[c] = vf_add(s[c], vf_load(x + i + c * VF_LANES));
    }
    for (; i + VF_LANES <= n; i += VF_LANES)
        s[0] = vf_add(s[0], vf_load(x + i));
    if (i < n)
        s[1] = vf_add(s[1], vf_load_part(x + i, n - i));
    return sum_chains(s);
}

/* sum of x[i] * y[i] */
static inline float sum_products(const float *x, const float *y, size_t n)
{
    vf s[CHAINS] = {vf_set(0.0f), vf_set(0.0f), vf_set(0.0f), vf_set(0.0f)};
    size_t i = 0;

    for (; i + CHAINS * VF_LANES <= n; i += CHAINS * VF_LANES) {
        ED_UNROLL
        for (size_t c = 0; c < CHAINS; c++)
            s[c] = vf_fma(vf_load(x + i + c * VF_LANES), vf_load(y + i + c * VF_LANES), s[c]);
    }
    for (; i + VF_LANES <= n; i += VF_LANES)
        s[0] = vf_fma(vf_load(x + i), vf_load(y + i), s[0]);
    if (i < n)
        s[1] = vf_fma(vf_load_part(x + i, n - i), vf_load_part(y + i, n - i), s[1]);
    return sum_chains(s);
}

#endif
