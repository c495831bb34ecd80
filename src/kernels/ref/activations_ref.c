/* The activations that others are compared with: in double, rounded once, because for x = -10 a
 * float's rounding of x^2 alone moves GELU by 1e-6; and erfc, because 1 + erf would cancel there.
 */
#include "kernels/ref/activations_ref.h"

#include "kernels/levels.h"

#include <math.h>

float ed_activate_ref(float value, ed_activation activation)
{
    double x = (double)value;

    switch (activation) {
    case ED_ACTIVATION_NONE:
        return value;
    case ED_ACTIVATION_GELU:
        return (float)(0.5 * x * erfc(-x * 0.70710678118654752440));
    case ED_ACTIVATION_GELU_TANH: /* (1 + tanh(y / 2)) / 2 = 1 / (1 + e^-y) */
        return (float)(x / (1 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))));
    case ED_ACTIVATION_SILU:
        return (float)(x / (1 + exp(-x)));
    case ED_ACTIVATION_RELU:
        return value < 0 ? 0 : value;
    case ED_ACTIVATION_TANH:
        return (float)tanh(x);
    }
    return value;
}

static void f32_activate(float *x, size_t n, ed_activation activation)
{
    for (size_t i = 0; i < n; i++)
        x[i] = ed_activate_ref(x[i], activation);
}

static void f32_gate(float *rows, size_t ld, size_t n_rows, size_t f, ed_activation activation)
{
    for (size_t r = 0; r < n_rows; r++) {
        float *row = rows + r * ld;

        for (size_t i = 0; i < f; i++)
            row[i] = ed_activate_ref(row[i], activation) * row[f + i];
    }
}

void ed_activations_init_ref(ed_kernels *k)
{
    k->f32_activate = f32_activate;
    k->f32_gate = f32_gate;
}
