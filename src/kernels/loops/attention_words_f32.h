/* What attention's products read: floats. Included before attention_loops.h. */
#ifndef ED_ATTENTION_WORDS_F32_H
#define ED_ATTENTION_WORDS_F32_H

#include "kernels/kernels.h"
#include "kernels/loops/pack.h"
#include "kernels/loops/tile_rows.h"

enum { WORD_NUMBERS = 1 };

static inline size_t words_of(size_t n)
{
    return n;
}

static inline vf word_of(vf first, vf last)
{
    (void)last; /* the same */
    return first;
}

static void pack_keys(const ed_attention_call *call, float *keys)
{
    pack_lines(keys, TILE_ROWS, call->k, call->ld_qkv, 0, call->n_tokens, call->head_size);
}

/* Times the scale of the scores. */
static void pack_queries(const ed_attention_call *call, size_t first, size_t n, float *queries)
{
    const vf scale = vf_set(call->scale);

    pack_lines(queries, NR, call->q + first * call->ld_qkv, call->ld_qkv, 0, n, call->head_size);
    for (size_t i = 0; i < call->head_size * NR; i += VF_LANES)
        vf_store(queries + i, vf_mul(vf_load(queries + i), scale));
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

#endif
