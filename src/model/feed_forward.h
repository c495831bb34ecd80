/* The feed-forward block of a layer. */
#ifndef ED_FEED_FORWARD_H
#define ED_FEED_FORWARD_H

#include "model/transformer.h"

/* hidden = output_norm(hidden +
 * feed_forward_output_norm(feed_forward(feed_forward_input_norm(hidden)))) */
void ed_feed_forward_run(const ed_transformer *transformer, const ed_layer *layer,
                         ed_workspace *workspace, size_t n_tokens);

/* hidden[row_begin + i] += norm(linear(x[i])): how both blocks of a layer end. `norm` may be
 * absent; `call` has x or packed_x, and n_rows. */
void ed_linear_add(const ed_linear *linear, const ed_norm *norm, ed_workspace *workspace,
                   size_t row_begin, ed_linear_call call);

#endif
