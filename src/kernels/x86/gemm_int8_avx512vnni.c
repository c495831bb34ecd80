/* GEMM in bytes for CPUs with VNNI: one instruction multiplies four bytes of a row, unsigned, by
 * four of weights, signed, and adds them up. A tile of 6x32: its sums of a block, in whole numbers,
 * and those of all blocks, in floats, fill the registers. */
#include "kernels/x86/vector_avx512.h"

#undef TILE_ROWS
#define TILE_ROWS     6
#define TILE_PREFETCH 16 /* a cache line per word */

#include "kernels/loops/int8_blocks.h"

enum { BLOCK_STEPS = BLOCK_DEPTH / 4 };

/* In each lane the sum of four products of a byte of x, unsigned, and one of w, signed. The builtin
 * would do, but GCC copies each sum before and after it. */
ED_INLINE void add_dots(vi *sum, vi x, vi w)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(x), "v"(w));
}

/* The order of an element's sums is that of the blocks, whatever `rows` and `panels` are. */
ED_INLINE void multiply_tile(const size_t rows, const size_t panels, const ed_tile *t)
{
    const size_t width = panels * TILE_VECTORS;
    const float *a = t->a, *b = t->b, *next = t->next;
    const size_t a_step = t->a_step, b_step = t->b_step;
    vf sums[TILE_ROWS * TILE_VECTORS];

    ED_UNROLL
    for (size_t i = 0; i < rows * width; i++)
        sums[i] = vf_set(0.0f);

    for (size_t block = n_blocks(t->depth); block > 0; block--) {
        vi s[TILE_ROWS * TILE_VECTORS];

        ED_UNROLL
        for (size_t i = 0; i < rows * width; i++)
            s[i] = vi_set(0);
        ED_UNROLL_STEPS
        for (size_t step = 0; step < BLOCK_STEPS; step++) {
            __builtin_prefetch(next, 0, 2); /* near the core, not into its first cache */
            ED_UNROLL
            for (size_t p = 0; p < panels; p++) {
                vi w[TILE_VECTORS];

                ED_UNROLL
                for (size_t c = 0; c < TILE_VECTORS; c++)
                    w[c] = vi_load(b + p * b_step + c * VF_LANES);
                ED_UNROLL
                for (size_t r = 0; r < rows; r++) {
                    const vi x = vi_set_word(a + r);

                    ED_UNROLL
                    for (size_t c = 0; c < TILE_VECTORS; c++) {
                        vi *sum = &s[r * width + p * TILE_VECTORS + c];

                        add_dots(sum, x, w[c]);
                    }
                }
            }
            a += a_step;
            b += TILE_VECTORS * VF_LANES;
            next += TILE_PREFETCH;
        }
        ED_UNROLL
        for (size_t c = 0; c < width; c++) {
            const float *ends = b + c / TILE_VECTORS * b_step + c % TILE_VECTORS * VF_LANES;
            const vf scale = vf_load(ends),
                     sum_of_weights = vf_load(ends + TILE_VECTORS * VF_LANES);

            ED_UNROLL
            for (size_t r = 0; r < rows; r++) {
                vf *sum = &sums[r * width + c];

                *sum = vf_fma(vf_mul(vf_of_vi(s[r * width + c]), scale), vf_set(a[r]), *sum);
                *sum = vf_fma(vf_set(a[a_step + r]), sum_of_weights, *sum);
            }
        }
        a += 2 * a_step;
        b += 2 * TILE_VECTORS * VF_LANES;
        next += 2 * TILE_PREFETCH;
    }

    ED_UNROLL
    for (size_t r = 0; r < rows; r++) {
        ED_UNROLL
        for (size_t c = 0; c < width; c++)
            vf_store(t->out + r * t->out_step + c * VF_LANES, sums[r * width + c]);
    }
}

#include "kernels/loops/pack_int8.h"

#include "kernels/loops/gemm_loops.h"

#include "kernels/levels.h"

void ed_gemm_int8_init_avx512vnni(ed_kernels *k)
{
    k->gemm_int8 = gemm_of("ed_int8_gemm_6x32_avx512vnni");
}
