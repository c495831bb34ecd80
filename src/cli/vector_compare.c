/* In: finite vectors. Out: numbers to judge by. Sums are double: what is measured may be 1e-7. */
#include "cli/vector_compare.h"

#include <math.h>

#define LENGTH_TOLERANCE 2e-3

static double dot(const float *x, const float *y, size_t dimensions)
{
    double sum = 0;

    for (size_t i = 0; i < dimensions; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

double ed_vector_length(const float *x, size_t dimensions)
{
    return sqrt(dot(x, x, dimensions));
}

bool ed_vector_is_normalized(const float *x, size_t dimensions)
{
    return fabs(ed_vector_length(x, dimensions) - 1) < LENGTH_TOLERANCE;
}

ed_vector_comparison ed_vector_compare(const float *x, const float *y, size_t dimensions)
{
    double x_length = ed_vector_length(x, dimensions), y_length = ed_vector_length(y, dimensions);
    double scale = y_length > 0 ? 1 / y_length : 1;
    ed_vector_comparison result = {0};

    if (x_length > 0 && y_length > 0)
        result.cosine = fmin(1, dot(x, y, dimensions) / x_length / y_length);
    for (size_t i = 0; i < dimensions; i++)
        result.difference = fmax(result.difference, fabs((double)x[i] - (double)y[i]) * scale);
    return result;
}
