/* The loops over rows of floats, at every level: lengths around every vector width. */
#include "harness.h"

#include <math.h>
#include <string.h>

enum { LENGTH_MAX = 133 };

/* Two buffers of n floats, and a copy of the first, all ending at guard pages. */
typedef struct pair {
    check_buffer y, x, before;
    size_t n;
} pair;

static void pair_open(pair *p, size_t n)
{
    p->n = n;
    check_fill(check_floats(&p->y, n), n, 3.0f);
    check_fill(check_floats(&p->x, n), n, 3.0f);
    memcpy(check_floats(&p->before, n), p->y.data, n * sizeof(float));
}

static void pair_close(pair *p)
{
    check_release(&p->y);
    check_release(&p->x);
    check_release(&p->before);
}

static void check_each(const pair *p, double (*truth)(double y, double x))
{
    const float *y = p->y.data, *x = p->x.data, *before = p->before.data;

    for (size_t i = 0; i < p->n; i++) {
        const double expected = truth((double)before[i], (double)x[i]);

        check_that(fabs((double)y[i] - expected) <= 2e-6, "n %zu: [%zu] is %.9g, not %.9g", p->n, i,
                   (double)y[i], expected);
    }
}

static double true_add(double y, double x)
{
    return y + x;
}

static double true_add_scaled(double y, double x)
{
    return y + 0.75 * x;
}

static double true_max(double y, double x)
{
    return y > x ? y : x;
}

static double true_scale(double y, double x)
{
    (void)x;
    return y * 1.25;
}

static void test_add(const ed_kernels *k)
{
    for (size_t n = 1; n <= LENGTH_MAX; n++) {
        pair p;

        pair_open(&p, n);
        k->f32_add(p.y.data, p.x.data, n);
        check_each(&p, true_add);
        pair_close(&p);
    }
}

static void test_add_scaled(const ed_kernels *k)
{
    for (size_t n = 1; n <= LENGTH_MAX; n++) {
        pair p;

        pair_open(&p, n);
        k->f32_add_scaled(p.y.data, p.x.data, 0.75f, n);
        check_each(&p, true_add_scaled);
        pair_close(&p);
    }
}

static void test_max(const ed_kernels *k)
{
    for (size_t n = 1; n <= LENGTH_MAX; n++) {
        pair p;

        pair_open(&p, n);
        k->f32_max(p.y.data, p.x.data, n);
        check_each(&p, true_max);
        pair_close(&p);
    }
}

static void test_scale(const ed_kernels *k)
{
    for (size_t n = 1; n <= LENGTH_MAX; n++) {
        pair p;

        pair_open(&p, n);
        k->f32_scale(p.y.data, 1.25f, n);
        check_each(&p, true_scale);
        pair_close(&p);
    }
}

static void test_dot(const ed_kernels *k)
{
    for (size_t n = 1; n <= 1100; n += 1 + n / LENGTH_MAX) {
        double truth = 0.0, magnitude = 0.0;
        float got;
        pair p;

        pair_open(&p, n);
        got = k->f32_dot(p.x.data, p.y.data, n);
        for (size_t i = 0; i < n; i++) {
            const double term = (double)((float *)p.x.data)[i] * (double)((float *)p.y.data)[i];

            truth += term;
            magnitude += fabs(term);
        }
        check_that(fabs((double)got - truth) <= 1e-6 * magnitude, "n %zu: %.9g, not %.9g", n,
                   (double)got, truth);
        pair_close(&p);
    }
}

/* ---- layernorm ------------------------------------------------------------------------------- */

typedef struct layer {
    size_t n_rows, d, ld_x, ld_y;
    float eps;
    check_buffer x, y, gamma, beta;
} layer;

static void layer_open(layer *l, size_t n_rows, size_t d, float offset)
{
    float *x;

    *l = (layer){.n_rows = n_rows, .d = d, .ld_x = d + 3, .ld_y = d + 1, .eps = 1e-12f};
    x = check_floats(&l->x, (n_rows - 1) * l->ld_x + d);
    check_fill(x, (n_rows - 1) * l->ld_x + d, 1.0f);
    for (size_t i = 0; i < (n_rows - 1) * l->ld_x + d; i++)
        x[i] += offset;
    check_floats(&l->y, (n_rows - 1) * l->ld_y + d);
    check_fill(check_floats(&l->gamma, d), d, 1.0f);
    check_fill(check_floats(&l->beta, d), d, 1.0f);
}

static void layer_close(layer *l)
{
    const unsigned char *y = l->y.data;

    for (size_t at = 0; at < l->y.n_bytes; at++) {
        if (at / sizeof(float) % l->ld_y >= l->d)
            check_that(y[at] == 0xa5, "the gap after row %zu was written",
                       at / sizeof(float) / l->ld_y);
    }
    check_release(&l->x);
    check_release(&l->y);
    check_release(&l->gamma);
    check_release(&l->beta);
}

static void layer_run(const ed_kernels *k, layer *l)
{
    k->f32_layernorm(l->y.data, l->ld_y, l->x.data, l->ld_x, l->gamma.data, l->beta.data, l->eps,
                     l->n_rows, l->d);
}

static void check_layer(const layer *l, double tolerance)
{
    const float *gamma = l->gamma.data, *beta = l->beta.data;

    for (size_t i = 0; i < l->n_rows; i++) {
        const float *x = (const float *)l->x.data + i * l->ld_x;
        const float *y = (const float *)l->y.data + i * l->ld_y;
        double mean = 0.0, variance = 0.0;

        for (size_t c = 0; c < l->d; c++)
            mean += (double)x[c] / (double)l->d;
        for (size_t c = 0; c < l->d; c++)
            variance += ((double)x[c] - mean) * ((double)x[c] - mean) / (double)l->d;
        for (size_t c = 0; c < l->d; c++) {
            const double truth =
                ((double)x[c] - mean) / sqrt(variance + (double)l->eps) * (double)gamma[c] +
                (double)beta[c];

            check_that(fabs((double)y[c] - truth) <= tolerance,
                       "d %zu: [%zu][%zu] is %.9g, not %.9g", l->d, i, c, (double)y[c], truth);
        }
    }
}

static void test_layernorm(const ed_kernels *k)
{
    for (size_t d = 2; d <= 1100; d += 1 + d / LENGTH_MAX) {
        layer l;

        layer_open(&l, 1 + d % 4, d, 0.0f);
        layer_run(k, &l);
        check_layer(&l, d == 2 ? 1e-4 : 2e-6);
        layer_close(&l);
    }
}

/* A mean far from zero must not eat the variance, as sum of squares minus square of sums would. */
static void test_layernorm_far_from_zero(const ed_kernels *k)
{
    layer l;

    layer_open(&l, 3, 768, 1000.0f);
    layer_run(k, &l);
    check_layer(&l, 4e-6);
    layer_close(&l);
}

/* A row of equal numbers has variance 0: the result is beta, not NaN. */
static void test_layernorm_of_a_constant(const ed_kernels *k)
{
    layer l;

    layer_open(&l, 2, 384, 0.0f);
    for (size_t c = 0; c < l.x.n_bytes / sizeof(float); c++)
        ((float *)l.x.data)[c] = 0.5f;
    layer_run(k, &l);
    for (size_t c = 0; c < l.d; c++)
        check_that(((float *)l.y.data)[c] == ((float *)l.beta.data)[c], "[%zu] is %g", c,
                   (double)((float *)l.y.data)[c]);
    layer_close(&l);
}

static void test_layernorm_in_place(const ed_kernels *k)
{
    layer l;

    layer_open(&l, 4, 100, 0.0f);
    layer_run(k, &l);
    k->f32_layernorm(l.x.data, l.ld_x, l.x.data, l.ld_x, l.gamma.data, l.beta.data, l.eps, l.n_rows,
                     l.d);
    for (size_t i = 0; i < l.n_rows; i++)
        check_that(memcmp((float *)l.x.data + i * l.ld_x, (float *)l.y.data + i * l.ld_y,
                          l.d * sizeof(float)) == 0,
                   "row %zu", i);
    layer_close(&l);
}

/* The same numbers at another address and in another row give the same bits. */
static void test_bits_do_not_depend_on_the_place(const ed_kernels *k)
{
    for (size_t d = 1; d < 100; d += 7) {
        float x[200], y[200], z[200], gamma[100], beta[100];

        check_fill(x, d, 1.0f);
        check_fill(gamma, d, 1.0f);
        check_fill(beta, d, 1.0f);
        memmove(x + d, x, d * sizeof(float));
        k->f32_layernorm(y, d, x, d, gamma, beta, 1e-5f, 2, d);
        k->f32_layernorm(z + 1, d, x + d, d, gamma, beta, 1e-5f, 1, d);
        check_that(memcmp(y, y + d, d * sizeof(float)) == 0, "second row, d %zu", d);
        check_that(memcmp(y, z + 1, d * sizeof(float)) == 0, "other address, d %zu", d);
        check_that(k->f32_dot(x, gamma, d) == k->f32_dot(x + d, gamma, d), "dot, n %zu", d);
    }
}

int main(int argc, char **argv)
{
    static const check_test tests[] = {
        {"add", test_add},
        {"add_scaled", test_add_scaled},
        {"max", test_max},
        {"scale", test_scale},
        {"dot", test_dot},
        {"layernorm", test_layernorm},
        {"layernorm_far_from_zero", test_layernorm_far_from_zero},
        {"layernorm_of_a_constant", test_layernorm_of_a_constant},
        {"layernorm_in_place", test_layernorm_in_place},
        {"bits_do_not_depend_on_the_place", test_bits_do_not_depend_on_the_place},
    };

    return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
