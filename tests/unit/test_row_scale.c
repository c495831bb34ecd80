/* The scale between a norm and a product in bytes: the product stays, the sizes meet. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/row_scale.h"

enum { N = 6, DEPTH = 5 };

static const float gamma_values[DEPTH] = {1.0f, -0.25f, 30.0f, 0.0f, 1e-30f};

static void fill(float weights[N * DEPTH])
{
    for (int i = 0; i < N * DEPTH; i++)
        weights[i] = (float)((i * 7) % 11 - 5) * (i % DEPTH == 1 ? 8.0f : 0.5f);
    for (int i = 0; i < N; i++)
        weights[i * DEPTH + 4] = 0.0f;
}

static void test_the_product_stays(void **state)
{
    float before[N * DEPTH], weights[N * DEPTH], scale[DEPTH];

    (void)state;
    fill(before);
    fill(weights);
    ed_row_scale_choose(scale, weights, N, DEPTH, gamma_values, N);
    for (int i = 0; i < N * DEPTH; i++) {
        const float product = weights[i] * scale[i % DEPTH];

        assert_true(fabsf(product - before[i]) <= 1e-6f * fabsf(before[i]));
    }
}

/* gamma / s = s * rms(W), for channels that are there */
static void test_sizes_meet(void **state)
{
    float weights[N * DEPTH], scale[DEPTH];

    (void)state;
    fill(weights);
    ed_row_scale_choose(scale, weights, N, DEPTH, gamma_values, N);
    for (int d = 0; d < 3; d++) {
        float sum = 0;

        for (int i = 0; i < N; i++)
            sum += weights[i * DEPTH + d] * weights[i * DEPTH + d];
        assert_true(fabsf(fabsf(gamma_values[d]) * scale[d] / sqrtf(sum / N) - 1) < 1e-5f);
    }
}

static void test_no_channel_is_scaled_without_bounds(void **state)
{
    float weights[N * DEPTH] = {0}, scale[DEPTH], none[DEPTH] = {0};

    (void)state;
    ed_row_scale_choose(scale, weights, N, DEPTH, none, N);
    for (int d = 0; d < DEPTH; d++)
        assert_true(scale[d] == 1.0f);
    fill(weights);
    ed_row_scale_choose(scale, weights, N, DEPTH, gamma_values, N);
    for (int d = 0; d < DEPTH; d++)
        assert_true(scale[d] > 0.03f && scale[d] < 300.0f);
}

static void test_the_last_rows_decide(void **state)
{
    float weights[N * DEPTH], last[2 * DEPTH], scale[DEPTH], scale_of_last[DEPTH];

    (void)state;
    fill(weights);
    for (int i = 0; i < 2 * DEPTH; i++)
        last[i] = weights[(N - 2) * DEPTH + i];
    ed_row_scale_choose(scale, weights, N, DEPTH, gamma_values, 2);
    ed_row_scale_choose(scale_of_last, last, 2, DEPTH, gamma_values, 2);
    for (int d = 0; d < DEPTH; d++)
        assert_true(scale[d] == scale_of_last[d]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_product_stays),
        cmocka_unit_test(test_sizes_meet),
        cmocka_unit_test(test_no_channel_is_scaled_without_bounds),
        cmocka_unit_test(test_the_last_rows_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
