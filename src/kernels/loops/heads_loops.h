/* What happens to the heads of one token before attention: RMSNorm and rotation. Included by each
 * level's heads file after its vector header. */
#ifndef ED_HEADS_LOOPS_H
#define ED_HEADS_LOOPS_H

#include "kernels/levels.h"
#include "kernels/loops/sums.h"

#include <math.h>

static void f32_rmsnorm(float *y, size_t ld_y, const float *x, size_t ld_x, const float *gamma,
                        float eps, size_t n_rows, size_t d)
{
    for (size_t row = 0; row < n_rows; row++, x += ld_x, y += ld_y) {
        const vf scale = vf_set(1.0f / sqrtf(sum_products(x, x, d) / (float)d + eps));
        size_t i = 0;

        for (; i + VF_LANES <= d; i += VF_LANES)
            vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), scale), vf_load(gamma + i)));
        if (i < d) {
            const vf a = vf_mul(vf_load_part(x + i, d - i), scale);

            vf_store_part(y + i, vf_mul(a, vf_load_part(gamma + i, d - i)), d - i);
        }
    }
}

/* n <= VF_LANES neighbouring pairs (a, b) of one head. */
ED_INLINE void rotate(float *a, float *b, const float *cosine, const float *sine, size_t n)
{
    const bool whole = n >= VF_LANES;
    const vf x = whole ? vf_load(a) : vf_load_part(a, n);
    const vf y = whole ? vf_load(b) : vf_load_part(b, n);
    const vf c = whole ? vf_load(cosine) : vf_load_part(cosine, n);
    const vf s = whole ? vf_load(sine) : vf_load_part(sine, n);
    const vf new_x = vf_fms(x, c, vf_mul(y, s));
    const vf new_y = vf_fma(y, c, vf_mul(x, s));

    if (whole) {
        vf_store(a, new_x);
        vf_store(b, new_y);
    } else {
        vf_store_part(a, new_x, n);
        vf_store_part(b, new_y, n);
    }
}

static void f32_rotary(float *heads, size_t n_heads, size_t head_size, const float *cosine,
                       const float *sine)
{
    const size_t half = head_size / 2;

    for (size_t h = 0; h < n_heads; h++, heads += head_size) {
        size_t i = 0;

        for (; i + VF_LANES <= half; i += VF_LANES)
            rotate(heads + i, heads + half + i, cosine + i, sine + i, VF_LANES);
        if (i < half)
            rotate(heads + i, heads + half + i, cosine + i, sine + i, half - i);
    }
}

static void heads_init(ed_kernels *k)
{
    k->f32_rmsnorm = f32_rmsnorm;
    k->f32_rotary = f32_rotary;
}

#endif
