/* What happens to the heads of one token before attention: RMSNorm and rotation. */
#include "kernels/levels.h"

#include <math.h>

static void f32_rmsnorm(float *y, size_t ld_y, const float *x, size_t ld_x, const float *gamma,
                        float eps, size_t n_rows, size_t d)
{
    for (size_t r = 0; r < n_rows; r++) {
        const float *from = x + r * ld_x;
        float *to = y + r * ld_y;
        double sum = 0;

        for (size_t i = 0; i < d; i++)
            sum += (double)from[i] * (double)from[i];
        float deviation = sqrtf((float)(sum / (double)d) + eps);
        for (size_t i = 0; i < d; i++)
            to[i] = from[i] / deviation * gamma[i];
    }
}

static void f32_rotary(float *heads, size_t n_heads, size_t head_size, const float *cosine,
                       const float *sine)
{
    size_t half = head_size / 2;

    for (size_t h = 0; h < n_heads; h++) {
        float *a = heads + h * head_size, *b = a + half;

        for (size_t i = 0; i < half; i++) {
            float x = a[i], y = b[i];
            a[i] = x * cosine[i] - y * sine[i];
            b[i] = y * cosine[i] + x * sine[i];
        }
    }
}

void ed_heads_init_ref(ed_kernels *k)
{
    k->f32_rmsnorm = f32_rmsnorm;
    k->f32_rotary = f32_rotary;
}
