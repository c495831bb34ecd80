/* Attention against double precision, at every level. */
#include "harness.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The slot that is checked: attention beside narrower weights, which may round to bf16. */
static bool narrow;

/* One head of one text with all its memory between guard pages. q, k and v lie in one matrix, as
 * the product of the fused weights leaves them. */
typedef struct head {
    size_t n, size, ld_qkv, ld_out;
    bool with_bias;
    size_t reach_back, reach_ahead;
    float scale;
    check_buffer qkv, bias, out, scratch;
} head;

static void round_bf16(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &x[i], sizeof(bits));
        bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
        memcpy(&x[i], &bits, sizeof(bits));
    }
}

static void head_open(head *h, const ed_kernels *k, size_t n, size_t size, float magnitude)
{
    h->n = n;
    h->size = size;
    h->ld_qkv = 3 * size + check_random(3);
    h->ld_out = size + check_random(3);
    h->with_bias = check_random(2) == 0;
    h->reach_back = h->reach_ahead = SIZE_MAX;
    h->scale = 1.0f / sqrtf((float)size);
    check_fill(check_floats(&h->qkv, (n - 1) * h->ld_qkv + 3 * size),
               (n - 1) * h->ld_qkv + 3 * size, magnitude);
    check_fill(check_floats(&h->bias, 2 * n - 1), 2 * n - 1, magnitude);
    if (narrow) /* so that only the weights and the scaled q are rounded */
        round_bf16(h->qkv.data, (n - 1) * h->ld_qkv + 3 * size);
    check_floats(&h->out, (n - 1) * h->ld_out + size);
    h->scratch = check_alloc(k->attention_scratch_bytes(n, size), true);
}

static void head_close(head *h)
{
    const unsigned char *out = h->out.data;

    for (size_t at = 0; at < h->out.n_bytes; at++) {
        if (at / sizeof(float) % h->ld_out >= h->size)
            check_that(out[at] == 0xa5, "the gap after row %zu of out was written",
                       at / sizeof(float) / h->ld_out);
    }
    check_release(&h->qkv);
    check_release(&h->bias);
    check_release(&h->out);
    check_release(&h->scratch);
}

static ed_attention_call head_call(const head *h)
{
    const float *qkv = h->qkv.data;

    return (ed_attention_call){
        .q = qkv,
        .k = qkv + h->size,
        .v = qkv + 2 * h->size,
        .ld_qkv = h->ld_qkv,
        .bias = h->with_bias ? (const float *)h->bias.data + (h->n - 1) : NULL,
        .scale = h->scale,
        .n_tokens = h->n,
        .head_size = h->size,
        .reach_back = h->reach_back,
        .reach_ahead = h->reach_ahead,
        .out = h->out.data,
        .ld_out = h->ld_out,
        .scratch = h->scratch.data};
}

static void head_run(const head *h, const ed_kernels *k)
{
    const ed_attention_call call = head_call(h);

    (narrow ? k->bf16_attention : k->f32_attention)(&call);
}

static double score(const head *h, size_t i, size_t j)
{
    const float *q = (const float *)h->qkv.data + i * h->ld_qkv;
    const float *key = (const float *)h->qkv.data + j * h->ld_qkv + h->size;
    double sum = 0.0;

    if ((j < i && i - j > h->reach_back) || (j > i && j - i > h->reach_ahead))
        return -INFINITY;
    for (size_t d = 0; d < h->size; d++)
        sum += (double)q[d] * (double)key[d];
    sum *= (double)h->scale;
    if (h->with_bias)
        sum += (double)((const float *)h->bias.data)[h->n - 1 + j - i];
    return sum;
}

/* Row i of the true output. */
static void true_row(const head *h, size_t i, double *out)
{
    double *p = malloc(h->n * sizeof(double));
    double max = -DBL_MAX, sum = 0.0;

    for (size_t j = 0; j < h->n; j++) {
        p[j] = score(h, i, j);
        max = fmax(max, p[j]);
    }
    memset(out, 0, h->size * sizeof(double));
    for (size_t j = 0; j < h->n; j++) {
        const float *v = (const float *)h->qkv.data + j * h->ld_qkv + 2 * h->size;

        p[j] = exp(p[j] - max);
        sum += p[j];
        for (size_t c = 0; c < h->size; c++)
            out[c] += p[j] * (double)v[c];
    }
    for (size_t c = 0; c < h->size; c++)
        out[c] /= sum;
    free(p);
}

/* Rows [0, n) in steps; the tolerance grows with the size of the scores, whose rounding the
 * exponential passes on. */
static void check_values(const head *h, double tolerance)
{
    double *truth = malloc(h->size * sizeof(double));

    for (size_t i = 0; i < h->n; i += 1 + h->n / 70) {
        const float *out = (const float *)h->out.data + i * h->ld_out;

        true_row(h, i, truth);
        for (size_t c = 0; c < h->size; c++)
            check_that(fabs((double)out[c] - truth[c]) <= tolerance,
                       "S %zu K %zu: [%zu][%zu] is %.9g, not %.9g", h->n, h->size, i, c,
                       (double)out[c], truth[c]);
    }
    free(truth);
}

static void check_size(const ed_kernels *k, size_t n, size_t size)
{
    head h;

    head_open(&h, k, n, size, 1.0f);
    head_run(&h, k);
    check_values(&h, narrow ? 0x1p-7 : 4e-6);
    head_close(&h);
}

static void test_every_small_length(const ed_kernels *k)
{
    const size_t sizes[] = {1, 16, 20, 32, 64};

    for (size_t n = 1; n <= 70; n++)
        check_size(k, n, sizes[n % (sizeof(sizes) / sizeof(sizes[0]))]);
}

static void test_every_small_head(const ed_kernels *k)
{
    for (size_t size = 1; size <= 70; size++)
        check_size(k, 1 + size * 7 % 45, size);
}

static void test_model_sizes(const ed_kernels *k)
{
    check_size(k, 512, 64);
    check_size(k, 256, 32);
    check_size(k, 131, 128);
}

/* Windows, causal and open at one end, narrower and wider than a block of queries. */
static void test_reach(const ed_kernels *k)
{
    const size_t reaches[] = {0, 1, 5, 16, 31, 64, 200, SIZE_MAX};
    const size_t n_reaches = sizeof(reaches) / sizeof(reaches[0]);

    for (size_t back = 0; back < n_reaches; back++) {
        for (size_t ahead = 0; ahead < n_reaches; ahead++) {
            head h;

            head_open(&h, k, 1 + (back * 8 + ahead) * 5 % 170, 24, 1.0f);
            h.reach_back = reaches[back];
            h.reach_ahead = reaches[ahead];
            head_run(&h, k);
            check_values(&h, narrow ? 0x1p-7 : 4e-6);
            head_close(&h);
        }
    }
}

/* Scores in the hundreds: one key takes nearly all, and nothing overflows. */
static void test_sharp_scores(const ed_kernels *k)
{
    head h;

    head_open(&h, k, 50, 64, 12.0f);
    head_run(&h, k);
    check_values(&h, 12.0 * (narrow ? 0x1p-8 : 600.0 * 0x1p-22));
    head_close(&h);
}

/* Row i sees its own q, and all of k and v: exchanging two queries exchanges the rows. */
static void test_bits_do_not_depend_on_the_place(const ed_kernels *k)
{
    head h;
    float *row;

    head_open(&h, k, 61, 64, 1.0f);
    h.with_bias = false;
    row = malloc(h.size * sizeof(float));
    head_run(&h, k);
    memcpy(row, (float *)h.out.data + 7 * h.ld_out, h.size * sizeof(float));
    for (size_t i = 0; i < h.n; i++) {
        float *q = (float *)h.qkv.data + i * h.ld_qkv;

        memmove(q, (float *)h.qkv.data + 7 * h.ld_qkv, h.size * sizeof(float));
    }
    head_run(&h, k);
    for (size_t i = 0; i < h.n; i++)
        check_that(memcmp(row, (float *)h.out.data + i * h.ld_out, h.size * sizeof(float)) == 0,
                   "row %zu", i);
    free(row);
    head_close(&h);
}

static void test_out_takes_the_place_of_q(const ed_kernels *k)
{
    ed_attention_call call;
    head h;

    head_open(&h, k, 75, 32, 1.0f);
    head_run(&h, k);
    call = head_call(&h);
    call.out = h.qkv.data;
    call.ld_out = h.ld_qkv;
    (narrow ? k->bf16_attention : k->f32_attention)(&call);
    for (size_t i = 0; i < h.n; i++)
        check_that(memcmp((float *)h.out.data + i * h.ld_out, call.out + i * call.ld_out,
                          h.size * sizeof(float)) == 0,
                   "row %zu", i);
    head_close(&h);
}

/* What lies in the scratch does not matter. */
static void test_scratch_needs_no_preparation(const ed_kernels *k)
{
    head h;
    void *before;

    head_open(&h, k, 45, 20, 1.0f);
    head_run(&h, k);
    before = malloc(h.out.n_bytes);
    memcpy(before, h.out.data, h.out.n_bytes);
    memset(h.scratch.data, 0xff, h.scratch.n_bytes);
    head_run(&h, k);
    check_that(memcmp(before, h.out.data, h.out.n_bytes) == 0, "NaN in the scratch came through");
    free(before);
    head_close(&h);
}

/* Finite input, even where scores overflow, gives no NaN. */
static void test_no_nan_from_finite_input(const ed_kernels *k)
{
    const float magnitudes[] = {1e10f, 1e19f, 3e38f};

    for (size_t m = 0; m < 3; m++) {
        for (size_t n = 1; n < 40; n += 6) {
            head h;

            head_open(&h, k, n, 32, magnitudes[m]);
            for (size_t i = 0; i < n; i++)
                check_fill((float *)h.qkv.data + i * h.ld_qkv + 2 * h.size, h.size, 1.0f);
            head_run(&h, k);
            for (size_t i = 0; i < n; i++) {
                for (size_t c = 0; c < h.size; c++) {
                    const float x = ((float *)h.out.data)[i * h.ld_out + c];

                    check_that(fabsf(x) <= 1.0001f, "S %zu, %g: out[%zu][%zu] is %g", n,
                               (double)magnitudes[m], i, c, (double)x);
                }
            }
            head_close(&h);
        }
    }
}

/* Scores of +infinity share the weight among themselves, scores of -infinity have none. */
static void test_infinite_scores(const ed_kernels *k)
{
    head h;

    head_open(&h, k, 40, 16, 1.0f);
    h.with_bias = false;
    for (size_t i = 0; i < h.n; i++) {
        float *row = (float *)h.qkv.data + i * h.ld_qkv;
        const bool wanted = i % 3 == 1;

        for (size_t c = 0; c < h.size; c++) {
            row[c] = 1e30f;
            row[h.size + c] = wanted ? 1e30f : -1e30f;
            row[2 * h.size + c] = wanted ? (float)i : 1000.0f;
        }
    }
    head_run(&h, k);
    for (size_t i = 0; i < h.n; i++) { /* the mean of 1, 4, ... 37 is 19 */
        const float x = ((float *)h.out.data)[i * h.ld_out];

        check_that(fabsf(x - 19.0f) < 1e-4f, "row %zu is %g", i, (double)x);
    }
    head_close(&h);
}

/* Two keys with the scores 0 and x, and values 0 and 1, give e^x / (1 + e^x): a sum, a quotient and
 * a product besides the exponential. */
static void test_exponential(const ed_kernels *k)
{
    enum { STEPS = 40000 };
    double worst = 0.0, worst_at = 0.0;
    head h;

    head_open(&h, k, 2, 1, 1.0f);
    h.with_bias = false;
    h.scale = 1.0f;
    for (int step = 1; step < STEPS; step++) {
        float *first = h.qkv.data;
        float *second = first + h.ld_qkv;
        const float x = -87.0f * (float)step / (float)STEPS;
        double truth, got;

        first[0] = 1.0f; /* q of both rows */
        second[0] = 1.0f;
        first[1] = 0.0f; /* scores 0 and x */
        second[1] = x;
        first[2] = 0.0f; /* out = 1 * e^x / (1 + e^x) */
        second[2] = 1.0f;
        head_run(&h, k);
        truth = exp((double)x) / (1.0 + exp((double)x));
        got = (double)((float *)h.out.data)[0];
        if (!(fabs(got - truth) / truth <= worst)) {
            worst = fabs(got - truth) / truth;
            worst_at = (double)x;
        }
    }
    check_that(worst <= 2.5e-7, "e^%.9g is wrong by %.3g of it", worst_at, worst);
    head_close(&h);
}

static void test_beside_narrower_weights(const ed_kernels *k)
{
    if (k->bf16_attention == k->f32_attention)
        return;
    narrow = true;
    test_every_small_length(k);
    test_every_small_head(k);
    test_model_sizes(k);
    test_reach(k);
    test_sharp_scores(k);
    test_bits_do_not_depend_on_the_place(k);
    test_out_takes_the_place_of_q(k);
    test_scratch_needs_no_preparation(k);
    test_no_nan_from_finite_input(k);
    test_infinite_scores(k);
    narrow = false;
}

int main(int argc, char **argv)
{
    static const check_test tests[] = {
        {"every_small_length", test_every_small_length},
        {"every_small_head", test_every_small_head},
        {"model_sizes", test_model_sizes},
        {"reach", test_reach},
        {"sharp_scores", test_sharp_scores},
        {"bits_do_not_depend_on_the_place", test_bits_do_not_depend_on_the_place},
        {"out_takes_the_place_of_q", test_out_takes_the_place_of_q},
        {"scratch_needs_no_preparation", test_scratch_needs_no_preparation},
        {"no_nan_from_finite_input", test_no_nan_from_finite_input},
        {"infinite_scores", test_infinite_scores},
        {"exponential", test_exponential},
        {"beside_narrower_weights", test_beside_narrower_weights},
    };

    return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
