/* A product that packs its result for the next one gives the bytes that packing the result would
 * have given: at every level, in every type, in tasks of any shape, and not a byte beside them. */
#include "harness.h"

#include <string.h>

typedef struct shape {
    size_t m, n, depth;
    ed_activation activation;
} shape;

/* One product with all its memory between guard pages. */
typedef struct product {
    shape s;
    check_buffer rows, weights, bias, out, expected, packed_out, packed_rows, packed_weights;
} product;

static void product_open(product *x, const ed_gemm *g, const shape *s)
{
    *x = (product){.s = *s};
    check_fill(check_floats(&x->rows, s->m * s->depth), s->m * s->depth, 2.0f);
    check_fill(check_floats(&x->weights, s->n * s->depth), s->n * s->depth, 1.0f);
    check_fill(check_floats(&x->bias, s->n), s->n, 1.0f);
    check_floats(&x->out, s->m * s->n);
    x->expected = check_alloc(g->rows_bytes(s->m, s->n), true);
    x->packed_out = check_alloc(g->rows_bytes(s->m, s->n), true);
    x->packed_rows = check_alloc(g->rows_bytes(s->m, s->depth), true);
    x->packed_weights = check_alloc(g->weights_bytes(s->n, s->depth), true);
    g->pack_rows(x->packed_rows.data, x->rows.data, s->depth, 0, s->m, s->depth);
    g->pack_weights(x->packed_weights.data, x->weights.data, s->n, s->depth);
}

static void product_close(product *x)
{
    check_buffer *const buffers[] = {&x->rows,        &x->weights,       &x->bias,
                                     &x->out,         &x->expected,      &x->packed_out,
                                     &x->packed_rows, &x->packed_weights};

    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        check_release(buffers[i]);
}

static ed_gemm_call call_of(const product *x)
{
    return (ed_gemm_call){.rows = x->packed_rows.data,
                          .weights = x->packed_weights.data,
                          .bias = x->bias.data,
                          .n_rows = x->s.m,
                          .n_cols = x->s.n,
                          .depth = x->s.depth,
                          .row_end = x->s.m,
                          .col_end = x->s.n,
                          .activation = x->s.activation};
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Tasks of so many rows and columns; a task of the last columns goes first. */
static void run_packed(const ed_gemm *g, const product *x, size_t row_step, size_t col_step)
{
    ed_gemm_call call = call_of(x);

    call.packed_out = x->packed_out.data;
    for (size_t j = (x->s.n - 1) / col_step + 1; j-- > 0;) {
        for (size_t i = 0; i < x->s.m; i += row_step) {
            call.row_begin = i;
            call.row_end = min_size(i + row_step, x->s.m);
            call.col_begin = j * col_step;
            call.col_end = min_size((j + 1) * col_step, x->s.n);
            g->run(&call);
        }
    }
}

static void check_shape(const char *type, const ed_gemm *g, const shape *s)
{
    product x;
    ed_gemm_call call;

    product_open(&x, g, s);
    call = call_of(&x);
    call.out = x.out.data;
    call.ld_out = s->n;
    g->run(&call);
    g->pack_rows(x.expected.data, x.out.data, s->n, 0, s->m, s->n);
    for (size_t round = 0; round < 4; round++) {
        const size_t row_step = round == 0 ? s->m : g->mr * (1 + check_random(3));
        const size_t col_step = round == 0 ? s->n : g->pack_cols * (1 + check_random(3));

        memset(x.packed_out.data, 0xff, x.packed_out.n_bytes);
        run_packed(g, &x, row_step, col_step);
        check_that(memcmp(x.expected.data, x.packed_out.data, x.expected.n_bytes) == 0,
                   "%s: M %zu N %zu depth %zu in tasks of %zu x %zu", type, s->m, s->n, s->depth,
                   row_step, col_step);
    }
    product_close(&x);
}

static void check_type(const char *type, const ed_gemm *g)
{
    const size_t widths[] = {1, g->nr + 1, 128, 384, 2 * g->pack_cols, 3 * g->pack_cols + 65};

    if (g->pack_cols == 0) /* the reference level: those who ask do without */
        return;
    check_that(g->pack_cols % g->nr == 0, "%s: %zu columns are not whole panels", type,
               g->pack_cols);
    for (size_t m = 1; m <= 3 * g->mr + 1; m++) {
        const shape s = {.m = m,
                         .n = widths[m % (sizeof(widths) / sizeof(widths[0]))],
                         .depth = 1 + check_random(200),
                         .activation = m % 2 == 0 ? ED_ACTIVATION_GELU : ED_ACTIVATION_NONE};

        check_shape(type, g, &s);
    }
}

static void test_packed_as_by_pack_rows(const ed_kernels *k)
{
    check_type("f32", &k->gemm_f32);
    check_type("bf16", &k->gemm_bf16);
    check_type("int8", &k->gemm_int8);
}

int main(int argc, char **argv)
{
    static const check_test tests[] = {{"packed_as_by_pack_rows", test_packed_as_by_pack_rows}};

    return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
