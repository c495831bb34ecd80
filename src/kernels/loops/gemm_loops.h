/* GEMM around the micro-kernel: the walk over tiles, the ends of rows. Included by each level's
 * gemm files after their vector, packing and tile headers.
 *
 * Weights lie in panels of NR columns, rows in panels of TILE_ROWS, both depth-major: the
 * micro-kernel reads two streams and nothing else. What the last panel lacks is zero. A line of a
 * panel is rows_words(depth) or weights_words(depth) words of 32 bits: what a word holds (a float,
 * two bf16, four bytes) only packing and tile know. */
#ifndef ED_GEMM_LOOPS_H
#define ED_GEMM_LOOPS_H

#include "kernels/kernels.h"
#include "kernels/loops/tile_rows.h"
#include "kernels/loops/vector_math.h"

#include <stdbool.h>

enum {
    GROUP_PANELS_MAX = 4,
    GROUP_BYTES = 1 << 19,    /* panels of weights that stay in the cache next to the core */
    ROW_BLOCK_BYTES = 1 << 20 /* packed rows that are walked through for each such group */
};

/* A tile of rows and the panels it meets. */
typedef struct region {
    size_t row, n_rows; /* at most TILE_ROWS */
    size_t col, n_panels;
    float *out; /* of its first element */
    size_t ld_out;
} region;

static void run_row_block(const ed_gemm_call *call, size_t row_begin, size_t row_end);
static void run_open_region(const ed_gemm_call *call, region r, const float *next);
static void run_packed_region(const ed_gemm_call *call, region r, const float *next);
static void run_region(const ed_gemm_call *call, const region *r, const float *next);
static void finish(const ed_gemm_call *call, const region *r, const float *sums);

static size_t weights_bytes(size_t n_cols, size_t depth)
{
    return panels_bytes(n_cols, NR, weights_words(depth));
}

static size_t rows_bytes(size_t n_rows, size_t depth)
{
    return panels_bytes(n_rows, TILE_ROWS, rows_words(depth));
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* A group of panels small enough for the core's own cache meets a block of rows small enough for
 * the next one: so weights come from memory once per block, and rows once per group. */
static void run(const ed_gemm_call *call)
{
    const size_t panel_bytes = rows_bytes(TILE_ROWS, call->depth);
    const size_t block = TILE_ROWS * (1 + ROW_BLOCK_BYTES / panel_bytes);

    for (size_t row = call->row_begin; row < call->row_end; row += block)
        run_row_block(call, row, min_size(call->row_end, row + block));
}

static void run_row_block(const ed_gemm_call *call, size_t row_begin, size_t row_end)
{
    const float *weights = call->weights;
    const size_t words = weights_words(call->depth);
    const size_t panel_bytes = NR * words * sizeof(float);
    const size_t group = call->packed_out != NULL
                             ? PACK_COLS
                             : NR * min_size(GROUP_PANELS_MAX, 1 + GROUP_BYTES / panel_bytes);

    for (size_t col = call->col_begin; col < call->col_end; col += group) {
        const size_t col_end = min_size(call->col_end, col + group);
        const size_t next_end = min_size(call->col_end, col_end + group);
        size_t next = col_end; /* the first rows bring the next group near, part by part */

        for (size_t row = row_begin; row < row_end; row += TILE_ROWS) {
            const region r = {.row = row,
                              .n_rows = min_size(TILE_ROWS, row_end - row),
                              .col = col,
                              .n_panels = (col_end - col + NR - 1) / NR};
            const float *fetched = weights + (next < next_end ? next : col) * words;

            if (call->packed_out != NULL)
                run_packed_region(call, r, fetched);
            else
                run_open_region(call, r, fetched);
            next += r.n_panels * TILE_PREFETCH;
        }
    }
}

static inline size_t region_width(const ed_gemm_call *call, const region *r)
{
    return min_size(r->n_panels * NR, call->col_end - r->col);
}

/* Where the sums will go is brought near while they are computed, or each store would wait. */
static void run_open_region(const ed_gemm_call *call, region r, const float *next)
{
    const size_t width = region_width(call, &r);

    r.out = call->out + r.row * call->ld_out + r.col;
    r.ld_out = call->ld_out;
    for (size_t i = 0; i < r.n_rows; i++)
        for (size_t c = 0; c < width; c += 16)
            __builtin_prefetch(r.out + i * r.ld_out + c, 1, 3);
    run_region(call, &r, next);
}

/* The floats never leave the first cache. */
static void run_packed_region(const ed_gemm_call *call, region r, const float *next)
{
    _Alignas(64) float finished[TILE_ROWS * PACK_COLS];

    r.out = finished;
    r.ld_out = PACK_COLS;
    run_region(call, &r, next);
    pack_part(call->packed_out, finished, PACK_COLS, r.row, r.n_rows, r.col, region_width(call, &r),
              call->n_cols);
}

static void run_region(const ed_gemm_call *call, const region *r, const float *next)
{
    const size_t words = weights_words(call->depth);
    _Alignas(64) float sums[TILE_ROWS * NR];
    ed_tile t = {.depth = call->depth,
                 .a = (const float *)call->rows + r->row * rows_words(call->depth),
                 .a_step = TILE_ROWS,
                 .b = (const float *)call->weights + r->col * words,
                 .b_step = NR * words,
                 .out = sums,
                 .next = next};
    region part = *r;

    for (size_t left = r->n_panels; left > 0; left -= part.n_panels) {
        part.n_panels = panels_at_once(r->n_rows);
        while (part.n_panels > left)
            part.n_panels /= 2;
        t.out_step = part.n_panels * NR;
        if (part.n_panels == 4)
            multiply_4_panels(r->n_rows, &t);
        else if (part.n_panels == 2)
            multiply_2_panels(r->n_rows, &t);
        else
            multiply_1_panel(r->n_rows, &t);
        finish(call, &part, sums);
        part.col += part.n_panels * NR;
        part.out += part.n_panels * NR;
        t.b += part.n_panels * NR * words;
        t.next += TILE_PREFETCH * words;
    }
}

/* ---- the ends of rows: bias, activation, residual -------------------------------------------- */

/* GEMM_GELU is the packing's: as exact as what its rows keep of it. */
ED_INLINE vf activate_sums(vf x, const ed_activation activation)
{
    return activation == ED_ACTIVATION_GELU ? GEMM_GELU(x) : vf_activate(x, activation);
}

/* A vector of a row, or its first n columns. `bias` and `residual` may be NULL. */
ED_INLINE void finish_vector(float *out, const float *sums, const float *bias,
                             const float *residual, size_t n, const ed_activation activation)
{
    const bool whole = n >= VF_LANES;
    vf x = vf_load(sums);

    if (bias != NULL)
        x = vf_add(x, whole ? vf_load(bias) : vf_load_part(bias, n));
    x = activate_sums(x, activation);
    if (residual != NULL)
        x = vf_add(x, whole ? vf_load(residual) : vf_load_part(residual, n));
    if (whole)
        vf_store(out, x);
    else
        vf_store_part(out, x, n);
}

/* One row of a region: n columns. */
ED_INLINE void finish_row(float *out, const float *sums, const float *bias, const float *residual,
                          size_t n, const ed_activation activation)
{
    size_t c = 0;

    for (; c + VF_LANES <= n; c += VF_LANES)
        finish_vector(out + c, sums + c, bias == NULL ? NULL : bias + c,
                      residual == NULL ? NULL : residual + c, VF_LANES, activation);
    if (c < n)
        finish_vector(out + c, sums + c, bias == NULL ? NULL : bias + c,
                      residual == NULL ? NULL : residual + c, n - c, activation);
}

ED_INLINE void finish_rows(const ed_gemm_call *call, const region *r, const float *sums,
                           const ed_activation activation)
{
    const size_t width = r->n_panels * NR;
    const size_t n = region_width(call, r);
    const float *bias = call->bias == NULL ? NULL : call->bias + r->col;
    const float *residual = call->residual;
    float *out = r->out;

    if (residual != NULL)
        residual += r->row * call->ld_residual + r->col;
    for (size_t i = 0; i < r->n_rows; i++) {
        finish_row(out, sums, bias, residual, n, activation);
        out += r->ld_out;
        sums += width;
        if (residual != NULL)
            residual += call->ld_residual;
    }
}

static void finish(const ed_gemm_call *call, const region *r, const float *sums)
{
    switch (call->activation) {
    case ED_ACTIVATION_NONE:
        finish_rows(call, r, sums, ED_ACTIVATION_NONE);
        break;
    case ED_ACTIVATION_GELU:
        finish_rows(call, r, sums, ED_ACTIVATION_GELU);
        break;
    case ED_ACTIVATION_GELU_TANH:
        finish_rows(call, r, sums, ED_ACTIVATION_GELU_TANH);
        break;
    case ED_ACTIVATION_SILU:
        finish_rows(call, r, sums, ED_ACTIVATION_SILU);
        break;
    case ED_ACTIVATION_RELU:
        finish_rows(call, r, sums, ED_ACTIVATION_RELU);
        break;
    case ED_ACTIVATION_TANH:
        finish_rows(call, r, sums, ED_ACTIVATION_TANH);
        break;
    }
}

/* The table's slot, for a level's init function. */
static ed_gemm gemm_of(const char *name)
{
    return (ed_gemm){.name = name,
                     .mr = TILE_ROWS,
                     .nr = NR,
                     .pack_cols = PACK_COLS,
                     .weights_bytes = weights_bytes,
                     .pack_weights = pack_weights,
                     .rows_bytes = rows_bytes,
                     .pack_rows = pack_rows,
                     .pack_scaled_rows = GEMM_PACK_SCALED_ROWS,
                     .run = run};
}

#endif
