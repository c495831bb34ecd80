/* Rotary position embeddings: the angles of every position, computed once per model.
 * Source: Su et al. 2021 (RoFormer), in the half-rotated form of GPT-NeoX that transformers uses.
 */
#ifndef ED_ROTARY_H
#define ED_ROTARY_H

#include "embedd.h"

typedef struct ed_rotary {
    float *cosine; /* [n_positions][K / 2] */
    float *sine;   /* [n_positions][K / 2] */
    size_t n_positions;
} ed_rotary;

/* head_size must be even. MEMORY. */
embedd_status ed_rotary_open(ed_rotary *rotary, double theta, size_t n_positions, size_t head_size,
                             embedd_error *err);
void ed_rotary_close(ed_rotary *rotary);

#endif
