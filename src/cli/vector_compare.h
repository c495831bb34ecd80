/* How far two vectors are apart. */
#ifndef ED_VECTOR_COMPARE_H
#define ED_VECTOR_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ed_vector_comparison {
    double cosine;     /* 0 if either is all zeros */
    double difference; /* the largest between two numbers, after division by the length of y */
} ed_vector_comparison;

double ed_vector_length(const float *x, size_t dimensions);
/* Whether somebody made its length 1, give or take the rounding of half floats. */
bool ed_vector_is_normalized(const float *x, size_t dimensions);
/* y is the one that is believed. */
ed_vector_comparison ed_vector_compare(const float *x, const float *y, size_t dimensions);

#endif
