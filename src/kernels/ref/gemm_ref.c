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

#include <string.h>

enum { MR = 4, NR = 8 };

static size_t panels_bytes(size_t n, size_t panel, size_t depth)
{
    return (n + panel - 1) / panel * panel * depth * sizeof(float);
}

static size_t weights_bytes(size_t n_cols, size_t depth)
{
    return panels_bytes(n_cols, NR, depth);
}

static size_t rows_bytes(size_t n_rows, size_t depth)
{
    return panels_bytes(n_rows, MR, depth);
}

/* Lines [begin, end) of `lines`; begin is a multiple of `panel`. */
static void pack(float *packed, size_t panel, const float *lines, size_t ld, size_t begin,
                 size_t end, size_t depth)
{
    for (size_t i = begin; i < end; i += panel) {
        float *to = packed + i * depth;

        for (size_t d = 0; d < depth; d++) {
            for (size_t r = 0; r < panel; r++)
                to[d * panel + r] = i + r < end ? lines[(i + r) * ld + d] : 0.0f;
        }
    }
}

static void pack_weights(void *packed, const float *weights, size_t n_cols, size_t depth)
{
    pack(packed, NR, weights, depth, 0, n_cols, depth);
}

static void pack_rows(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                      size_t row_end, size_t depth)
{
    pack(packed, MR, rows, ld_rows, row_begin, row_end, depth);
}

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

static void run(const ed_gemm_call *call)
{
    const float *rows = call->rows;
    const float *weights = call->weights;

    for (size_t j = call->col_begin; j < call->col_end; j += NR) {
        for (size_t i = call->row_begin; i < call->row_end; i += MR) {
            float sums[MR][NR];

            multiply_tile(sums, rows + i * call->depth, weights + j * call->depth, call->depth);
            finish_tile(call, sums, i, j);
        }
    }
}

void ed_gemm_init_ref(ed_kernels *k)
{
    k->gemm_f32 = (ed_gemm){.name = "ed_f32_gemm_4x8_ref",
                            .mr = MR,
                            .nr = NR,
                            .weights_bytes = weights_bytes,
                            .pack_weights = pack_weights,
                            .rows_bytes = rows_bytes,
                            .pack_rows = pack_rows,
                            .run = run};
}
