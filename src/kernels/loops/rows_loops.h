/* The loops over rows of floats. Included by each level's rows file after its vector header. */
#ifndef ED_ROWS_LOOPS_H
#define ED_ROWS_LOOPS_H

#include "kernels/levels.h"
#include "kernels/loops/sums.h"

#include <math.h>

/* What a row deviates from a rounded mean: its sum, and the sum of its squares. */
typedef struct deviations {
    float sum, squares;
} deviations;

static inline deviations sum_deviations(const float *x, float mean, size_t n)
{
    const vf zero = vf_set(0.0f), m = vf_set(mean);
    vf s[CHAINS] = {zero, zero, zero, zero};
    vf squares[CHAINS] = {zero, zero, zero, zero};
    size_t i = 0;

    for (; i + CHAINS * VF_LANES <= n; i += CHAINS * VF_LANES) {
        ED_UNROLL
        for (size_t c = 0; c < CHAINS; c++) {
            const vf a = vf_sub(vf_load(x + i + c * VF_LANES), m);

            s[c] = vf_add(s[c], a);
            squares[c] = vf_fma(a, a, squares[c]);
        }
    }
    for (; i < n; i += VF_LANES) {
        float means[VF_LANES];
        vf a;

        vf_store(means, m); /* so that lanes the row lacks are 0 - 0 */
        a = i + VF_LANES <= n ? vf_sub(vf_load(x + i), m)
                              : vf_sub(vf_load_part(x + i, n - i), vf_load_part(means, n - i));
        s[0] = vf_add(s[0], a);
        squares[0] = vf_fma(a, a, squares[0]);
    }
    return (deviations){sum_chains(s), sum_chains(squares)};
}

/* The first mean is rounded to a float, which matters where it is large beside the deviations; so
 * the deviations from it are averaged too, and what they are off by is subtracted. */
static void f32_layernorm(float *y, size_t ld_y, const float *x, size_t ld_x, const float *gamma,
                          const float *beta, float eps, size_t n_rows, size_t d)
{
    for (size_t row = 0; row < n_rows; row++, x += ld_x, y += ld_y) {
        const float mean = sum_row(x, d) / (float)d;
        const deviations sums = sum_deviations(x, mean, d);
        const float rest = sums.sum / (float)d;
        const float variance = fmaxf(sums.squares / (float)d - rest * rest, 0.0f);
        const float scale = 1.0f / sqrtf(variance + eps);
        const vf m = vf_set(mean), factor = vf_set(scale), shift = vf_set(-rest * scale);
        size_t i = 0;

        for (; i + VF_LANES <= d; i += VF_LANES) {
            const vf a = vf_fma(vf_sub(vf_load(x + i), m), factor, shift);

            vf_store(y + i, vf_fma(a, vf_load(gamma + i), vf_load(beta + i)));
        }
        if (i < d) {
            const size_t n = d - i;
            const vf a = vf_fma(vf_sub(vf_load_part(x + i, n), m), factor, shift);

            vf_store_part(y + i, vf_fma(a, vf_load_part(gamma + i, n), vf_load_part(beta + i, n)),
                          n);
        }
    }
}

static void f32_add(float *y, const float *x, size_t n)
{
    size_t i = 0;

    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
    if (i < n)
        vf_store_part(y + i, vf_add(vf_load_part(y + i, n - i), vf_load_part(x + i, n - i)), n - i);
}

static void f32_add_scaled(float *y, const float *x, float a, size_t n)
{
    const vf scale = vf_set(a);
    size_t i = 0;

    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_fma(scale, vf_load(x + i), vf_load(y + i)));
    if (i < n)
        vf_store_part(y + i, vf_fma(scale, vf_load_part(x + i, n - i), vf_load_part(y + i, n - i)),
                      n - i);
}

static void f32_max(float *y, const float *x, size_t n)
{
    size_t i = 0;

    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_max(vf_load(x + i), vf_load(y + i)));
    if (i < n)
        vf_store_part(y + i, vf_max(vf_load_part(x + i, n - i), vf_load_part(y + i, n - i)), n - i);
}

static void f32_scale(float *y, float a, size_t n)
{
    const vf scale = vf_set(a);
    size_t i = 0;

    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(y + i, vf_mul(vf_load(y + i), scale));
    if (i < n)
        vf_store_part(y + i, vf_mul(vf_load_part(y + i, n - i), scale), n - i);
}

static float f32_dot(const float *x, const float *y, size_t n)
{
    return sum_products(x, y, n);
}

static void rows_init(ed_kernels *k)
{
    k->f32_layernorm = f32_layernorm;
    k->f32_add = f32_add;
    k->f32_add_scaled = f32_add_scaled;
    k->f32_max = f32_max;
    k->f32_scale = f32_scale;
    k->f32_dot = f32_dot;
}

#endif
