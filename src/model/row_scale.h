/* Which channels of a product's rows are made smaller, and its weights larger, before both are
 * rounded to bytes.
 *
 * A block of a row is rounded in steps of its range, so that one large channel coarsens its whole
 * block; a column of weights likewise. W x = (W diag(s)) (diag(1/s) x) moves size from one to the
 * other. Behind a norm a channel is about as large as its gamma, so s = sqrt(|gamma| / rms(W)),
 * with the root mean square of the channel's weights, makes both equally large. Where one product's
 * rows go to query, key and value, the value's weights decide: what is lost in the other two only
 * shifts attention a little. With it blocks of 128 lose less than blocks of 64 do without. Source:
 * SmoothQuant (Xiao et al. 2023), with gamma in place of activations that were measured. */
#ifndef ED_ROW_SCALE_H
#define ED_ROW_SCALE_H

#include <stddef.h>

/* scale[depth] = 1 / s, each finite and above 0; weights[n][depth] are multiplied by s. The last
 * n_deciding rows of them decide. */
void ed_row_scale_choose(float *scale, float *weights, size_t n, size_t depth, const float *gamma,
                         size_t n_deciding);

#endif
