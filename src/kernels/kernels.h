/* The list of kernels: what each computes, and the struct of function pointers that holds one CPU
 * level's choice. A kernel does not exist until it has a reference in ref/, a slot here, a rung in
 * kernels.c, a check in tests/kernels and a line in bench/.
 *
 * Letters: T tokens of a packed batch, S tokens of one text, D hidden size, H heads, K width of a
 * head, F feed-forward size. GEMM uses its own three: out[M][N] = rows[M][depth] *
 * weights[N][depth]^T.
 *
 * Every output element is a chain of operations whose order depends on its own row only: never on
 * M, on the row's place in a tile, on the tile's place in the matrix or on the thread. At one level
 * the same row therefore always gives the same bits. */
#ifndef ED_KERNELS_H
#define ED_KERNELS_H

#include "embedd.h"

/* ---- GEMM with packed weights ---------------------------------------------------------------- */

typedef enum ed_activation {
    ED_ACTIVATION_NONE,
    ED_ACTIVATION_GELU,      /* exact: x * (1 + erf(x / sqrt 2)) / 2 */
    ED_ACTIVATION_GELU_TANH, /* x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 */
    ED_ACTIVATION_SILU,      /* x / (1 + exp(-x)) */
    ED_ACTIVATION_RELU,
    ED_ACTIVATION_TANH
} ed_activation;

/* out[i][j] = activation(sum_d rows[i][d] * weights[j][d] + bias[j]) + residual[i][j]
 * for i in [row_begin, row_end), j in [col_begin, col_end): one task of a larger product. */
typedef struct ed_gemm_call {
    const void *rows;      /* the M packed rows, from pack_rows */
    const void *weights;   /* the N packed rows of weights, from pack_weights */
    const float *bias;     /* [N] or NULL */
    const float *residual; /* [M][ld_residual] or NULL; may be `out` itself */
    float *out;            /* [M][ld_out] */
    void *packed_out;      /* or NULL; else `out` is not used, and the rows of it go here, packed as
                              pack_rows of the same kernel does it for a product of depth N */
    size_t ld_residual;
    size_t ld_out;
    size_t n_rows;             /* M */
    size_t n_cols;             /* N */
    size_t depth;              /* >= 1 */
    size_t row_begin, row_end; /* row_begin: a multiple of mr; row_end: likewise, or M */
    size_t col_begin, col_end; /* col_begin: a multiple of nr, or with packed_out of pack_cols;
                                  col_end: likewise, or N */
    ed_activation activation;
} ed_gemm_call;

/* A kernel and the packing it needs travel together. Packed memory is ED_ALIGNMENT-aligned and
 * opaque; its size does not depend on the data. Rows are packed (and, for narrower types, rounded
 * row by row) once per product, weights once per model. */
typedef struct ed_gemm {
    const char *name; /* "ed_f32_gemm_12x32_avx512" */
    size_t mr, nr;    /* tile of the micro-kernel */
    size_t pack_cols; /* columns that are packed together into packed_out; 0 = none ever are */
    size_t (*weights_bytes)(size_t n_cols, size_t depth);
    void (*pack_weights)(void *packed, const float *weights /* [N][depth] */, size_t n_cols,
                         size_t depth);
    size_t (*rows_bytes)(size_t n_rows, size_t depth);
    /* Packs rows [row_begin, row_end); row_begin is a multiple of mr. */
    void (*pack_rows)(void *packed, const float *rows /* [M][ld_rows] */, size_t ld_rows,
                      size_t row_begin, size_t row_end, size_t depth);
    /* The same, of rows whose numbers are multiplied by scale[depth] first; NULL where the type's
     * rounding is as good for large numbers as for small ones. */
    void (*pack_scaled_rows)(void *packed, const float *rows, size_t ld_rows, size_t row_begin,
                             size_t row_end, size_t depth, const float *scale);
    void (*run)(const ed_gemm_call *call);
} ed_gemm;

/* ---- attention ------------------------------------------------------------------------------- */

/* One head of one text: out[i] = sum_j softmax_j(scale * q[i].k[j] + bias[j - i]) * v[j].
 * Softmax subtracts the row's maximum and sums in f32; finite input never makes a NaN. No S x S
 * matrix is kept: memory is O(S * head_size). S and head_size may be any number >= 1. `out` may be
 * `q` itself, with the same ld: a row's result is written only after its q was read. */
typedef struct ed_attention_call {
    const float *q, *k, *v; /* [S] rows of head_size floats, ld_qkv apart */
    size_t ld_qkv;
    const float *bias; /* by distance: bias[j - i], -(S-1) .. S-1; NULL = none */
    float scale;
    size_t n_tokens;  /* S */
    size_t head_size; /* K */
    /* Row i sees the keys j with i - reach_back <= j <= i + reach_ahead. SIZE_MAX = all of them,
     * 0 ahead = causal. */
    size_t reach_back, reach_ahead;
    float *out; /* [S] rows of head_size floats, ld_out apart */
    size_t ld_out;
    void *scratch; /* attention_scratch_bytes(S, head_size), aligned */
} ed_attention_call;

/* ---- the table ------------------------------------------------------------------------------- */

typedef struct ed_kernels {
    const char *level; /* "ref", "avx2", "neon", ...: shown by /info */

    /* The same product with narrower weights, rows packed to suit:
     * bf16  weights rounded to bf16; rows too where the CPU multiplies bf16; sums in f32.
     * int8  each 128 numbers along the depth are whole numbers times a scale, of weights from -127
     * to 127, of rows from 0 to 255 above their minimum; sums exact within the 128, in f32 between
     *       them. */
    ed_gemm gemm_f32, gemm_bf16, gemm_int8;

    size_t (*attention_scratch_bytes)(size_t n_tokens, size_t head_size);
    void (*f32_attention)(const ed_attention_call *call);
    /* The same beside narrower weights: where the CPU multiplies bf16, what both products read is
     * rounded to it; sums and softmax stay f32. */
    void (*bf16_attention)(const ed_attention_call *call);

    /* y[i] = (x[i] - mean) / sqrt(variance + eps) * gamma + beta, rows of d floats; y may be x. */
    void (*f32_layernorm)(float *y, size_t ld_y, const float *x, size_t ld_x, const float *gamma,
                          const float *beta, float eps, size_t n_rows, size_t d);

    /* The same without mean and beta: y[i] = x[i] / sqrt(mean(x^2) + eps) * gamma. */
    void (*f32_rmsnorm)(float *y, size_t ld_y, const float *x, size_t ld_x, const float *gamma,
                        float eps, size_t n_rows, size_t d);

    /* Rotates the halves of n_heads neighbouring heads of one token, in place:
     * (a[i], b[i]) -> (a[i] cos[i] - b[i] sin[i], b[i] cos[i] + a[i] sin[i]), i < head_size / 2. */
    void (*f32_rotary)(float *heads, size_t n_heads, size_t head_size, const float *cosine,
                       const float *sine);

    /* Rows of 2 f floats: the first half becomes activation(first) * second. */
    void (*f32_gate)(float *rows, size_t ld, size_t n_rows, size_t f, ed_activation activation);
    void (*f32_activate)(float *x, size_t n, ed_activation activation); /* in place */

    void (*f32_add)(float *y, const float *x, size_t n);                 /* y += x */
    void (*f32_add_scaled)(float *y, const float *x, float a, size_t n); /* y += a * x */
    void (*f32_max)(float *y, const float *x, size_t n);                 /* y = max(y, x) */
    void (*f32_scale)(float *y, float a, size_t n);                      /* y *= a */
    float (*f32_dot)(const float *x, const float *y, size_t n);
} ed_kernels;

/* The kernels of a level. `level` NULL: the value of EMBEDD_CPU if set, else the best this machine
 * has. CPU if the machine lacks the level, ARGUMENT (naming the levels) if there is none such. */
embedd_status ed_kernels_open(ed_kernels *out, const char *level, embedd_error *err);

/* Levels this machine can run, lowest first, "ref" always; NULL-terminated static array. */
const char *const *ed_kernels_levels(void);

#endif
