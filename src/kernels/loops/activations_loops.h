/* Activations outside a product: in place, and as the gate of a feed-forward. Included by each
 * level's activations file after its vector header. */
#ifndef ED_ACTIVATIONS_LOOPS_H
#define ED_ACTIVATIONS_LOOPS_H

#include "kernels/levels.h"
#include "kernels/loops/vector_math.h"

ED_INLINE void activate(float *x, size_t n, const ed_activation activation)
{
    size_t i = 0;

    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(x + i, vf_activate(vf_load(x + i), activation));
    if (i < n)
        vf_store_part(x + i, vf_activate(vf_load_part(x + i, n - i), activation), n - i);
}

/* x[i] = activation(x[i]) * x[n + i] */
ED_INLINE void gate(float *x, size_t n, const ed_activation activation)
{
    size_t i = 0;

    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(x + i, vf_mul(vf_activate(vf_load(x + i), activation), vf_load(x + n + i)));
    if (i < n) {
        const vf a = vf_activate(vf_load_part(x + i, n - i), activation);

        vf_store_part(x + i, vf_mul(a, vf_load_part(x + n + i, n - i)), n - i);
    }
}

static void f32_activate(float *x, size_t n, ed_activation activation)
{
    switch (activation) {
    case ED_ACTIVATION_NONE:
        break;
    case ED_ACTIVATION_GELU:
        activate(x, n, ED_ACTIVATION_GELU);
        break;
    case ED_ACTIVATION_GELU_TANH:
        activate(x, n, ED_ACTIVATION_GELU_TANH);
        break;
    case ED_ACTIVATION_SILU:
        activate(x, n, ED_ACTIVATION_SILU);
        break;
    case ED_ACTIVATION_RELU:
        activate(x, n, ED_ACTIVATION_RELU);
        break;
    case ED_ACTIVATION_TANH:
        activate(x, n, ED_ACTIVATION_TANH);
        break;
    }
}

static void f32_gate(float *rows, size_t ld, size_t n_rows, size_t f, ed_activation activation)
{
    for (size_t i = 0; i < n_rows; i++, rows += ld) {
        switch (activation) {
        case ED_ACTIVATION_NONE:
            gate(rows, f, ED_ACTIVATION_NONE);
            break;
        case ED_ACTIVATION_GELU:
            gate(rows, f, ED_ACTIVATION_GELU);
            break;
        case ED_ACTIVATION_GELU_TANH:
            gate(rows, f, ED_ACTIVATION_GELU_TANH);
            break;
        case ED_ACTIVATION_SILU:
            gate(rows, f, ED_ACTIVATION_SILU);
            break;
        case ED_ACTIVATION_RELU:
            gate(rows, f, ED_ACTIVATION_RELU);
            break;
        case ED_ACTIVATION_TANH:
            gate(rows, f, ED_ACTIVATION_TANH);
            break;
        }
    }
}

static void activations_init(ed_kernels *k)
{
    k->f32_activate = f32_activate;
    k->f32_gate = f32_gate;
}

#endif
