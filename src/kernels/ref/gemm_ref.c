/* The GEMM that others are compared with: out = activation(rows * weights^T + bias) + residual.
 * In: packed rows and weights. Out: one rectangle of `out`. Plain C, one multiplication and one
 * addition per step, depth rising.
 *
 * Weights lie in panels of NR columns, depth-major: weight (j, d) is at panel j / NR, [d][j % NR],
 * the columns that N lacks are zero. So the innermost loop runs over neighbouring floats, which a
 * compiler turns into vector instructions without reordering any sum. Rows lie in panels of MR in
 * the same way. */
#include "kernels/levels.h"
#include "kernels/ref/activations_ref.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MR = 4, NR = 8, BLOCK = 128, BLOCK_WORDS = BLOCK + 2 };

static size_t panels_bytes(size_t n, size_t panel, size_t words)
{
    return (n + panel - 1) / panel * panel * words * sizeof(float);
}

/* ---- packing --------------------------------------------------------------------------------- */

/* Lines [begin, end) of `lines`, rounded by `round`; begin is a multiple of `panel`. */
static void pack(float *packed, size_t panel, const float *lines, size_t ld, size_t begin,
                 size_t end, size_t depth, float (*round)(float))
{
    for (size_t i = begin; i < end; i += panel) {
        float *to = packed + i * depth;

        for (size_t d = 0; d < depth; d++) {
            for (size_t r = 0; r < panel; r++)
                to[d * panel + r] = i + r < end ? round(lines[(i + r) * ld + d]) : 0.0f;
        }
    }
}

static float round_f32(float x)
{
    return x;
}

/* To the nearest float whose lower half is 0, ties to even; a NaN stays one. */
static float round_bf16(float x)
{
    uint32_t bits;

    if (isnan(x))
        return x;
    memcpy(&bits, &x, sizeof(bits));
    bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
    memcpy(&x, &bits, sizeof(bits));
    return x;
}

static size_t f32_weights_bytes(size_t n_cols, size_t depth)
{
    return panels_bytes(n_cols, NR, depth);
}

static size_t f32_rows_bytes(size_t n_rows, size_t depth)
{
    return panels_bytes(n_rows, MR, depth);
}

static void f32_pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    pack(packed, NR, weights, depth, 0, n_cols, depth, round_f32);
}

static void f32_pack_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                          size_t row_end, size_t depth)
{
    pack(packed, MR, rows, ld_rows, row_begin, row_end, depth, round_f32);
}

static void bf16_pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    pack(packed, NR, weights, depth, 0, n_cols, depth, round_bf16);
}

static void bf16_pack_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                           size_t row_end, size_t depth)
{
    pack(packed, MR, rows, ld_rows, row_begin, row_end, depth, round_bf16);
}

/* ---- packing in blocks ----------------------------------------------------------------------- */

static size_t n_blocks(size_t depth)
{
    return (depth + BLOCK - 1) / BLOCK;
}

/* q[i * step] = (x[i] - origin) / scale, a whole number; `range` is `steps` of them. A range too
 * small to divide by is no step at all. Returns the scale. */
static float quantize(float *q, size_t step, const float x[BLOCK], float origin, float range,
                      float steps)
{
    const float inverse = range < 1e-30f ? 0.0f : steps / range;

    for (size_t i = 0; i < BLOCK; i++)
        q[i * step] = nearbyintf((x[i] - origin) * inverse);
    return range < 1e-30f ? 0.0f : range / steps;
}

static void quantize_weights(float *q, size_t step, const float x[BLOCK])
{
    float max = 0.0f, sum = 0.0f;

    for (size_t i = 0; i < BLOCK; i++)
        max = fmaxf(fabsf(x[i]), max);
    q[BLOCK * step] = quantize(q, step, x, 0.0f, max, 127.0f);
    for (size_t i = 0; i < BLOCK; i++)
        sum += q[i * step];
    q[(BLOCK + 1) * step] = q[BLOCK * step] * sum;
}

/* What is not finite makes the minimum NaN. */
static void quantize_row(float *q, size_t step, const float x[BLOCK])
{
    float min = x[0], max = x[0];
    bool finite = true;

    for (size_t i = 0; i < BLOCK; i++) {
        min = fminf(x[i], min);
        max = fmaxf(x[i], max);
        finite = finite && isfinite(x[i]);
    }
    q[BLOCK * step] = quantize(q, step, x, min, max - min, 255.0f);
    q[(BLOCK + 1) * step] = finite ? min : NAN;
}

/* Lines as of `pack`, times scale[depth] unless that is NULL; the last block is filled up with
 * zeros. */
static void int8_pack(float *packed, size_t panel, const float *lines, size_t ld, size_t begin,
                      size_t end, size_t depth, const float *scale,
                      void (*write)(float *q, size_t step, const float x[BLOCK]))
{
    for (size_t i = begin; i < end; i += panel) {
        for (size_t d = 0; d < depth; d += BLOCK) {
            float *to = packed + (i * n_blocks(depth) + d / BLOCK * panel) * BLOCK_WORDS;
            const size_t n = depth - d < BLOCK ? depth - d : BLOCK;

            memset(to, 0, panel * BLOCK_WORDS * sizeof(float));
            for (size_t r = 0; r < panel && i + r < end; r++) {
                float x[BLOCK] = {0};

                for (size_t k = 0; k < n; k++)
                    x[k] = lines[(i + r) * ld + d + k] * (scale == NULL ? 1.0f : scale[d + k]);
                write(to + r, panel, x);
            }
        }
    }
}

static size_t int8_weights_bytes(size_t n_cols, size_t depth)
{
    return panels_bytes(n_cols, NR, n_blocks(depth) * BLOCK_WORDS);
}

static size_t int8_rows_bytes(size_t n_rows, size_t depth)
{
    return panels_bytes(n_rows, MR, n_blocks(depth) * BLOCK_WORDS);
}

static void int8_pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    int8_pack(packed, NR, weights, depth, 0, n_cols, depth, NULL, quantize_weights);
}

static void int8_pack_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                           size_t row_end, size_t depth)
{
    int8_pack(packed, MR, rows, ld_rows, row_begin, row_end, depth, NULL, quantize_row);
}

static void int8_pack_scaled_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                                  size_t row_end, size_t depth, const float *scale)
{
    int8_pack(packed, MR, rows, ld_rows, row_begin, row_end, depth, scale, quantize_row);
}

/* ---- the product ----------------------------------------------------------------------------- */

/* sums[r][c] = sum_d a[d][r] * b[d][c] */
static void multiply_tile(float sums[MR][NR], const float *a, const float *b, size_t depth)
{
    memset(sums, 0, sizeof(float[MR][NR]));
    for (size_t d = 0; d < depth; d++) {
        for (size_t r = 0; r < MR; r++) {
            for (size_t c = 0; c < NR; c++)
                sums[r][c] += a[d * MR + r] * b[d * NR + c];
        }
    }
}

/* The same block by block, each with what stands behind it. */
static void multiply_blocks(float sums[MR][NR], const float *a, const float *b, size_t depth)
{
    memset(sums, 0, sizeof(float[MR][NR]));
    for (size_t d = 0; d < depth; d += BLOCK) {
        float block[MR][NR];

        multiply_tile(block, a, b, BLOCK);
        a += BLOCK * MR;
        b += BLOCK * NR;
        for (size_t r = 0; r < MR; r++) {
            for (size_t c = 0; c < NR; c++)
                sums[r][c] += block[r][c] * b[c] * a[r] + a[MR + r] * b[NR + c];
        }
        a += 2 * MR;
        b += 2 * NR;
    }
}

static void finish_tile(const ed_gemm_call *call, float sums[MR][NR], size_t i, size_t j)
{
    for (size_t r = 0; r < MR && i + r < call->row_end; r++) {
        for (size_t c = 0; c < NR && j + c < call->col_end; c++) {
            float x = sums[r][c];

            if (call->bias != NULL)
                x += call->bias[j + c];
            x = ed_activate_ref(x, call->activation);
            if (call->residual != NULL)
                x += call->residual[(i + r) * call->ld_residual + j + c];
            call->out[(i + r) * call->ld_out + j + c] = x;
        }
    }
}

static void run_tiles(const ed_gemm_call *call, size_t words,
                      void (*multiply)(float sums[MR][NR], const float *a, const float *b,
                                       size_t depth))
{
    const float *rows = call->rows;
    const float *weights = call->weights;

    for (size_t j = call->col_begin; j < call->col_end; j += NR) {
        for (size_t i = call->row_begin; i < call->row_end; i += MR) {
            float sums[MR][NR];

            multiply(sums, rows + i * words, weights + j * words, call->depth);
            finish_tile(call, sums, i, j);
        }
    }
}

static void run(const ed_gemm_call *call)
{
    run_tiles(call, call->depth, multiply_tile);
}

static void run_blocks(const ed_gemm_call *call)
{
    run_tiles(call, n_blocks(call->depth) * BLOCK_WORDS, multiply_blocks);
}

void ed_gemm_init_ref(ed_kernels *k)
{
    k->gemm_f32 = (ed_gemm){.name = "ed_f32_gemm_4x8_ref",
                            .mr = MR,
                            .nr = NR,
                            .weights_bytes = f32_weights_bytes,
                            .pack_weights = f32_pack_weights,
                            .rows_bytes = f32_rows_bytes,
                            .pack_rows = f32_pack_rows,
                            .run = run};
    k->gemm_bf16 = k->gemm_f32;
    k->gemm_bf16.name = "ed_bf16_gemm_4x8_ref";
    k->gemm_bf16.pack_weights = bf16_pack_weights;
    k->gemm_bf16.pack_rows = bf16_pack_rows;
    k->gemm_int8 = (ed_gemm){.name = "ed_int8_gemm_4x8_ref",
                             .mr = MR,
                             .nr = NR,
                             .weights_bytes = int8_weights_bytes,
                             .pack_weights = int8_pack_weights,
                             .rows_bytes = int8_rows_bytes,
                             .pack_rows = int8_pack_rows,
                             .pack_scaled_rows = int8_pack_scaled_rows,
                             .run = run_blocks};
}
