/* Attention around the micro-kernel. Included by each level's attention file after its vector and
 * tile headers and attention_words_*.h, which tells what the products read. In: q, k, v of one head
 * of one text. Out: the mixed rows of v. It must never make NaN of finite input, however large.
 *
 * A block of NR queries lies across the lanes, so that maximum, exponential and sum of a query stay
 * in its lane:
 *
 *     scores[S][NR] = keys[S][K] * queries[K][NR]       keys in panels of TILE_ROWS, as rows
 *     scores = exp(scores - max over S), sum over S
 *     out[NR][K] = scores^T * values[S][K] / sum        scores read as rows, values in panels of NR
 *
 * Both products are the micro-kernel's, and nothing is transposed but the input. A word holds
 * WORD_NUMBERS neighbours along the depth of its product: K for keys and queries, S for scores
 * (once they are weights) and values. K' and S' are K and S in words. */
#ifndef ED_ATTENTION_LOOPS_H
#define ED_ATTENTION_LOOPS_H

#include "kernels/levels.h"
#include "kernels/loops/pack.h"
#include "kernels/loops/tile_rows.h"
#include "kernels/loops/vector_math.h"

#include <float.h>

typedef struct scratch {
    float *keys;    /* [S / TILE_ROWS][K'][TILE_ROWS] words */
    float *values;  /* [K / NR][S'][NR] words */
    float *queries; /* [K'][NR] words */
    float *scores;  /* [S][NR], then as weights [S'][NR] words */
    float *bias;    /* [2 S - 1 + NR], bias[S - 1 - distance] */
} scratch;

/* A block of queries and the keys that any of them sees. */
typedef struct block {
    size_t first, n_queries;
    size_t key_begin, key_end; /* key_begin: a multiple of TILE_ROWS */
} block;

static size_t scratch_plan(scratch *s, float *base, size_t n_tokens, size_t head_size);
static void pack_bias(const ed_attention_call *call, float *bias);
static block block_at(const ed_attention_call *call, size_t first);
static void score_keys(const ed_attention_call *call, const scratch *s, const block *b,
                       vf max[TILE_VECTORS]);
static void exponentiate(const ed_attention_call *call, const scratch *s, const block *b,
                         const vf max[TILE_VECTORS], float sums[NR]);
static void mix_values(const ed_attention_call *call, const scratch *s, const block *b,
                       const float sums[NR]);

static inline size_t attention_scratch_bytes(size_t n_tokens, size_t head_size)
{
    scratch s;

    return scratch_plan(&s, NULL, n_tokens, head_size) * sizeof(float);
}

static void attention(const ed_attention_call *call)
{
    scratch s;

    scratch_plan(&s, call->scratch, call->n_tokens, call->head_size);
    pack_keys(call, s.keys);
    pack_values(call, s.values);
    if (call->bias != NULL)
        pack_bias(call, s.bias);
    for (size_t first = 0; first < call->n_tokens; first += NR) {
        const block b = block_at(call, first);
        vf max[TILE_VECTORS];
        float sums[NR];

        pack_queries(call, b.first, b.n_queries, s.queries);
        score_keys(call, &s, &b, max);
        exponentiate(call, &s, &b, max, sums);
        mix_values(call, &s, &b, sums);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Hands out the parts of `base` and returns how many floats they are in all. */
static size_t scratch_plan(scratch *s, float *base, size_t n_tokens, size_t head_size)
{
    enum { LINE = 16 }; /* floats of a cache line */
    const size_t k = words_of(head_size);
    const size_t sizes[] = {panels_bytes(n_tokens, TILE_ROWS, k) / sizeof(float),
                            panels_bytes(head_size, NR, words_of(n_tokens)) / sizeof(float), k * NR,
                            n_tokens * NR, 2 * n_tokens - 1 + NR};
    float **const parts[] = {&s->keys, &s->values, &s->queries, &s->scores, &s->bias};
    size_t used = 0;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        *parts[i] = base == NULL ? NULL : base + used;
        used += (sizes[i] + LINE - 1) / LINE * LINE;
    }
    return used;
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

/* ---- one block of queries -------------------------------------------------------------------- */

static block block_at(const ed_attention_call *call, size_t first)
{
    const size_t n = call->n_tokens, n_queries = min_size(NR, n - first);
    const size_t last = first + n_queries - 1;
    const size_t begin = first > call->reach_back ? first - call->reach_back : 0;

    return (block){.first = first,
                   .n_queries = n_queries,
                   .key_begin = begin / TILE_ROWS * TILE_ROWS,
                   .key_end = n - last > call->reach_ahead ? last + call->reach_ahead + 1 : n};
}

/* seen[l] = 1 where query first + l sees key j, else 0; false if all queries see it. */
static bool reach_edge(const ed_attention_call *call, const block *b, size_t j, float seen[NR])
{
    const size_t last = b->first + b->n_queries - 1;
    const bool in_reach = (j >= last || last - j <= call->reach_back) &&
                          (j <= b->first || j - b->first <= call->reach_ahead);

    for (size_t l = 0; !in_reach && l < NR; l++) {
        const size_t i = b->first + l;
        const bool sees = j < i ? i - j <= call->reach_back : j - i <= call->reach_ahead;

        seen[l] = sees ? 1.0f : 0.0f;
    }
    return !in_reach;
}

/* Scores of finite input may be infinite. The maximum stays finite: see exponentiate. */
static void score_keys(const ed_attention_call *call, const scratch *s, const block *b,
                       vf max[TILE_VECTORS])
{
    _Alignas(64) float seen[NR];
    ed_tile t = {
        .depth = words_of(call->head_size), .a_step = TILE_ROWS, .b = s->queries, .out_step = NR};

    for (size_t v = 0; v < TILE_VECTORS; v++)
        max[v] = vf_set(-FLT_MAX);
    for (size_t key = b->key_begin; key < b->key_end; key += TILE_ROWS) {
        const size_t n_keys = min_size(TILE_ROWS, b->key_end - key);

        t.a = s->keys + key * t.depth;
        t.out = s->scores + key * NR;
        t.next = t.a;
        multiply_1_panel(n_keys, &t);
        for (size_t j = key; j < key + n_keys; j++) {
            const float *bias = s->bias + (call->n_tokens - 1 - j + b->first);
            const bool edge = reach_edge(call, b, j, seen);
            float *scores = s->scores + j * NR;

            ED_UNROLL
            for (size_t v = 0; v < TILE_VECTORS; v++) {
                vf x = vf_load(scores + v * VF_LANES);

                if (call->bias != NULL) {
                    x = vf_add(x, vf_load(bias + v * VF_LANES));
                    vf_store(scores + v * VF_LANES, x);
                }
                if (edge) /* (1 - seen) * -FLT_MAX: what a query does not see is no maximum */
                    x = vf_fma(vf_sub(vf_load(seen + v * VF_LANES), vf_set(1.0f)), vf_set(FLT_MAX),
                               x);
                max[v] = vf_max(x, max[v]);
            }
        }
    }
    for (size_t v = 0; v < TILE_VECTORS; v++)
        max[v] = vf_min(max[v], vf_set(FLT_MAX));
}

/* weights = e^(score - max) of one key, 0 where a query does not see it. */
ED_INLINE void weigh_key(const ed_attention_call *call, const block *b, size_t j,
                         const float *scores, const vf max[TILE_VECTORS], vf weights[TILE_VECTORS])
{
    _Alignas(64) float seen[NR];
    const bool edge = reach_edge(call, b, j, seen);

    ED_UNROLL
    for (size_t v = 0; v < TILE_VECTORS; v++) {
        vf x = vf_sub(vf_load(scores + v * VF_LANES), max[v]);

        x = vf_min(vf_max(x, vf_set(-87.0f)), vf_set(0.0f));
        x = vf_exp(x);
        weights[v] = edge ? vf_mul(x, vf_load(seen + v * VF_LANES)) : x;
    }
}

/* Scores become weights, summed per query; a sum is never 0, because no weight is below e^-87. The
 * bounds also catch infinite scores: +inf - max becomes 0, -inf - max becomes -87. Only what a
 * query does not see weighs nothing. Words are written where scores have been read. */
static void exponentiate(const ed_attention_call *call, const scratch *s, const block *b,
                         const vf max[TILE_VECTORS], float sums[NR])
{
    vf sum[TILE_VECTORS];

    for (size_t v = 0; v < TILE_VECTORS; v++)
        sum[v] = vf_set(0.0f);
    for (size_t j = b->key_begin; j < b->key_end; j += WORD_NUMBERS) {
        vf weights[WORD_NUMBERS][TILE_VECTORS];

        ED_UNROLL
        for (size_t n = 0; n < WORD_NUMBERS; n++) {
            if (j + n < b->key_end)
                weigh_key(call, b, j + n, s->scores + (j + n) * NR, max, weights[n]);
            ED_UNROLL
            for (size_t v = 0; v < TILE_VECTORS; v++) {
                if (j + n >= b->key_end)
                    weights[n][v] = vf_set(0.0f);
                sum[v] = vf_add(sum[v], weights[n][v]);
            }
        }
        for (size_t v = 0; v < TILE_VECTORS; v++)
            vf_store(s->scores + j / WORD_NUMBERS * NR + v * VF_LANES,
                     word_of(weights[0][v], weights[WORD_NUMBERS - 1][v]));
    }
    for (size_t v = 0; v < TILE_VECTORS; v++)
        vf_store(sums + v * VF_LANES, sum[v]);
}

static void mix_values(const ed_attention_call *call, const scratch *s, const block *b,
                       const float sums[NR])
{
    _Alignas(64) float mixed[TILE_ROWS * NR];
    const size_t key = b->key_begin / WORD_NUMBERS;
    ed_tile t = {
        .depth = words_of(b->key_end - b->key_begin), .a_step = NR, .out = mixed, .out_step = NR};

    for (size_t col = 0; col < call->head_size; col += NR) {
        const size_t n_cols = min_size(NR, call->head_size - col);

        t.b = s->values + col * words_of(call->n_tokens) + key * NR;
        t.next = t.b;
        for (size_t i = 0; i < b->n_queries; i += TILE_ROWS) {
            const size_t n_rows = min_size(TILE_ROWS, b->n_queries - i);

            t.a = s->scores + key * NR + i;
            multiply_1_panel(n_rows, &t);
            for (size_t r = 0; r < n_rows; r++) {
                const vf weight = vf_set(1.0f / sums[i + r]);
                float *out = call->out + (b->first + i + r) * call->ld_out + col;

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

#endif
