/* The words that the loops of kernels/loops are written in, for NEON as every aarch64 has it. */
#ifndef ED_VECTOR_NEON_H
#define ED_VECTOR_NEON_H

#include <arm_neon.h>
#include <stddef.h>

typedef float32x4_t vf;
enum { VF_LANES = 4 };

/* The register tile: 12 x 2 sums, 2 vectors of weights and 3 of row values of 32 registers. 24
 * independent sums hide the latency of four FMA units. */
#define TILE_ROWS    12
#define TILE_VECTORS 2

/* Weights are loaded when their turn comes: GCC would load all at once, and push sums out of the
 * registers. */
#if defined(__clang__)
#define LOAD_NO_EARLIER() (void)0
#else
#define LOAD_NO_EARLIER() __asm__ volatile("" ::: "memory")
#endif

static inline vf vf_load(const float *p)
{
    return vld1q_f32(p);
}

static inline void vf_store(float *p, vf x)
{
    vst1q_f32(p, x);
}

/* The first n lanes, 0 <= n < VF_LANES; memory behind them is not touched. */
static inline vf vf_load_part(const float *p, size_t n)
{
    float lanes[VF_LANES] = {0};

    for (size_t l = 0; l < n; l++)
        lanes[l] = p[l];
    return vf_load(lanes);
}

static inline void vf_store_part(float *p, vf x, size_t n)
{
    float lanes[VF_LANES];

    vf_store(lanes, x);
    for (size_t l = 0; l < n; l++)
        p[l] = lanes[l];
}

static inline vf vf_set(float x)
{
    return vdupq_n_f32(x);
}

static inline vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}

/* a * b + c, rounded once */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}

/* a * b - c, rounded once */
static inline vf vf_fms(vf a, vf b, vf c)
{
    return vfmaq_f32(vnegq_f32(c), a, b);
}

/* a > b ? a : b, so that b is taken where one of them is NaN; likewise vf_min. */
static inline vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

static inline vf vf_abs(vf x)
{
    return vabsq_f32(x);
}

/* x * 2^n by adding n to the exponent; z holds n in the lowest bits of its significand. */
static inline vf vf_add_exponent(vf x, vf z)
{
    return vreinterpretq_f32_s32(
        vaddq_s32(vreinterpretq_s32_f32(x), vshlq_n_s32(vreinterpretq_s32_f32(z), 23)));
}

/* The sum of the lanes, by halves: l + (l + 2), then 1. */
static inline float vf_sum(vf x)
{
    const float32x2_t s = vadd_f32(vget_low_f32(x), vget_high_f32(x));

    return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}

/* to[d][r] = from[r][d], 4 by 4 */
static inline void vf_transpose_4x4(float *to, size_t to_step, const float *from, size_t from_step)
{
    const vf a = vf_load(from), b = vf_load(from + from_step);
    const vf c = vf_load(from + 2 * from_step), d = vf_load(from + 3 * from_step);
    const float32x4x2_t ac = vzipq_f32(a, c), bd = vzipq_f32(b, d); /* a0 c0 a1 c1, a2 c2 a3 c3 */
    const float32x4x2_t low = vzipq_f32(ac.val[0], bd.val[0]);
    const float32x4x2_t high = vzipq_f32(ac.val[1], bd.val[1]);

    vf_store(to, low.val[0]);
    vf_store(to + to_step, low.val[1]);
    vf_store(to + 2 * to_step, high.val[0]);
    vf_store(to + 3 * to_step, high.val[1]);
}

#endif
