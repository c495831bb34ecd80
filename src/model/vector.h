/* The last steps on a finished vector: length 1, fewer dimensions. */
#ifndef ED_VECTOR_H
#define ED_VECTOR_H

#include "kernels/kernels.h"

/* x /= max(|x|, 1e-12). A length that is not finite makes x NaN, so that it is seen. */
void ed_vector_normalize(const ed_kernels *kernels, float *x, size_t n);

/* x = (x - mean) / sqrt(variance + 1e-5): what nomic does before it cuts a vector. */
void ed_vector_standardize(float *x, size_t n);

bool ed_vector_is_finite(const float *x, size_t n);

#endif
