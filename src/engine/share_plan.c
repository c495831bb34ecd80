/* In: the lengths of a batch's texts. Out: their order, and steps. The longest text goes first, and
 * each to the thread that has least (Graham, "Bounds on multiprocessing timing anomalies", 1969):
 * the short ones at the end fill what is uneven. Never allocates. */
#include "engine/share_plan.h"

#include <stdbool.h>
#include <string.h>

/* Fewer tokens for each thread are not worth that each reads all the weights. */
#define SHARE_TOKENS_MIN 48
/* The largest share may exceed the smallest by so many, and by one part in so many of one: waiting
 * for its thread costs less than a text for all threads, who read all weights for it and wait for
 * each other at every product. */
#define UNEVEN_TOKENS_MAX 32
#define UNEVEN_PART       8

/* Tokens of a step: enough for the kernels, few enough that most of what they make stays in the
 * caches near the core, and that a fast thread finds something to take from a slow one. */
#define STEP_TOKENS 256

static void sort_by_length(ed_share_plan *plan, const embedd_row *rows, size_t n_rows,
                           size_t n_tokens);
static bool is_worth_sharing(const ed_share_plan *plan, size_t n_texts, size_t n_tokens);
static bool deal(ed_share_plan *plan, const embedd_row *rows, size_t first, size_t n_rows);
static void lay_out(ed_share_plan *plan, size_t first, size_t n_rows);
static void cut_steps(ed_share_plan *plan, const embedd_row *rows);

void ed_share_plan_make(ed_share_plan *plan, const embedd_row *rows, size_t n_rows, size_t n_tokens)
{
    size_t first = 0; /* of the texts that are shared */

    sort_by_length(plan, rows, n_rows, n_tokens);
    while (is_worth_sharing(plan, n_rows - first, n_tokens) && !deal(plan, rows, first, n_rows))
        n_tokens -= rows[plan->by_length[first++]].n_tokens;
    if (!is_worth_sharing(plan, n_rows - first, n_tokens))
        first = n_rows;
    plan->n_together = first;
    plan->n_steps = 0;
    memcpy(plan->order, plan->by_length, first * sizeof *plan->order);
    if (first < n_rows) {
        lay_out(plan, first, n_rows);
        cut_steps(plan, rows);
    }
}

/* By counting: no text is longer than all together. Texts of one length stay in their order. */
static void sort_by_length(ed_share_plan *plan, const embedd_row *rows, size_t n_rows,
                           size_t n_tokens)
{
    size_t *n_of_length = plan->n_of_length, place = 0;

    memset(n_of_length, 0, (n_tokens + 1) * sizeof *n_of_length);
    for (size_t i = 0; i < n_rows; i++)
        n_of_length[rows[i].n_tokens]++;
    for (size_t length = n_tokens + 1; length-- > 0;) { /* now: the place of the next one */
        place += n_of_length[length];
        n_of_length[length] = place - n_of_length[length];
    }
    for (size_t i = 0; i < n_rows; i++)
        plan->by_length[n_of_length[rows[i].n_tokens]++] = i;
}

static bool is_worth_sharing(const ed_share_plan *plan, size_t n_texts, size_t n_tokens)
{
    return n_texts >= 2 * plan->n_threads && n_tokens >= plan->n_threads * SHARE_TOKENS_MIN;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t emptiest_hand(const ed_share_plan *plan)
{
    size_t least = 0;

    for (size_t h = 1; h < plan->n_threads; h++)
        if (plan->hands[h].n_tokens < plan->hands[least].n_tokens)
            least = h;
    return least;
}

/* Deals by_length[first .. n_rows). False: they make uneven shares, or do not fit into a step. */
static bool deal(ed_share_plan *plan, const embedd_row *rows, size_t first, size_t n_rows)
{
    size_t n_tokens = 0, most = 0;

    if (rows[plan->by_length[first]].n_tokens > plan->step_tokens_max)
        return false;
    memset(plan->hands, 0, plan->n_threads * sizeof *plan->hands);
    for (size_t i = first; i < n_rows; i++) {
        size_t h = emptiest_hand(plan), n = rows[plan->by_length[i]].n_tokens;

        plan->hand_of[i] = h;
        plan->hands[h].n_texts++;
        plan->hands[h].n_tokens += n;
        n_tokens += n;
        most = plan->hands[h].n_tokens > most ? plan->hands[h].n_tokens : most;
    }
    return most - plan->hands[emptiest_hand(plan)].n_tokens <=
           min_size(UNEVEN_TOKENS_MAX, n_tokens / plan->n_threads / UNEVEN_PART);
}

/* The texts of each hand side by side. */
static void lay_out(ed_share_plan *plan, size_t first, size_t n_rows)
{
    for (size_t h = 0, place = first; h < plan->n_threads; h++) {
        plan->hands[h].next = plan->hands[h].end = place;
        place += plan->hands[h].n_texts;
    }
    for (size_t i = first; i < n_rows; i++)
        plan->order[plan->hands[plan->hand_of[i]].end++] = plan->by_length[i];
}

/* A hand in steps of about one size. */
static ed_share_step cut_step(const ed_share_plan *plan, ed_share_hand *hand,
                              const embedd_row *rows)
{
    const size_t n_steps = (hand->n_tokens + STEP_TOKENS - 1) / STEP_TOKENS;
    const size_t wanted = (hand->n_tokens + n_steps - 1) / n_steps, max = plan->step_tokens_max;
    ed_share_step step = {hand->next, hand->next};
    size_t n_tokens = 0;

    while (step.end < hand->end && n_tokens < wanted &&
           n_tokens + rows[plan->order[step.end]].n_tokens <= max)
        n_tokens += rows[plan->order[step.end++]].n_tokens;
    hand->next = step.end;
    hand->n_tokens -= n_tokens;
    return step;
}

static void cut_steps(ed_share_plan *plan, const embedd_row *rows)
{
    for (size_t h = 0; h < plan->n_threads; h++) {
        ed_share_hand *hand = &plan->hands[h];

        hand->step_begin = plan->n_steps;
        while (hand->next < hand->end)
            plan->steps[plan->n_steps++] = cut_step(plan, hand, rows);
        hand->step_end = plan->n_steps;
    }
}
