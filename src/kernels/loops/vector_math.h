/* Exponential and activations on vectors. Included after a level's vector header. NaN stays NaN. */
#ifndef ED_VECTOR_MATH_H
#define ED_VECTOR_MATH_H

#include "kernels/kernels.h"
#include "kernels/loops/tile.h"

/* Adding 1.5 * 2^23 rounds to a whole number n, and leaves n in the lowest bits. */
#define VF_ROUNDER 12582912.0f
#define VF_LOG2E   0x1.715476p+0f
/* ln 2 in two pieces: what the first lacks of the true value */
#define VF_LN2      0x1.62e43p-1f
#define VF_LN2_REST -0x1.05c61p-29f

/* e^r * 2^n for |r| <= ln(2)/2, z = n + VF_ROUNDER; the result must be a normal number.
 * 1 + r + r^2 p(r), p fitted to the least largest relative error: 3e-9. The powers are added in
 * pairs, not one after the other, because what waits is slower than what works. */
static inline vf vf_exp_reduced(vf r, vf z)
{
    const vf square = vf_mul(r, r);
    const vf low = vf_fma(vf_set(0.1666652f), r, vf_set(0.49999993f));
    vf p = vf_fma(vf_set(0.00836875f), r, vf_set(0.04166839f));

    p = vf_fma(vf_set(0.00138145f), square, p);
    p = vf_fma(p, square, low);
    p = vf_fma(p, square, vf_add(r, vf_set(1.0f)));
    return vf_add_exponent(p, z);
}

/* e^x for -87 <= x <= 88, within 1 unit in the last place. */
static inline vf vf_exp(vf x)
{
    const vf z = vf_fma(x, vf_set(VF_LOG2E), vf_set(VF_ROUNDER));
    const vf n = vf_sub(z, vf_set(VF_ROUNDER));
    vf r = vf_fma(n, vf_set(-VF_LN2), x);

    r = vf_fma(n, vf_set(-VF_LN2_REST), r);
    return vf_exp_reduced(r, z);
}

/* x * Phi(x), Phi the normal distribution; relative error below 1e-6, or 1e-37 absolute.
 *
 * With t = |x|, gelu(x) = max(x, 0) - t * Phi(-t), where nothing cancels: for x > 0 the second term
 * is at most half of the first. Phi(-t) = e^(-t^2 / 2) * R(t), and R falls smoothly from 1/2 like
 * 1/t: a quotient P/Q of polynomials with positive terms, fitted on [0, 13]: 3.4e-7. They are
 * written in h = -t^2 / 2, which the exponential needs too.
 *
 * The exponent needs more than a float: at t = 13 its rounding alone is 4e-6. So h is taken in two
 * pieces, the second by FMA. From t = 13 on the second term stands still at 8e-38: nothing to an
 * embedding, and kept there a normal number, for denormals are slow. */
static inline vf vf_gelu(vf x)
{
    const vf t = vf_min(vf_set(13.0f), vf_abs(x));
    const vf half = vf_mul(t, vf_set(-0.5f));
    const vf h = vf_mul(half, t);
    const vf h_rest = vf_fms(half, t, h);
    const vf z = vf_fma(h, vf_set(VF_LOG2E), vf_set(VF_ROUNDER));
    const vf n = vf_sub(z, vf_set(VF_ROUNDER));
    const vf r = vf_add(vf_fma(n, vf_set(-VF_LN2), h), vf_fma(n, vf_set(-VF_LN2_REST), h_rest));
    const vf e = vf_exp_reduced(r, z);

    vf p = vf_fma(vf_set(-4.0f * 0.016780390f), t, vf_set(-4.0f * 0.118400892f));
    vf q = vf_fma(vf_set(-2.0f * 0.296566419f), t, vf_set(-2.0f * 0.948016888f));

    p = vf_fma(p, h, vf_fma(vf_set(2.0f * 0.359997336f), t, vf_set(2.0f * 0.499999830f)));
    q = vf_fma(vf_set(4.0f * 0.042067854f), h, q);
    q = vf_fma(q, h, vf_fma(vf_set(1.517862218f), t, vf_set(1.0f)));
    /* half * 2P = -t P, beside the exponential, not after it */
    return vf_fma(vf_div(vf_mul(half, p), q), e, vf_max(x, vf_set(0.0f)));
}

/* The same for products whose rows are rounded to bf16 or bytes anyway: within 5e-6, less than a
 * hundredth of a byte's step, in half of the time. Phi(t) = 1/2 + t P(s), s from -1 to 1 as t^2
 * goes from 0 to 4.8^2, fitted so that |x| times its error is least and that Phi(-4.8) is 0; there
 * x stands still. A polynomial in t^2 itself would lose digits, as its terms cancel. */
static inline vf vf_gelu_rounded(vf x)
{
    const vf t = vf_max(vf_set(-4.8f), vf_min(vf_set(4.8f), x));
    const vf s = vf_fms(t, vf_mul(t, vf_set(0.0868055522f)), vf_set(1.0f));
    const vf s2 = vf_mul(s, s);
    vf even = vf_fma(vf_set(0.00144354883f), s2, vf_set(0.00539273908f));
    vf odd = vf_fma(vf_set(-0.00419455534f), s2, vf_set(-0.00744348904f));

    even = vf_fma(even, s2, vf_set(0.0138638197f));
    odd = vf_fma(odd, s2, vf_set(-0.0221874733f));
    even = vf_fma(even, s2, vf_set(0.0307209007f));
    odd = vf_fma(odd, s2, vf_set(-0.0405659415f));
    even = vf_fma(even, s2, vf_set(0.0529040918f));
    odd = vf_fma(odd, s2, vf_set(-0.0729797557f));
    even = vf_fma(even, s2, vf_set(0.147212788f));
    return vf_mul(x, vf_fma(t, vf_fma(odd, s, even), vf_set(0.5f)));
}

/* x / (1 + e^-y): x times the logistic function of y, for y >= -87.9. Nothing cancels. */
static inline vf vf_times_logistic(vf x, vf y)
{
    const vf e = vf_exp(vf_sub(vf_set(0.0f), vf_min(vf_set(87.0f), y)));

    return vf_div(x, vf_add(e, vf_set(1.0f)));
}

/* Below -87 it stands still at -1e-36. */
static inline vf vf_silu(vf x)
{
    x = vf_max(vf_set(-87.0f), x);
    return vf_times_logistic(x, x);
}

/* (1 + tanh(y / 2)) / 2 is the logistic function of y. Below -10 it stands still at -1e-37. */
static inline vf vf_gelu_tanh(vf x)
{
    vf y;

    x = vf_max(vf_set(-10.0f), x);
    y = vf_fma(vf_set(1.59576912f * 0.044715f), vf_mul(x, x), vf_set(1.59576912f));
    return vf_times_logistic(x, vf_mul(x, y));
}

/* Within 2e-7; for small x that is the absolute error. */
static inline vf vf_tanh(vf x)
{
    const vf y = vf_max(vf_set(-43.0f), x);

    return vf_sub(vf_times_logistic(vf_set(2.0f), vf_add(y, y)), vf_set(1.0f));
}

/* `activation` is a constant where this is inlined. */
ED_INLINE vf vf_activate(vf x, const ed_activation activation)
{
    switch (activation) {
    case ED_ACTIVATION_NONE:
        return x;
    case ED_ACTIVATION_GELU:
        return vf_gelu(x);
    case ED_ACTIVATION_GELU_TANH:
        return vf_gelu_tanh(x);
    case ED_ACTIVATION_SILU:
        return vf_silu(x);
    case ED_ACTIVATION_RELU:
        return vf_max(vf_set(0.0f), x);
    case ED_ACTIVATION_TANH:
        return vf_tanh(x);
    }
    return x;
}

#endif
