/* Activations against double precision, at every level: in place, as a gate, and fused into a
 * product. */
#include "harness.h"

#include <math.h>
#include <string.h>

static const struct named_activation {
    ed_activation activation;
    const char *name;
    double relative, absolute; /* a result may be off by the larger of the two */
} activations[] = {
    {ED_ACTIVATION_NONE, "none", 0.0, 0.0},
    {ED_ACTIVATION_GELU, "gelu", 1e-6, 1e-37},
    /* Far from zero the exponent's own rounding shows: 1e-7 of an exponent of 80. */
    {ED_ACTIVATION_GELU_TANH, "gelu_tanh", 2e-5, 2e-7},
    {ED_ACTIVATION_SILU, "silu", 1e-6, 2e-36},
    {ED_ACTIVATION_RELU, "relu", 0.0, 0.0},
    {ED_ACTIVATION_TANH, "tanh", 0.0, 2e-7},
};
enum { N_ACTIVATIONS = sizeof(activations) / sizeof(activations[0]) };

static double truth(double x, ed_activation activation)
{
    switch (activation) {
    case ED_ACTIVATION_NONE:
        return x;
    case ED_ACTIVATION_GELU:
        return 0.5 * x * erfc(-x * 0.70710678118654752440);
    case ED_ACTIVATION_GELU_TANH:
        return x / (1.0 + exp(-2.0 * 0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    case ED_ACTIVATION_SILU:
        return x / (1.0 + exp(-x));
    case ED_ACTIVATION_RELU:
        return x > 0.0 ? x : 0.0;
    case ED_ACTIVATION_TANH:
        return tanh(x);
    }
    return NAN;
}

/* Every 4099th float, which visits every exponent and both signs. */
static void test_all_floats(const ed_kernels *k)
{
    enum { BLOCK = 4096 };
    static float x[BLOCK], y[BLOCK];
    uint32_t word = 0;
    bool done = false;

    while (!done) {
        size_t n = 0;

        while (n < BLOCK && !done) {
            memcpy(&x[n], &word, sizeof(word));
            n += isfinite(x[n]) != 0;
            done = word > UINT32_MAX - 4099;
            word += 4099;
        }
        for (size_t a = 0; a < N_ACTIVATIONS; a++) {
            memcpy(y, x, sizeof(y));
            k->f32_activate(y, n, activations[a].activation);
            for (size_t i = 0; i < n; i++) {
                const double expected = truth((double)x[i], activations[a].activation);
                const double tolerance =
                    fmax(fabs(expected) * activations[a].relative, activations[a].absolute);

                check_that(fabs((double)y[i] - expected) <= tolerance, "%s(%.9g) is %.9g, not %.9g",
                           activations[a].name, (double)x[i], (double)y[i], expected);
            }
        }
    }
}

static void test_infinity_and_nan(const ed_kernels *k)
{
    for (size_t a = 0; a < N_ACTIVATIONS; a++) {
        float x[2] = {NAN, INFINITY};

        k->f32_activate(x, 2, activations[a].activation);
        check_that(isnan(x[0]), "%s(nan) is %g", activations[a].name, (double)x[0]);
        check_that(x[1] >= 1.0f, "%s(inf) is %g", activations[a].name, (double)x[1]);
    }
}

/* Lengths around every vector width, memory between guard pages; a number's result depends on
 * nothing but the number. */
static void test_every_length(const ed_kernels *k)
{
    for (size_t n = 1; n < 70; n++) {
        const ed_activation activation = activations[n % N_ACTIVATIONS].activation;
        check_buffer x, y;

        check_fill(check_floats(&x, n), n, 8.0f);
        memcpy(check_floats(&y, n), x.data, n * sizeof(float));
        k->f32_activate(y.data, n, activation);
        for (size_t i = 0; i < n; i++) {
            float alone = ((float *)x.data)[i];

            k->f32_activate(&alone, 1, activation);
            check_that(alone == ((float *)y.data)[i], "n %zu: [%zu]", n, i);
        }
        check_release(&x);
        check_release(&y);
    }
}

static void test_gate(const ed_kernels *k)
{
    for (size_t f = 1; f < 70; f++) {
        const ed_activation activation = activations[f % N_ACTIVATIONS].activation;
        const size_t n_rows = 1 + f % 3, ld = 2 * f + f % 4, n = (n_rows - 1) * ld + 2 * f;
        check_buffer before, after;
        const float *x, *y;

        x = check_floats(&before, n);
        check_fill(before.data, n, 8.0f);
        y = check_floats(&after, n);
        memcpy(after.data, x, n * sizeof(float));
        k->f32_gate(after.data, ld, n_rows, f, activation);
        for (size_t i = 0; i < n; i++) {
            float expected = x[i];

            if (i % ld < f) {
                k->f32_activate(&expected, 1, activation);
                expected *= x[i + f];
            }
            check_that(y[i] == expected, "f %zu: [%zu][%zu] is %.9g, not %.9g", f, i / ld, i % ld,
                       (double)y[i], (double)expected);
        }
        check_release(&before);
        check_release(&after);
    }
}

/* A product with an activation has the bits of the product, activated. */
static void test_fused(const ed_kernels *k)
{
    enum { M = 5, N = 37, DEPTH = 9 };
    const ed_gemm *g = &k->gemm_f32;
    check_buffer rows = check_alloc(g->rows_bytes(M, DEPTH), true);
    check_buffer weights = check_alloc(g->weights_bytes(N, DEPTH), true);
    float x[M * DEPTH], w[N * DEPTH], plain[M * N], fused[M * N];
    ed_gemm_call call = {.rows = rows.data,
                         .weights = weights.data,
                         .out = plain,
                         .ld_out = N,
                         .n_rows = M,
                         .n_cols = N,
                         .depth = DEPTH,
                         .row_end = M,
                         .col_end = N};

    check_fill(x, M * DEPTH, 2.0f);
    check_fill(w, N * DEPTH, 2.0f);
    g->pack_rows(rows.data, x, DEPTH, 0, M, DEPTH);
    g->pack_weights(weights.data, w, N, DEPTH);
    for (size_t a = 0; a < N_ACTIVATIONS; a++) {
        call.out = plain;
        call.activation = ED_ACTIVATION_NONE;
        g->run(&call);
        k->f32_activate(plain, M * N, activations[a].activation);
        call.out = fused;
        call.activation = activations[a].activation;
        g->run(&call);
        check_that(memcmp(plain, fused, sizeof(plain)) == 0, "%s", activations[a].name);
    }
    check_release(&rows);
    check_release(&weights);
}

int main(int argc, char **argv)
{
    static const check_test tests[] = {
        {"all_floats", test_all_floats},
        {"infinity_and_nan", test_infinity_and_nan},
        {"every_length", test_every_length},
        {"gate", test_gate},
        {"fused", test_fused},
    };

    return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
