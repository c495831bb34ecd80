/* How the texts of a batch are dealt to threads: each gets about as many tokens, cut into steps;
 * long texts that would make that uneven are left to all threads together. Arithmetic only: it
 * knows lengths, and nothing of models. */
#ifndef ED_SHARE_PLAN_H
#define ED_SHARE_PLAN_H

#include "embedd.h"

/* Places [begin, end) of the batch. */
typedef struct ed_share_step {
    size_t begin, end;
} ed_share_step;

/* What one thread is dealt: steps [step_begin, step_end), in the order to be taken. */
typedef struct ed_share_hand {
    size_t n_texts, n_tokens;
    size_t step_begin, step_end;
    size_t next, end; /* scratch: places that are still to be cut into steps */
} ed_share_hand;

/* For batches of T tokens, and so of T texts at most. The caller owns the arrays. */
typedef struct ed_share_plan {
    size_t n_threads;
    size_t step_tokens_max; /* no step has more */

    size_t *order;        /* [T]: the text at each place of the batch */
    size_t n_together;    /* places [0, n_together): all threads together */
    ed_share_step *steps; /* [T]: each by one thread alone */
    size_t n_steps;
    ed_share_hand *hands; /* [n_threads]: none has a step if n_steps is 0 */

    /* Scratch. */
    size_t *by_length;   /* [T]: texts, the longest first */
    size_t *hand_of;     /* [T]: of by_length */
    size_t *n_of_length; /* [T + 1] */
} ed_share_plan;

/* Fills order, n_together, steps, n_steps and hands for rows[n_rows], which have n_tokens in all.
 * The same rows give the same plan. */
void ed_share_plan_make(ed_share_plan *plan, const embedd_row *rows, size_t n_rows,
                        size_t n_tokens);

#endif
