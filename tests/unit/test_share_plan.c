/* The deal of a batch: every text once, no step too large, shares even, the same each time. */
#include "engine/share_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TOKENS_MAX = 2048, THREADS_MAX = 16, STEP_MAX = 512 };

typedef struct table {
    embedd_row rows[TOKENS_MAX];
    size_t n_rows, n_tokens;
    size_t order[TOKENS_MAX], by_length[TOKENS_MAX], hand_of[TOKENS_MAX];
    size_t n_of_length[TOKENS_MAX + 1];
    ed_share_step steps[TOKENS_MAX];
    ed_share_hand hands[THREADS_MAX];
    ed_share_plan plan;
} table;

static table the_table; /* too large for a stack */

static table *lay(size_t n_threads)
{
    table *t = &the_table;

    memset(t, 0, sizeof *t);
    t->plan = (ed_share_plan){.n_threads = n_threads,
                              .step_tokens_max = STEP_MAX,
                              .order = t->order,
                              .steps = t->steps,
                              .hands = t->hands,
                              .by_length = t->by_length,
                              .hand_of = t->hand_of,
                              .n_of_length = t->n_of_length};
    return t;
}

static void add_texts(table *t, size_t n, size_t n_tokens)
{
    for (size_t i = 0; i < n; i++, t->n_tokens += n_tokens)
        t->rows[t->n_rows++].n_tokens = n_tokens;
}

static size_t tokens_in(const table *t, size_t begin, size_t end)
{
    size_t n = 0;

    for (size_t place = begin; place < end; place++)
        n += t->rows[t->order[place]].n_tokens;
    return n;
}

/* Each step is in one hand, and no hand has much more than another. */
static void check_hands(const table *t)
{
    const ed_share_plan *plan = &t->plan;
    size_t step = 0, least = SIZE_MAX, most = 0;

    for (size_t h = 0; h < plan->n_threads; h++) {
        const ed_share_hand *hand = &plan->hands[h];
        size_t n = 0;

        assert_int_equal(hand->step_begin, step);
        for (; step < hand->step_end; step++)
            n += tokens_in(t, plan->steps[step].begin, plan->steps[step].end);
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    assert_int_equal(step, plan->n_steps);
    assert_true(most - least <= 32);
}

static void check_plan(table *t)
{
    const ed_share_plan *plan = &t->plan;
    bool seen[TOKENS_MAX] = {false}, covered[TOKENS_MAX] = {false};

    ed_share_plan_make(&t->plan, t->rows, t->n_rows, t->n_tokens);
    for (size_t place = 0; place < t->n_rows; place++) {
        assert_true(plan->order[place] < t->n_rows);
        assert_false(seen[plan->order[place]]);
        seen[plan->order[place]] = true;
        covered[place] = place < plan->n_together;
    }
    for (size_t s = 0; s < plan->n_steps; s++) {
        assert_true(plan->steps[s].begin < plan->steps[s].end);
        assert_true(tokens_in(t, plan->steps[s].begin, plan->steps[s].end) <= STEP_MAX);
        for (size_t place = plan->steps[s].begin; place < plan->steps[s].end; place++) {
            assert_false(covered[place]);
            covered[place] = true;
        }
    }
    for (size_t place = 0; place < t->n_rows; place++)
        assert_true(covered[place]);
    if (plan->n_steps > 0)
        check_hands(t);
}

static size_t tokens_together(table *t)
{
    check_plan(t);
    return tokens_in(t, 0, t->plan.n_together);
}

static void test_texts_of_one_length(void **state)
{
    table *t = lay(2);

    (void)state;
    add_texts(t, 16, 128);
    assert_int_equal(tokens_together(t), 0);
    assert_int_equal(t->plan.n_steps, 8);
    t = lay(2); /* an odd one out is everybody's */
    add_texts(t, 13, 128);
    assert_int_equal(tokens_together(t), 128);
    assert_int_equal(t->plan.n_steps, 6);
}

static void test_what_is_not_worth_sharing(void **state)
{
    table *t = lay(2);

    (void)state;
    check_plan(t); /* no text at all */
    assert_int_equal(t->plan.n_steps, 0);
    add_texts(t, 1, 20);
    assert_int_equal(tokens_together(t), 20);
    t = lay(2);
    add_texts(t, 3, 400);
    assert_int_equal(tokens_together(t), 1200);
    t = lay(16);
    add_texts(t, 60, 12);
    assert_int_equal(tokens_together(t), 720);
}

static void test_long_texts_among_short_ones(void **state)
{
    table *t = lay(2);

    (void)state;
    add_texts(t, 20, 20);
    add_texts(t, 1, STEP_MAX + 1); /* does not fit into a step */
    assert_int_equal(tokens_together(t), STEP_MAX + 1);
    assert_int_equal(t->order[0], 20);
    t = lay(2);
    add_texts(t, 40, 10);
    add_texts(t, 1, 400); /* what one thread gains by it, the other gets in short ones */
    assert_int_equal(tokens_together(t), 0);
}

static void test_one_thread_shares_with_nobody(void **state)
{
    table *t = lay(1);

    (void)state;
    add_texts(t, 30, 60);
    assert_int_equal(tokens_together(t), 0);
    assert_int_equal(t->plan.n_steps, 8);
}

static void test_random_lengths(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (size_t round = 0; round < 400; round++) {
        table *t = lay(1 + round % THREADS_MAX);
        size_t longest = 1 + round * 7 % 700;

        for (size_t n = 0; t->n_tokens + longest <= TOKENS_MAX && n < round * 5; n++) {
            random = random * 1664525u + 1013904223u;
            add_texts(t, 1, 1 + (random >> 8) % longest);
        }
        check_plan(t);
        ed_share_plan first = t->plan;
        size_t order[TOKENS_MAX];
        memcpy(order, t->order, sizeof order);
        check_plan(t);
        assert_int_equal(first.n_steps, t->plan.n_steps);
        assert_memory_equal(order, t->order, sizeof order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_one_length),
        cmocka_unit_test(test_what_is_not_worth_sharing),
        cmocka_unit_test(test_long_texts_among_short_ones),
        cmocka_unit_test(test_one_thread_shares_with_nobody),
        cmocka_unit_test(test_random_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
