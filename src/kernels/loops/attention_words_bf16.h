/* What attention's products read: pairs of neighbours, rounded to bf16, the first in the lower
 * half. Included before attention_loops.h; the vector header has vf_round_bf16 and vf_pair_bf16. */
#ifndef ED_ATTENTION_WORDS_BF16_H
#define ED_ATTENTION_WORDS_BF16_H

#include "kernels/kernels.h"
#include "kernels/loops/pack.h"
#include "kernels/loops/tile_rows.h"

enum {
    WORD_NUMBERS = 2,
    LINE_NUMBERS = 2 * VF_LANES,
    PANEL_MAX = TILE_ROWS > NR ? TILE_ROWS : NR /* lines */
};

static inline size_t words_of(size_t n)
{
    return (n + 1) / 2;
}

static inline vf word_of(vf first, vf second)
{
    return vf_pair_bf16(first, second);
}

static inline vf load_up_to(const float *x, size_t n)
{
    return n >= VF_LANES ? vf_load(x) : vf_load_part(x, n);
}

/* Lines of `depth` numbers times `scale` into panels of words. */
static inline void pack_pairs(float *packed, const size_t panel, const float *lines, size_t ld,
                              size_t n_lines, size_t depth, float scale)
{
    for (size_t i = 0; i < n_lines; i += panel, packed += panel * words_of(depth)) {
        const size_t n = min_size(panel, n_lines - i);
        float *to = packed;

        for (size_t d = 0; d < depth; d += LINE_NUMBERS) {
            const size_t left = min_size(LINE_NUMBERS, depth - d);
            float words[PANEL_MAX * VF_LANES];

            for (size_t r = 0; r < n; r++) {
                const float *x = lines + (i + r) * ld + d;
                const vf low = load_up_to(x, left);
                const vf high =
                    left > VF_LANES ? load_up_to(x + VF_LANES, left - VF_LANES) : vf_set(0.0f);

                vf_store(words + r * VF_LANES,
                         vf_round_bf16(vf_mul(low, vf_set(scale)), vf_mul(high, vf_set(scale))));
            }
            pack_panel(to, panel, words, VF_LANES, n, words_of(left));
            to += panel * words_of(left);
        }
    }
}

static void pack_keys(const ed_attention_call *call, float *keys)
{
    pack_pairs(keys, TILE_ROWS, call->k, call->ld_qkv, call->n_tokens, call->head_size, 1.0f);
}

/* Times the scale of the scores. */
static void pack_queries(const ed_attention_call *call, size_t first, size_t n, float *queries)
{
    pack_pairs(queries, NR, call->q + first * call->ld_qkv, call->ld_qkv, n, call->head_size,
               call->scale);
}

static void pack_values(const ed_attention_call *call, float *values)
{
    const size_t ld = call->ld_qkv;

    for (size_t c = 0; c < call->head_size; c += NR) {
        const size_t n = min_size(NR, call->head_size - c);

        for (size_t j = 0; j < call->n_tokens; j += 2, values += NR) {
            const float *v = call->v + j * ld + c;
            const bool both = j + 1 < call->n_tokens;

            for (size_t l = 0; l < NR; l += VF_LANES) {
                const size_t left = l < n ? n - l : 0;
                const vf first = left ? load_up_to(v + l, left) : vf_set(0.0f);
                const vf second = left && both ? load_up_to(v + ld + l, left) : vf_set(0.0f);

                vf_store(values + l, vf_pair_bf16(first, second));
            }
        }
    }
}

#endif
