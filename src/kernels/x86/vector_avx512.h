/* The words that the loops of kernels/loops are written in, for AVX-512. */
#ifndef ED_VECTOR_AVX512_H
#define ED_VECTOR_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

typedef __m512 vf;
typedef __m512i vi; /* whole numbers of 32 bits, as many as vf has floats */
enum { VF_LANES = 16 };

/* The register tile: 12 x 2 sums, 2 vectors of weights and a broadcast row value of 32 registers.
 * 24 independent sums hide the latency of two FMA units. */
#define TILE_ROWS    12
#define TILE_VECTORS 2

static inline vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void vf_store(float *p, vf x)
{
    _mm512_storeu_ps(p, x);
}

/* The first n lanes, 0 <= n < VF_LANES; memory behind them is not touched. */
static inline vf vf_load_part(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline void vf_store_part(float *p, vf x, size_t n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), x);
}

static inline vf vf_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}

/* a * b + c, rounded once */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* a * b - c, rounded once */
static inline vf vf_fms(vf a, vf b, vf c)
{
    return _mm512_fmsub_ps(a, b, c);
}

/* a > b ? a : b, so that b is taken where one of them is NaN; likewise vf_min. */
static inline vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}

static inline vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}

static inline vf vf_abs(vf x)
{
    return _mm512_abs_ps(x);
}

/* x * 2^n by adding n to the exponent; z holds n in the lowest bits of its significand. */
static inline vf vf_add_exponent(vf x, vf z)
{
    return _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(x), _mm512_slli_epi32(_mm512_castps_si512(z), 23)));
}

/* The sum of the lanes, by halves: l + (l + 8), then 4, 2, 1. */
static inline float vf_sum(vf x)
{
    const __m256 y = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* to[d][r] = from[r][d], 4 by 4 */
static inline void vf_transpose_4x4(float *to, size_t to_step, const float *from, size_t from_step)
{
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_step);
    __m128 c = _mm_loadu_ps(from + 2 * from_step), d = _mm_loadu_ps(from + 3 * from_step);

    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + to_step, b);
    _mm_storeu_ps(to + 2 * to_step, c);
    _mm_storeu_ps(to + 3 * to_step, d);
}

/* ---- narrower numbers, in words of 32 bits --------------------------------------------------- */

/* The floats of the lower or the upper bf16 of each word. */
static inline vf vf_widen_bf16(vf words, size_t half)
{
    const vi x = _mm512_castps_si512(words);

    return _mm512_castsi512_ps(half == 0
                                   ? _mm512_slli_epi32(x, 16)
                                   : _mm512_and_si512(x, _mm512_set1_epi32((int)0xffff0000u)));
}

static inline vi vi_load(const float *words)
{
    return _mm512_castps_si512(vf_load(words));
}

static inline vi vi_set(int32_t x)
{
    return _mm512_set1_epi32(x);
}

/* A word, whatever it holds, in every lane. */
static inline vi vi_set_word(const float *word)
{
    return _mm512_castps_si512(vf_set(*word));
}

static inline vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}

/* Of each four bytes those at 0 and 2, or those at 1 and 3, as numbers of 16 bits. */
static inline vi vi_widen_int8(vi words, size_t half)
{
    return _mm512_srai_epi16(half == 0 ? _mm512_slli_epi16(words, 8) : words, 8);
}

/* In each lane the sum of two products of 16 bits. */
static inline vi vi_dot_int16(vi a, vi b)
{
    return _mm512_madd_epi16(a, b);
}

static inline vf vf_of_vi(vi x)
{
    return _mm512_cvtepi32_ps(x);
}

#endif
