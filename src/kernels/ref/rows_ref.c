/* The loops over rows of floats that others are compared with. Sums run in LANES interleaved
 * partial sums, as vector registers would: shorter chains round less, and the order depends on the
 * length only. */
#include "kernels/levels.h"

#include <math.h>

enum { LANES = 16 };

/* The partial sums in halves: 0+8, 1+9, ...; then 0+4, ...; so that the order is a fixed tree. */
static float sum_lanes(float lanes[LANES])
{
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++)
            lanes[l] += lanes[l + half];
    }
    return lanes[0];
}

/* The first mean is rounded to a float, which matters where it is large beside the deviations; so
 * the deviations from it are averaged too, and what they are off by is subtracted. */
static void layernorm_row(float *y, const float *x, const float *gamma, const float *beta,
                          float eps, size_t d)
{
    float lanes[LANES] = {0}, squares[LANES] = {0};
    float mean, rest, variance, deviation;

    for (size_t c = 0; c < d; c++)
        lanes[c % LANES] += x[c];
    mean = sum_lanes(lanes) / (float)d;

    for (size_t l = 0; l < LANES; l++)
        lanes[l] = 0.0f;
    for (size_t c = 0; c < d; c++) {
        lanes[c % LANES] += x[c] - mean;
        squares[c % LANES] += (x[c] - mean) * (x[c] - mean);
    }
    rest = sum_lanes(lanes) / (float)d;
    variance = fmaxf(sum_lanes(squares) / (float)d - rest * rest, 0.0f);
    deviation = sqrtf(variance + eps);

    for (size_t c = 0; c < d; c++)
        y[c] = (x[c] - mean - rest) / deviation * gamma[c] + beta[c];
}

static void f32_layernorm(float *y, size_t ld_y, const float *x, size_t ld_x, const float *gamma,
                          const float *beta, float eps, size_t n_rows, size_t d)
{
    for (size_t i = 0; i < n_rows; i++)
        layernorm_row(y + i * ld_y, x + i * ld_x, gamma, beta, eps, d);
}

static void f32_add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void f32_add_scaled(float *y, const float *x, float a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static void f32_max(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > y[i] ? x[i] : y[i];
}

static void f32_scale(float *y, float a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] *= a;
}

static float f32_dot(const float *x, const float *y, size_t n)
{
    float lanes[LANES] = {0};

    for (size_t i = 0; i < n; i++)
        lanes[i % LANES] += x[i] * y[i];
    return sum_lanes(lanes);
}

void ed_rows_init_ref(ed_kernels *k)
{
    k->f32_layernorm = f32_layernorm;
    k->f32_add = f32_add;
    k->f32_add_scaled = f32_add_scaled;
    k->f32_max = f32_max;
    k->f32_scale = f32_scale;
    k->f32_dot = f32_dot;
}
