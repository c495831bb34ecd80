/* Attention around the micro-kernel. Included by each level's attention file after its vector and
 * tile headers. In: q, k, v of one head of one text. Out: the mixed rows of v. It must never make
 * NaN of finite input, however large.
 *
 * A block of NR queries lies across the lanes, so that maximum, exponential and sum of a query stay
 * in its lane:
 *
 *     scores[S][NR] = keys[S][K] * queries[K][NR]       keys in panels of TILE_ROWS, as rows
 *     scores = exp(scores - max over S), sum over S
 *     out[NR][K] = scores^T * values[S][K] / sum        scores read as rows, values in panels of NR
 *
 * Both products are the micro-kernel's, and nothing is transposed but the input. */
#ifndef ED_ATTENTION_LOOPS_H
#define ED_ATTENTION_LOOPS_H

#include "kernels/levels.h"
#include "kernels/loops/pack.h"
#include "kernels/loops/tile_rows.h"
#include "kernels/loops/vector_math.h"

#include <float.h>

typedef struct scratch {
    float *keys;    /* [S / TILE_ROWS][K][TILE_ROWS] */
    float *values;  /* [K / NR][S][NR] */
    float *queries; /* [K][NR] */
    float *scores;  /* [S][NR] */
    float *bias;    /* [2 S - 1 + NR], bias[S - 1 - distance] */
} scratch;

static size_t scratch_plan(scratch *s, float *base, size_t n_tokens, size_t head_size);
static void pack_values(const ed_attention_call *call, float *values);
static void pack_bias(const ed_attention_call *call, float *bias);
static void pack_queries(const ed_attention_call *call, size_t first, float *queries);
static void score_keys(const ed_attention_call *call, const scratch *s, size_t first,
                       vf max[TILE_VECTORS]);
static void exponentiate(float *scores, size_t n_tokens, const vf max[TILE_VECTORS],
                         float sums[NR]);
static void mix_values(const ed_attention_call *call, const scratch *s, size_t first,
                       const float sums[NR]);

static size_t attention_scratch_bytes(size_t n_tokens, size_t head_size)
{
    scratch s;

    return scratch_plan(&s, NULL, n_tokens, head_size) * sizeof(float);
}

static void f32_attention(const ed_attention_call *call)
{
    scratch s;

    scratch_plan(&s, call->scratch, call->n_tokens, call->head_size);
    pack_lines(s.keys, TILE_ROWS, call->k, call->ld_qkv, 0, call->n_tokens, call->head_size);
    pack_values(call, s.values);
    if (call->bias != NULL)
        pack_bias(call, s.bias);
    for (size_t first = 0; first < call->n_tokens; first += NR) {
        vf max[TILE_VECTORS];
        float sums[NR];

        pack_queries(call, first, s.queries);
        score_keys(call, &s, first, max);
        exponentiate(s.scores, call->n_tokens, max, sums);
        mix_values(call, &s, first, sums);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Hands out the parts of `base` and returns how many floats they are in all. */
static size_t scratch_plan(scratch *s, float *base, size_t n_tokens, size_t head_size)
{
    enum { LINE = 16 }; /* floats of a cache line */
    const size_t sizes[] = {panels_bytes(n_tokens, TILE_ROWS, head_size) / sizeof(float),
                            panels_bytes(head_size, NR, n_tokens) / sizeof(float), head_size * NR,
                            n_tokens * NR, 2 * n_tokens - 1 + NR};
    float **const parts[] = {&s->keys, &s->values, &s->queries, &s->scores, &s->bias};
    size_t used = 0;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        *parts[i] = base == NULL ? NULL : base + used;
        used += (sizes[i] + LINE - 1) / LINE * LINE;
    }
    return used;
}

static void pack_values(const ed_attention_call *call, float *values)
{
    for (size_t c = 0; c < call->head_size; c += NR) {
        const size_t n = min_size(NR, call->head_size - c);

        for (size_t j = 0; j < call->n_tokens; j++, values += NR) {
            const float *v = call->v + j * call->ld_qkv + c;

            for (size_t l = 0; l < NR; l += VF_LANES) {
                if (l + VF_LANES <= n)
                    vf_store(values + l, vf_load(v + l));
                else if (l < n)
                    vf_store(values + l, vf_load_part(v + l, n - l));
                else
                    vf_store(values + l, vf_set(0.0f));
            }
        }
    }
}

/* Reversed, because the queries i of a block, rising across the lanes, need bias[j - i]. Lanes
 * behind the last query read the zeros at the end. */
static void pack_bias(const ed_attention_call *call, float *bias)
{
    const size_t n = 2 * call->n_tokens - 1;
    const float *last = call->bias + (call->n_tokens - 1);

    for (size_t i = 0; i < n; i++)
        bias[i] = *(last - i);
    for (size_t i = n; i < n + NR; i++)
        bias[i] = 0.0f;
}

static void pack_queries(const ed_attention_call *call, size_t first, float *queries)
{
    const size_t n = min_size(NR, call->n_tokens - first);
    const vf scale = vf_set(call->scale);

    pack_lines(queries, NR, call->q + first * call->ld_qkv, call->ld_qkv, 0, n, call->head_size);
    for (size_t i = 0; i < call->head_size * NR; i += VF_LANES)
        vf_store(queries + i, vf_mul(vf_load(queries + i), scale));
}

/* ---- one block of queries -------------------------------------------------------------------- */

/* Scores of finite input may be infinite. The maximum stays finite: see exponentiate. */
static void score_keys(const ed_attention_call *call, const scratch *s, size_t first,
                       vf max[TILE_VECTORS])
{
    ed_tile t = {.depth = call->head_size, .a_step = TILE_ROWS, .b = s->queries, .out_step = NR};

    for (size_t v = 0; v < TILE_VECTORS; v++)
        max[v] = vf_set(-FLT_MAX);
    for (size_t key = 0; key < call->n_tokens; key += TILE_ROWS) {
        const size_t n_keys = min_size(TILE_ROWS, call->n_tokens - key);

        t.a = s->keys + key * call->head_size;
        t.out = s->scores + key * NR;
        t.next = t.a;
        multiply_1_panel(n_keys, &t);
        for (size_t j = key; j < key + n_keys; j++) {
            const float *bias = s->bias + (call->n_tokens - 1 - j + first);
            float *scores = s->scores + j * NR;

            ED_UNROLL
            for (size_t v = 0; v < TILE_VECTORS; v++) {
                vf x = vf_load(scores + v * VF_LANES);

                if (call->bias != NULL) {
                    x = vf_add(x, vf_load(bias + v * VF_LANES));
                    vf_store(scores + v * VF_LANES, x);
                }
                max[v] = vf_max(x, max[v]);
            }
        }
    }
    for (size_t v = 0; v < TILE_VECTORS; v++)
        max[v] = vf_min(max[v], vf_set(FLT_MAX));
}

/* scores = e^(score - max) and their sum per query, which is never 0: no weight is below e^-87. The
 * bounds also catch infinite scores: +inf - max becomes 0, -inf - max becomes -87. */
static void exponentiate(float *scores, size_t n_tokens, const vf max[TILE_VECTORS], float sums[NR])
{
    vf sum[TILE_VECTORS], m[TILE_VECTORS];

    for (size_t v = 0; v < TILE_VECTORS; v++) {
        sum[v] = vf_set(0.0f);
        m[v] = max[v];
    }
    for (size_t j = 0; j < n_tokens; j++, scores += NR) {
        ED_UNROLL
        for (size_t v = 0; v < TILE_VECTORS; v++) {
            vf x = vf_sub(vf_load(scores + v * VF_LANES), m[v]);

            x = vf_min(vf_max(x, vf_set(-87.0f)), vf_set(0.0f));
            x = vf_exp(x);
            vf_store(scores + v * VF_LANES, x);
            sum[v] = vf_add(sum[v], x);
        }
    }
    for (size_t v = 0; v < TILE_VECTORS; v++)
        vf_store(sums + v * VF_LANES, sum[v]);
}

static void mix_values(const ed_attention_call *call, const scratch *s, size_t first,
                       const float sums[NR])
{
    const size_t n_queries = min_size(NR, call->n_tokens - first);
    _Alignas(64) float mixed[TILE_ROWS * NR];
    ed_tile t = {.depth = call->n_tokens, .a_step = NR, .out = mixed, .out_step = NR};

    for (size_t col = 0; col < call->head_size; col += NR) {
        const size_t n_cols = min_size(NR, call->head_size - col);

        t.b = s->values + col * call->n_tokens;
        t.next = t.b;
        for (size_t i = 0; i < n_queries; i += TILE_ROWS) {
            const size_t n_rows = min_size(TILE_ROWS, n_queries - i);

            t.a = s->scores + i;
            multiply_1_panel(n_rows, &t);
            for (size_t r = 0; r < n_rows; r++) {
                const vf weight = vf_set(1.0f / sums[i + r]);
                float *out = call->out + (first + i + r) * call->ld_out + col;

                for (size_t c = 0; c < n_cols; c += VF_LANES) {
                    const vf x = vf_mul(vf_load(mixed + r * NR + c), weight);

                    if (c + VF_LANES <= n_cols)
                        vf_store(out + c, x);
                    else
                        vf_store_part(out + c, x, n_cols - c);
                }
            }
        }
    }
}

static void attention_init(ed_kernels *k)
{
    k->attention_scratch_bytes = attention_scratch_bytes;
    k->f32_attention = f32_attention;
}

#endif
