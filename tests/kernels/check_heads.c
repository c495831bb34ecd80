/* RMSNorm and rotation of heads against double precision, at every level. */
#include "harness.h"

#include <math.h>
#include <string.h>

static void check_rmsnorm(const ed_kernels *k, size_t n_rows, size_t d, bool in_place)
{
    const float eps = 1e-6f;
    const size_t ld_x = d + 2, ld_y = in_place ? ld_x : d + 1;
    const size_t n_x = (n_rows - 1) * ld_x + d, n_y = (n_rows - 1) * ld_y + d;
    check_buffer x, y, gamma;

    check_fill(check_floats(&x, n_x), n_x, 2.0f);
    check_floats(&y, n_y);
    check_fill(check_floats(&gamma, d), d, 1.0f);
    if (in_place)
        memcpy(y.data, x.data, n_x * sizeof(float));
    k->f32_rmsnorm(y.data, ld_y, in_place ? y.data : x.data, ld_x, gamma.data, eps, n_rows, d);
    for (size_t i = 0; i < n_rows; i++) {
        const float *from = (float *)x.data + i * ld_x, *to = (float *)y.data + i * ld_y;
        double sum = 0.0;

        for (size_t c = 0; c < d; c++)
            sum += (double)from[c] * (double)from[c];
        for (size_t c = 0; c < d; c++) {
            const double truth = (double)from[c] / sqrt(sum / (double)d + (double)eps) *
                                 (double)((float *)gamma.data)[c];

            check_that(fabs((double)to[c] - truth) <= 1e-6 * fabs(truth),
                       "d %zu: [%zu][%zu] is %.9g, not %.9g", d, i, c, (double)to[c], truth);
        }
    }
    check_release(&x);
    check_release(&y);
    check_release(&gamma);
}

static void test_rmsnorm(const ed_kernels *k)
{
    for (size_t d = 1; d <= 1100; d += 1 + d / 70)
        check_rmsnorm(k, 1 + d % 3, d, d % 2 == 0);
}

static void test_rmsnorm_of_zeros(const ed_kernels *k)
{
    float x[40] = {0}, gamma[40], y[40];

    check_fill(gamma, 40, 1.0f);
    k->f32_rmsnorm(y, 40, x, 40, gamma, 1e-6f, 1, 40);
    for (size_t c = 0; c < 40; c++)
        check_that(y[c] == 0.0f, "[%zu] is %g", c, (double)y[c]);
}

static void check_rotary(const ed_kernels *k, size_t n_heads, size_t head_size)
{
    const size_t half = head_size / 2, n = n_heads * head_size;
    check_buffer before, after, cosine, sine;
    const float *x, *y, *c, *s;

    x = check_floats(&before, n);
    y = check_floats(&after, n);
    c = check_floats(&cosine, half);
    s = check_floats(&sine, half);
    check_fill(before.data, n, 2.0f);
    memcpy(after.data, x, n * sizeof(float));
    for (size_t i = 0; i < half; i++) {
        ((float *)cosine.data)[i] = cosf((float)i);
        ((float *)sine.data)[i] = sinf((float)i);
    }
    k->f32_rotary(after.data, n_heads, head_size, c, s);
    for (size_t h = 0; h < n_heads; h++) {
        for (size_t i = 0; i < half; i++) {
            const size_t first = h * head_size + i, second = first + half;
            const double a = (double)x[first], b = (double)x[second];
            const double cosi = (double)c[i], sini = (double)s[i];

            check_that(fabs((double)y[first] - (a * cosi - b * sini)) <= 4e-7 &&
                           fabs((double)y[second] - (b * cosi + a * sini)) <= 4e-7,
                       "size %zu: head %zu, pair %zu is (%.9g, %.9g)", head_size, h, i,
                       (double)y[first], (double)y[second]);
        }
    }
    check_release(&before);
    check_release(&after);
    check_release(&cosine);
    check_release(&sine);
}

static void test_rotary(const ed_kernels *k)
{
    for (size_t head_size = 2; head_size <= 140; head_size += 2)
        check_rotary(k, 1 + head_size % 5, head_size);
}

int main(int argc, char **argv)
{
    static const check_test tests[] = {
        {"rmsnorm", test_rmsnorm},
        {"rmsnorm_of_zeros", test_rmsnorm_of_zeros},
        {"rotary", test_rotary},
    };

    return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
