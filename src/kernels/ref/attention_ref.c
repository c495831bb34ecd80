/* The attention that others are compared with. In: q, k, v of one head of one text. Out: the
 * mixed rows of v. It must never make NaN of finite input, however large.
 *
 * The scratch holds K transposed, [head_size][S], so that the scores of one query are computed by
 * a loop over neighbouring floats, and after it the scores, [S]. */
#include "kernels/levels.h"

#include <float.h>
#include <math.h>

static size_t scratch_bytes(size_t n_tokens, size_t head_size)
{
    return n_tokens * (head_size + 1) * sizeof(float);
}

/* scores[j] = scale * q[i].k[j] + bias[j - i] */
static void score_row(const ed_attention_call *call, const float *kt, size_t i, float *scores)
{
    const size_t n = call->n_tokens;
    const float *q = call->q + i * call->ld_qkv;

    for (size_t j = 0; j < n; j++)
        scores[j] = 0.0f;
    for (size_t d = 0; d < call->head_size; d++) {
        const float x = q[d] * call->scale;

        for (size_t j = 0; j < n; j++)
            scores[j] += x * kt[d * n + j];
    }
    if (call->bias != NULL) {
        for (size_t j = 0; j < n; j++)
            scores[j] += call->bias[(ptrdiff_t)j - (ptrdiff_t)i];
    }
}

/* Turns scores into exp(score - max) and returns their sum, which is never 0.
 *
 * Scores of finite input may be infinite, or NaN where infinities met: the comparisons are written
 * so that both end as the bound, the maximum is kept finite, and no weight is below e^-87. */
static float exponentiate(float *scores, size_t n)
{
    float max = -FLT_MAX;
    float sum = 0.0f;

    for (size_t j = 0; j < n; j++)
        max = scores[j] > max ? scores[j] : max;
    max = max < FLT_MAX ? max : FLT_MAX;
    for (size_t j = 0; j < n; j++) {
        float x = scores[j] - max;

        x = x > -87.0f ? x : -87.0f;
        x = x < 0.0f ? x : 0.0f;
        scores[j] = expf(x);
        sum += scores[j];
    }
    return sum;
}

static void f32_attention(const ed_attention_call *call)
{
    const size_t n = call->n_tokens;
    float *kt = call->scratch;
    float *scores = kt + n * call->head_size;

    for (size_t d = 0; d < call->head_size; d++) {
        for (size_t j = 0; j < n; j++)
            kt[d * n + j] = call->k[j * call->ld_qkv + d];
    }
    for (size_t i = 0; i < n; i++) {
        /* The keys that row i sees: [begin, end). */
        size_t begin = i > call->reach_back ? i - call->reach_back : 0;
        size_t end = n - i > call->reach_ahead ? i + call->reach_ahead + 1 : n;
        float *out = call->out + i * call->ld_out;
        float sum;

        score_row(call, kt, i, scores);
        sum = exponentiate(scores + begin, end - begin);
        for (size_t c = 0; c < call->head_size; c++)
            out[c] = 0.0f;
        for (size_t j = begin; j < end; j++) {
            const float *v = call->v + j * call->ld_qkv;

            for (size_t c = 0; c < call->head_size; c++)
                out[c] += scores[j] * v[c];
        }
        for (size_t c = 0; c < call->head_size; c++)
            out[c] /= sum;
    }
}

void ed_attention_init_ref(ed_kernels *k)
{
    k->attention_scratch_bytes = scratch_bytes;
    k->f32_attention = k->bf16_attention = f32_attention;
}
