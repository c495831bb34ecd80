/* GEMM against sums in double precision, at every level and in every type: values, memory, and that
 * the bits of an element depend on its row alone.
 *
 * The numbers that go in are exact in the type, so that the product must come out as close to the
 * truth as one in f32; how numbers are rounded has a test of its own. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum number_type { F32, BF16, INT8 } number_type;

enum { BYTES_BLOCK = 128 }; /* numbers that share a scale */

/* What is tested: one type's product of a level. */
typedef struct subject {
    number_type type;
    const char *name;
    const ed_gemm *gemm;
} subject;

typedef struct problem {
    size_t m, n, depth;
    bool bias, residual, in_place; /* in_place: the residual is `out` itself */
    ed_activation activation;
    float magnitude;
} problem;

/* One product with all its memory between guard pages. */
typedef struct product {
    problem p;
    size_t ld_rows, ld_out, ld_residual;
    check_buffer rows, weights, bias, residual, out, packed_rows, packed_weights;
} product;

static void product_open(product *x, const subject *s, const problem *p);
static void product_close(product *x);
static ed_gemm_call product_call(const product *x);
static const float *product_row(const product *x, size_t i);
static void make_exact(number_type type, float *line, size_t depth, bool is_row);

/* ---- values ---------------------------------------------------------------------------------- */

static double gelu(double x)
{
    return 0.5 * x * erfc(-x * 0.70710678118654752440);
}

/* How far GELU may be from the truth: what is rounded afterwards may be coarser. */
static double gelu_tolerance(number_type type, double x)
{
    return type == F32 ? 1e-6 * fabs(gelu(x)) : 5e-6 + 1e-6 * fabs(x);
}

/* The true element, and how far rounding may move it: at most depth + 2 roundings of numbers no
 * larger than the sum of magnitudes, and GELU's own error. Rows of bytes count from their minimum,
 * which makes the sums larger before they cancel. */
static double true_element(const subject *s, const product *x, size_t i, size_t j,
                           double *tolerance)
{
    const float *weights = x->weights.data;
    double sum = 0.0, magnitude = 0.0;

    for (size_t d = 0; d < x->p.depth; d++) {
        const double term = (double)product_row(x, i)[d] * (double)weights[j * x->p.depth + d];

        sum += term;
        magnitude += fabs(term);
    }
    if (x->p.bias) {
        sum += (double)((float *)x->bias.data)[j];
        magnitude += fabs((double)((float *)x->bias.data)[j]);
    }
    if (s->type == INT8)
        magnitude *= 4.0;
    *tolerance = ((double)x->p.depth + 2.0) * 0x1p-24 * magnitude;
    if (x->p.activation == ED_ACTIVATION_GELU) {
        *tolerance = *tolerance * 1.13 + gelu_tolerance(s->type, sum); /* |gelu'| <= 1.13 */
        sum = gelu(sum);
    }
    if (x->p.residual || x->p.in_place) {
        sum += (double)((float *)x->residual.data)[i * x->ld_residual + j];
        *tolerance += 0x1p-23 * fabs(sum);
    }
    return sum;
}

static void check_values(const subject *s, const product *x, const char *what)
{
    const float *out = x->out.data;

    for (size_t i = 0; i < x->p.m; i++) {
        for (size_t j = 0; j < x->p.n; j++) {
            double tolerance;
            const double truth = true_element(s, x, i, j, &tolerance);
            const double got = (double)out[i * x->ld_out + j];

            check_that(fabs(got - truth) <= tolerance + 1e-37,
                       "%s, %s: M %zu N %zu depth %zu: [%zu][%zu] is %.9g, not %.9g", s->name, what,
                       x->p.m, x->p.n, x->p.depth, i, j, got, truth);
        }
    }
}

static void run_whole(const subject *s, product *x)
{
    ed_gemm_call call = product_call(x);

    s->gemm->pack_rows(x->packed_rows.data, x->rows.data, x->ld_rows, 0, x->p.m, x->p.depth);
    s->gemm->run(&call);
}

static void check_problem(const subject *s, const problem *p, const char *what)
{
    product x;

    product_open(&x, s, p);
    run_whole(s, &x);
    check_values(s, &x, what);
    product_close(&x);
}

static void sizes_around_the_tile(const subject *s)
{
    const size_t mr = s->gemm->mr, nr = s->gemm->nr;
    const size_t depths[] = {1, 2, 3, 5, 8, 31};

    for (size_t m = 1; m <= 2 * mr + 1; m++) {
        const size_t widths[] = {1, nr - 1, nr, nr + 1, 2 * nr, 3 * nr + 1, 4 * nr, 7 * nr - 1};

        for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
            const problem p = {.m = m,
                               .n = widths[w] == 0 ? 1 : widths[w],
                               .depth = depths[(m + w) % (sizeof(depths) / sizeof(depths[0]))],
                               .bias = w % 2 == 0,
                               .residual = m % 3 == 0,
                               .magnitude = 2.0f};

            check_problem(s, &p, "around the tile");
        }
    }
}

static void random_sizes(const subject *s)
{
    for (int i = 0; i < 60; i++) {
        const problem p = {
            .m = 1 + check_random(70),
            .n = 1 + check_random(140),
            .depth = 1 + check_random(300),
            .bias = check_random(2) == 0,
            .residual = check_random(2) == 0,
            .in_place = check_random(3) == 0,
            .activation = check_random(2) == 0 ? ED_ACTIVATION_GELU : ED_ACTIVATION_NONE,
            .magnitude = 1.0f};

        check_problem(s, &p, "random");
    }
}

static void model_sizes(const subject *s)
{
    const problem problems[] = {
        {.m = 7, .n = 96, .depth = 3072, .bias = true, .in_place = true, .magnitude = 1.0f},
        {.m = 40, .n = 96, .depth = 768, .bias = true, .magnitude = 1.0f},
        {.m = 1, .n = 384, .depth = 384, .bias = true, .magnitude = 1.0f},
    };

    for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++)
        check_problem(s, &problems[i], "model size");
}

/* ---- one row, the same bits everywhere ------------------------------------------------------- */

/* The same row alone, first, last and in the middle of products of many sizes. */
static void bits_do_not_depend_on_the_place(const subject *s)
{
    const size_t mr = s->gemm->mr, nr = s->gemm->nr;
    const problem p = {.m = 3 * mr + 2,
                       .n = 9 * nr + 3,
                       .depth = 77,
                       .bias = true,
                       .activation = ED_ACTIVATION_GELU,
                       .magnitude = 1.0f};
    product x;
    float *first;

    product_open(&x, s, &p);
    for (size_t i = 1; i < p.m; i++)
        memcpy((float *)x.rows.data + i * x.ld_rows, x.rows.data, p.depth * sizeof(float));
    first = calloc(p.n, sizeof(float));
    for (size_t m = 1; m <= p.m; m++) {
        const float *out = x.out.data;

        x.p.m = m;
        run_whole(s, &x);
        if (m == 1)
            memcpy(first, out, p.n * sizeof(float));
        for (size_t i = 0; i < m; i++)
            check_that(memcmp(first, out + i * x.ld_out, p.n * sizeof(float)) == 0,
                       "%s: row %zu of %zu differs from the row alone", s->name, i, m);
    }
    free(first);
    x.p.m = p.m;
    product_close(&x);
}

/* A product in tasks of any shape, with rows packed in parts, gives the bits of the whole. */
static void bits_do_not_depend_on_the_split(const subject *s)
{
    const ed_gemm *g = s->gemm;
    const problem p = {.m = 5 * g->mr + 1,
                       .n = 11 * g->nr - 1,
                       .depth = 130,
                       .bias = true,
                       .residual = true,
                       .magnitude = 1.0f};
    product x;
    float *whole;
    size_t out_bytes;

    product_open(&x, s, &p);
    run_whole(s, &x);
    out_bytes = x.out.n_bytes;
    whole = malloc(out_bytes);
    memcpy(whole, x.out.data, out_bytes);
    for (int round = 0; round < 20; round++) {
        const size_t row_step = g->mr * (1 + check_random(3));
        const size_t col_step = g->nr * (1 + check_random(6));

        for (size_t i = 0; i < p.m; i++)
            memset((float *)x.out.data + i * x.ld_out, 0, p.n * sizeof(float));
        memset(x.packed_rows.data, 0xff, x.packed_rows.n_bytes);
        for (size_t i = 0; i < p.m; i += row_step) {
            const size_t end = i + row_step < p.m ? i + row_step : p.m;

            g->pack_rows(x.packed_rows.data, (float *)x.rows.data + 0, x.ld_rows, i, end, p.depth);
        }
        for (size_t i = 0; i < p.m; i += row_step) {
            for (size_t j = 0; j < p.n; j += col_step) {
                ed_gemm_call call = product_call(&x);

                call.row_begin = i;
                call.row_end = i + row_step < p.m ? i + row_step : p.m;
                call.col_begin = j;
                call.col_end = j + col_step < p.n ? j + col_step : p.n;
                g->run(&call);
            }
        }
        check_that(memcmp(whole, x.out.data, out_bytes) == 0, "%s: tasks of %zu x %zu", s->name,
                   row_step, col_step);
    }
    free(whole);
    product_close(&x);
}

/* ---- rounding -------------------------------------------------------------------------------- */

/* How far a number may lie from what it is rounded to: half a unit of bf16's eight digits, or half
 * a step of its block, filled up with zeros. */
static double rounding_of(number_type type, const float *line, size_t depth, size_t at, bool is_row)
{
    const size_t begin = at / BYTES_BLOCK * BYTES_BLOCK;
    const size_t end = begin + BYTES_BLOCK < depth ? begin + BYTES_BLOCK : depth;
    float min = end - begin < BYTES_BLOCK ? 0.0f : line[begin], max = min;

    for (size_t i = begin; i < end; i++) {
        min = fminf(min, line[i]);
        max = fmaxf(max, line[i]);
    }
    switch (type) {
    case F32:
        return 0.0;
    case BF16:
        return 0x1.01p-8 * fabs((double)line[at]);
    case INT8:
        return 0.5001 * (is_row ? (double)(max - min) / 255.0 : (double)fmaxf(max, -min) / 127.0);
    }
    return 0.0;
}

/* Any numbers: each product is off by what its factors are rounded by, at most. Tiny and large
 * blocks stand in one line, and one of zeros. */
static void rounded_numbers(const subject *s)
{
    const size_t m = 9, n = 37, depth = 3 * BYTES_BLOCK + 8;
    product x;

    product_open(&x, s, &(problem){.m = m, .n = n, .depth = depth, .magnitude = 1.0f});
    for (size_t i = 0; i < m; i++) {
        float *row = (float *)x.rows.data + i * x.ld_rows;

        check_fill(row, BYTES_BLOCK, 1e-3f);
        check_fill(row + BYTES_BLOCK, BYTES_BLOCK, 50.0f);
        memset(row + 2 * BYTES_BLOCK, 0, BYTES_BLOCK * sizeof(float));
        check_fill(row + 3 * BYTES_BLOCK, 8, 1e-36f);
    }
    check_fill(x.weights.data, n * depth, 0.3f);
    s->gemm->pack_weights(x.packed_weights.data, x.weights.data, n, depth);
    run_whole(s, &x);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            const float *row = product_row(&x, i), *weights = (float *)x.weights.data + j * depth;
            const double got = (double)((float *)x.out.data)[i * x.ld_out + j];
            double truth, tolerance;

            truth = true_element(s, &x, i, j, &tolerance);
            for (size_t d = 0; d < depth; d++) {
                const double a = rounding_of(s->type, row, depth, d, true);
                const double b = rounding_of(s->type, weights, depth, d, false);

                tolerance += a * fabs((double)weights[d]) + b * fabs((double)row[d]) + a * b;
            }
            check_that(fabs(got - truth) <= tolerance + 1e-33, "%s: [%zu][%zu] is %.9g, not %.9g",
                       s->name, i, j, got, truth);
        }
    }
    product_close(&x);
}

/* Bytes whose scales are 1 and minimum 0: an element is the whole number that its bytes make, to
 * the last bit and at every level, the largest in size included. */
static void test_sums_of_bytes_are_exact(const ed_kernels *k)
{
    const subject s = {INT8, "int8", &k->gemm_int8};
    const size_t m = 2 * s.gemm->mr + 1, n = 2 * s.gemm->nr + 1;
    const size_t depth = 3 * BYTES_BLOCK;
    product x;

    product_open(&x, &s, &(problem){.m = m, .n = n, .depth = depth, .magnitude = 1.0f});
    for (size_t i = 0; i < m; i++) {
        float *row = (float *)x.rows.data + i * x.ld_rows;

        for (size_t d = 0; d < depth; d++)
            row[d] = d % BYTES_BLOCK == 63                ? 0.0f
                     : d % BYTES_BLOCK == 0 || i % 3 == 0 ? 255.0f
                                                          : (float)check_random(256);
    }
    for (size_t j = 0; j < n; j++) {
        float *weights = (float *)x.weights.data + j * depth;

        for (size_t d = 0; d < depth; d++)
            weights[d] = d % BYTES_BLOCK == 0 || j % 3 == 0 ? (j % 2 == 0 ? 127.0f : -127.0f)
                                                            : (float)check_random(255) - 127.0f;
    }
    s.gemm->pack_weights(x.packed_weights.data, x.weights.data, n, depth);
    run_whole(&s, &x);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            const float *row = product_row(&x, i), *weights = (float *)x.weights.data + j * depth;
            const float got = ((float *)x.out.data)[i * x.ld_out + j];
            int32_t truth = 0;

            for (size_t d = 0; d < depth; d++)
                truth += (int32_t)row[d] * (int32_t)weights[d];
            check_that(got == (float)truth, "[%zu][%zu] is %.9g, not %d", i, j, (double)got, truth);
        }
    }
    product_close(&x);
}

/* Whole sums of blocks are exact and those of blocks have one order, so that all levels agree to
 * the last bit; but the reference, which rounds each product before it is added. */
static void test_bytes_give_the_same_bits_at_every_level(const ed_kernels *k)
{
    const subject s = {INT8, "int8", &k->gemm_int8};
    product x;

    if (strcmp(k->level, "ref") == 0)
        return;
    product_open(&x, &s, &(problem){.m = 17, .n = 37, .depth = 200, .magnitude = 1.0f});
    check_fill(x.rows.data, x.rows.n_bytes / sizeof(float), 3.0f);
    check_fill(x.weights.data, x.weights.n_bytes / sizeof(float), 0.2f);
    s.gemm->pack_weights(x.packed_weights.data, x.weights.data, x.p.n, x.p.depth);
    run_whole(&s, &x);
    for (const char *const *level = ed_kernels_levels() + 1; *level != NULL; level++) {
        ed_kernels other;
        embedd_error err;
        product y = x;
        subject t = {INT8, "int8", &other.gemm_int8};

        check_that(ed_kernels_open(&other, *level, &err) == EMBEDD_OK, "%s", *level);
        y.packed_rows = check_alloc(t.gemm->rows_bytes(x.p.m, x.p.depth), true);
        y.packed_weights = check_alloc(t.gemm->weights_bytes(x.p.n, x.p.depth), true);
        check_floats(&y.out, (x.p.m - 1) * x.ld_out + x.p.n);
        t.gemm->pack_weights(y.packed_weights.data, y.weights.data, y.p.n, y.p.depth);
        run_whole(&t, &y);
        check_that(memcmp(x.out.data, y.out.data, x.out.n_bytes) == 0, "%s differs from %s",
                   k->level, *level);
        check_release(&y.out);
        check_release(&y.packed_rows);
        check_release(&y.packed_weights);
    }
    product_close(&x);
}

/* A row with a NaN or an infinity shows it, and leaves its neighbours alone. */
static void what_is_not_finite_shows(const subject *s)
{
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    const size_t m = 5, n = 19, depth = 150;

    for (size_t b = 0; b < 4; b++) {
        product x;

        product_open(&x, s, &(problem){.m = m, .n = n, .depth = depth, .magnitude = 1.0f});
        ((float *)x.rows.data)[2 * x.ld_rows + 140] = bad[b];
        run_whole(s, &x);
        for (size_t i = 0; i < m; i++) {
            for (size_t j = 0; j < n; j++) {
                const float got = ((float *)x.out.data)[i * x.ld_out + j];

                check_that(!isfinite(got) == (i == 2), "%s, %g: [%zu][%zu] is %g", s->name,
                           (double)bad[b], i, j, (double)got);
            }
        }
        product_close(&x);
    }
}

/* Rows packed with a scale are the products of both, packed. */
static void test_scaled_rows(const ed_kernels *k)
{
    const ed_gemm *g = &k->gemm_int8;
    const size_t m = 2 * g->mr + 1, depth = BYTES_BLOCK + 5, n_bytes = g->rows_bytes(m, depth);
    check_buffer rows = check_alloc(m * depth * sizeof(float), true);
    check_buffer scale = check_alloc(depth * sizeof(float), true);
    check_buffer packed = check_alloc(n_bytes, true), expected = check_alloc(n_bytes, true);
    float *x = rows.data;

    check_fill(x, m * depth, 2.0f);
    check_fill(scale.data, depth, 3.0f);
    memset(packed.data, 0, n_bytes);
    memset(expected.data, 0, n_bytes);
    g->pack_scaled_rows(packed.data, x, depth, 0, m, depth, scale.data);
    for (size_t i = 0; i < m * depth; i++)
        x[i] *= ((float *)scale.data)[i % depth];
    g->pack_rows(expected.data, x, depth, 0, m, depth);
    check_that(memcmp(packed.data, expected.data, n_bytes) == 0, "not the scaled rows");
    check_release(&rows);
    check_release(&scale);
    check_release(&packed);
    check_release(&expected);
}

/* ---- GELU ------------------------------------------------------------------------------------ */

/* GELU of any float, through a product of depth 1 whose weights are 1. */
static void gelu_of(const ed_gemm *g, const float *x, float *y, size_t n)
{
    const float one = 1.0f;
    check_buffer rows = check_alloc(g->rows_bytes(1, 1), true);
    check_buffer weights = check_alloc(g->weights_bytes(n, 1), true);
    const ed_gemm_call call = {.rows = rows.data,
                               .weights = weights.data,
                               .out = y,
                               .ld_out = n,
                               .n_rows = 1,
                               .n_cols = n,
                               .depth = 1,
                               .row_end = 1,
                               .col_end = n,
                               .activation = ED_ACTIVATION_GELU};

    g->pack_rows(rows.data, &one, 1, 0, 1, 1);
    g->pack_weights(weights.data, x, n, 1);
    g->run(&call);
    check_release(&rows);
    check_release(&weights);
}

/* Every 4099th float, which visits every exponent and both signs. Under 1e-37 only the distance
 * counts. */
static void test_gelu_of_all_floats(const ed_kernels *k)
{
    enum { BLOCK = 4096 };
    static float x[BLOCK], y[BLOCK];
    double worst = 0.0, worst_at = 0.0;
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
        gelu_of(&k->gemm_f32, x, y, n);
        for (size_t i = 0; i < n; i++) {
            const double truth = gelu((double)x[i]);
            const double distance = fabs((double)y[i] - truth);
            const double error = distance <= 1e-37 ? 0.0 : distance / fabs(truth);

            if (!(error <= worst)) {
                worst = error;
                worst_at = (double)x[i];
            }
        }
    }
    check_that(worst <= 1e-6, "gelu(%.9g) is wrong by %.3g of it", worst_at, worst);
}

/* Every bf16. */
static void test_gelu_of_all_bf16(const ed_kernels *k)
{
    enum { BLOCK = 4096 };
    static float x[BLOCK], y[BLOCK];

    for (uint32_t upper = 0; upper < 0x10000;) {
        size_t n = 0;

        for (; n < BLOCK && upper < 0x10000; upper++) {
            const uint32_t word = upper << 16;

            memcpy(&x[n], &word, sizeof(word));
            n += isfinite(x[n]) != 0;
        }
        gelu_of(&k->gemm_bf16, x, y, n);
        for (size_t i = 0; i < n; i++) {
            const double error = fabs((double)y[i] - gelu((double)x[i]));

            check_that(error <= gelu_tolerance(BF16, (double)x[i]), "gelu(%.9g) is %.9g",
                       (double)x[i], (double)y[i]);
        }
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void product_open(product *x, const subject *s, const problem *p)
{
    const ed_gemm *g = s->gemm;

    *x = (product){.p = *p,
                   .ld_rows = p->depth + check_random(4),
                   .ld_out = p->n + check_random(4),
                   .ld_residual = p->n + check_random(4)};
    if (p->in_place)
        x->ld_residual = x->ld_out;
    check_fill(check_floats(&x->rows, (p->m - 1) * x->ld_rows + p->depth),
               (p->m - 1) * x->ld_rows + p->depth, p->magnitude);
    check_fill(check_floats(&x->weights, p->n * p->depth), p->n * p->depth, p->magnitude);
    for (size_t i = 0; i < p->m; i++)
        make_exact(s->type, (float *)x->rows.data + i * x->ld_rows, p->depth, true);
    for (size_t j = 0; j < p->n; j++)
        make_exact(s->type, (float *)x->weights.data + j * p->depth, p->depth, false);
    check_fill(check_floats(&x->bias, p->n), p->n, p->magnitude);
    check_fill(check_floats(&x->residual, (p->m - 1) * x->ld_residual + p->n),
               (p->m - 1) * x->ld_residual + p->n, p->magnitude);
    check_floats(&x->out, (p->m - 1) * x->ld_out + p->n);
    if (p->in_place)
        memcpy(x->out.data, x->residual.data, x->out.n_bytes);
    x->packed_rows = check_alloc(g->rows_bytes(p->m, p->depth), true);
    x->packed_weights = check_alloc(g->weights_bytes(p->n, p->depth), true);
    g->pack_weights(x->packed_weights.data, x->weights.data, p->n, p->depth);
}

/* Between the rows of `out` nothing may have been written: there is the pattern, or in place the
 * residual. */
static void check_gaps(const product *x)
{
    const unsigned char *out = x->out.data;
    const unsigned char *residual = x->residual.data;

    for (size_t at = 0; at < x->out.n_bytes; at++) {
        const unsigned char before = x->p.in_place ? residual[at] : 0xa5;

        if (at / sizeof(float) % x->ld_out >= x->p.n)
            check_that(out[at] == before, "the gap after row %zu of out was written",
                       at / sizeof(float) / x->ld_out);
    }
}

static void product_close(product *x)
{
    check_gaps(x);
    check_release(&x->rows);
    check_release(&x->weights);
    check_release(&x->bias);
    check_release(&x->residual);
    check_release(&x->out);
    check_release(&x->packed_rows);
    check_release(&x->packed_weights);
}

static ed_gemm_call product_call(const product *x)
{
    return (ed_gemm_call){.rows = x->packed_rows.data,
                          .weights = x->packed_weights.data,
                          .bias = x->p.bias ? x->bias.data : NULL,
                          .residual = x->p.in_place   ? x->out.data
                                      : x->p.residual ? x->residual.data
                                                      : NULL,
                          .out = x->out.data,
                          .ld_residual = x->ld_residual,
                          .ld_out = x->ld_out,
                          .n_rows = x->p.m,
                          .n_cols = x->p.n,
                          .depth = x->p.depth,
                          .row_end = x->p.m,
                          .col_end = x->p.n,
                          .activation = x->p.activation};
}

static const float *product_row(const product *x, size_t i)
{
    return (const float *)x->rows.data + i * x->ld_rows;
}

/* Replaces the numbers of a line by such as the type has: bf16 by cutting digits off, int8 by whole
 * multiples of a power of two, of which each block has as many as the type has steps. (The last
 * block is filled up with zeros, so that one number alone must be all the way from there.) */
static void make_exact(number_type type, float *line, size_t depth, bool is_row)
{
    for (size_t i = 0; i < depth; i++) {
        uint32_t bits;

        memcpy(&bits, &line[i], sizeof(bits));
        bits &= 0xffff0000u;
        if (type == BF16)
            memcpy(&line[i], &bits, sizeof(bits));
    }
    for (size_t begin = 0; type == INT8 && begin < depth; begin += BYTES_BLOCK) {
        const size_t n = depth - begin < BYTES_BLOCK ? depth - begin : BYTES_BLOCK;
        const float scale = ldexpf(1.0f, -3 - (int)check_random(8));
        const size_t at = check_random((uint32_t)n);

        for (size_t i = begin; i < begin + n; i++)
            line[i] = scale * (float)((int)check_random(255) - 127);
        line[begin + at] = scale * 127.0f;
        if (is_row && n == 1)
            line[begin] = scale * (check_random(2) == 0 ? 255.0f : -255.0f);
        else if (is_row)
            line[begin + (at + 1) % n] = scale * -128.0f;
        else if (check_random(2) == 0)
            line[begin + at] = scale * -127.0f;
    }
}

/* ---- every type ------------------------------------------------------------------------------ */

static void each_type(const ed_kernels *k, void (*run)(const subject *s))
{
    const subject subjects[] = {
        {F32, "f32", &k->gemm_f32}, {BF16, "bf16", &k->gemm_bf16}, {INT8, "int8", &k->gemm_int8}};

    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        run(&subjects[i]);
}

static void test_sizes_around_the_tile(const ed_kernels *k)
{
    each_type(k, sizes_around_the_tile);
}

static void test_random_sizes(const ed_kernels *k)
{
    each_type(k, random_sizes);
}

static void test_model_sizes(const ed_kernels *k)
{
    each_type(k, model_sizes);
}

static void test_rounded_numbers(const ed_kernels *k)
{
    each_type(k, rounded_numbers);
}

static void test_what_is_not_finite_shows(const ed_kernels *k)
{
    each_type(k, what_is_not_finite_shows);
}

static void test_bits_do_not_depend_on_the_place(const ed_kernels *k)
{
    each_type(k, bits_do_not_depend_on_the_place);
}

static void test_bits_do_not_depend_on_the_split(const ed_kernels *k)
{
    each_type(k, bits_do_not_depend_on_the_split);
}

int main(int argc, char **argv)
{
    static const check_test tests[] = {
        {"sizes_around_the_tile", test_sizes_around_the_tile},
        {"random_sizes", test_random_sizes},
        {"model_sizes", test_model_sizes},
        {"rounded_numbers", test_rounded_numbers},
        {"sums_of_bytes_are_exact", test_sums_of_bytes_are_exact},
        {"bytes_give_the_same_bits_at_every_level", test_bytes_give_the_same_bits_at_every_level},
        {"what_is_not_finite_shows", test_what_is_not_finite_shows},
        {"bits_do_not_depend_on_the_place", test_bits_do_not_depend_on_the_place},
        {"bits_do_not_depend_on_the_split", test_bits_do_not_depend_on_the_split},
        {"scaled_rows", test_scaled_rows},
        {"gelu_of_all_floats", test_gelu_of_all_floats},
        {"gelu_of_all_bf16", test_gelu_of_all_bf16},
    };

    return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
