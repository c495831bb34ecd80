/* Plain loops over one vector. */
#include "model/vector.h"

#include <math.h>

#define NORM_MIN        1e-12F
#define STANDARDIZE_EPS 1e-5

void ed_vector_normalize(const ed_kernels *kernels, float *x, size_t n)
{
    float norm = sqrtf(kernels->f32_dot(x, x, n));

    /* Dividing by infinity would make zeros of an overflow. */
    kernels->f32_scale(x, isfinite(norm) ? 1 / fmaxf(norm, NORM_MIN) : NAN, n);
}

void ed_vector_standardize(float *x, size_t n)
{
    double mean = 0, variance = 0;

    for (size_t i = 0; i < n; i++)
        mean += (double)x[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++)
        variance += ((double)x[i] - mean) * ((double)x[i] - mean);
    variance /= (double)n;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(((double)x[i] - mean) / sqrt(variance + STANDARDIZE_EPS));
}

bool ed_vector_is_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}
