/* How fast each kernel of each level is, beside what the level's arithmetic can do at most.
 *
 *     bench_kernels [--json] [--level LEVEL] [--seconds S per line] [KERNEL ...]
 *
 * One thread on one core. The peak is measured again next to every line, so that its share holds
 * on a machine whose clock moves. Times are the best of many short runs. */
#include "base/clock.h"
#include "base/cpu_peak.h"
#include "base/memory.h"
#include "kernels/kernels.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    bool json;
    bool began; /* a JSON line was written */
    const char *level;
    double seconds;
    char **kernels; /* wanted, [n_kernels]; all if none */
    size_t n_kernels;
} options = {.seconds = 0.25};

/* ---- one line -------------------------------------------------------------------------------- */

typedef struct line {
    const char *kernel;
    char shape[64];
    double flop;  /* of one call, or 0 */
    double bytes; /* read and written by one call, or 0 */
    void (*call)(void *context);
    void *context;
    const ed_peak_loop *peak; /* or NULL */
} line;

static bool is_wanted(const char *kernel)
{
    for (size_t i = 0; i < options.n_kernels; i++) {
        if (strcmp(options.kernels[i], kernel) == 0)
            return true;
    }
    return options.n_kernels == 0;
}

static void print_line(const char *level, const line *l, double ns, double peak)
{
    const double gflops = l->flop / ns;
    const double share = peak > 0.0 ? gflops / peak : 0.0;

    if (options.json) {
        printf("%s\n  {\"level\": \"%s\", \"kernel\": \"%s\", \"shape\": \"%s\", \"ns\": %.1f, "
               "\"gflops\": %.2f, \"peak_gflops\": %.2f, \"share\": %.4f, \"gbytes\": %.2f}",
               options.began ? "," : "", level, l->kernel, l->shape, ns, gflops, peak, share,
               l->bytes / ns);
        options.began = true;
    } else if (l->flop > 0.0) {
        printf("%-10s %-14s %-26s %11.2f us %8.1f GFLOP/s of %6.1f  %5.1f %%\n", level, l->kernel,
               l->shape, ns * 1e-3, gflops, peak, share * 100.0);
    } else {
        printf("%-10s %-14s %-26s %11.2f us %8.1f GB/s\n", level, l->kernel, l->shape, ns * 1e-3,
               l->bytes / ns);
    }
    fflush(stdout);
}

/* Peak and kernel in turns until the time is up; the best of each. */
static void measure(const char *level, const line *l)
{
    const uint64_t end = ed_clock_ns() + (uint64_t)(options.seconds * 1e9);
    double peak = 0.0, best = 1e30;
    size_t repeats = 1;

    do {
        uint64_t begin = ed_clock_ns();
        double ns;

        if (l->peak != NULL) {
            const double n = ed_peak_loop_run(l->peak), now = n / (double)(ed_clock_ns() - begin);

            peak = now > peak ? now : peak;
        }
        begin = ed_clock_ns();
        for (size_t i = 0; i < repeats; i++)
            l->call(l->context);
        ns = (double)(ed_clock_ns() - begin);
        best = ns / (double)repeats < best ? ns / (double)repeats : best;
        if (ns < 2e5)
            repeats *= 2;
    } while (ed_clock_ns() < end);
    print_line(level, l, best, peak);
}

static void *allocate(size_t n_bytes)
{
    unsigned char *block = ed_aligned_alloc(n_bytes);

    if (block == NULL) {
        fprintf(stderr, "bench_kernels: no memory for %zu bytes\n", n_bytes);
        exit(1);
    }
    return block;
}

static float *allocate_floats(size_t n)
{
    float *x = allocate(n * sizeof(float));

    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i * 2654435761u % 1000) / 500.0f - 1.0f;
    return x;
}

/* ---- GEMM ------------------------------------------------------------------------------------ */

static const char *const dtype_names[] = {
    [EMBEDD_DTYPE_F32] = "f32", [EMBEDD_DTYPE_BF16] = "bf16", [EMBEDD_DTYPE_INT8] = "int8"};

typedef struct gemm_bench {
    const ed_gemm *gemm;
    float *rows;
    void *packed_rows;
    ed_gemm_call call;
} gemm_bench;

static void call_gemm(void *context)
{
    gemm_bench *b = context;

    b->gemm->run(&b->call);
}

static void call_pack_rows(void *context)
{
    gemm_bench *b = context;

    b->gemm->pack_rows(b->packed_rows, b->rows, b->call.depth, 0, b->call.n_rows, b->call.depth);
}

/* The peak is that of the instruction which the kernel's own level has for the type. */
static void bench_gemm(const char *level, embedd_dtype dtype, const ed_gemm *gemm,
                       const ed_gemm_call *shape)
{
    const size_t m = shape->n_rows, n = shape->n_cols, depth = shape->depth;
    const size_t rows_bytes = gemm->rows_bytes(m, depth);
    const size_t weights_bytes = gemm->weights_bytes(n, depth);
    const char *const gelu = shape->activation == ED_ACTIVATION_GELU ? " gelu" : "";
    float *weights = allocate_floats(n * depth);
    float *bias = allocate_floats(n), *out = allocate_floats(m * n);
    void *packed_weights = allocate(weights_bytes);
    gemm_bench b = {gemm, allocate_floats(m * depth), allocate(rows_bytes), *shape};
    line run = {.flop = 2.0 * (double)(m * n) * (double)depth,
                .call = call_gemm,
                .context = &b,
                .peak = ed_peak_loop_find(strrchr(gemm->name, '_') + 1, dtype)};
    line pack = {.bytes = 4.0 * (double)(m * depth) + (double)rows_bytes,
                 .call = call_pack_rows,
                 .context = &b};
    char names[2][32];

    b.call.rows = b.packed_rows;
    b.call.weights = packed_weights;
    b.call.bias = bias;
    b.call.out = out;
    gemm->pack_weights(packed_weights, weights, n, depth);
    snprintf(names[0], sizeof(names[0]), "gemm_%s", dtype_names[dtype]);
    snprintf(names[1], sizeof(names[1]), "pack_%s", dtype_names[dtype]);
    run.kernel = names[0];
    pack.kernel = names[1];
    snprintf(run.shape, sizeof(run.shape), "%zu x %zu x %zu%s", m, n, depth, gelu);
    snprintf(pack.shape, sizeof(pack.shape), "%zu x %zu", m, depth);
    call_pack_rows(&b);
    if (is_wanted(run.kernel))
        measure(level, &run);
    if (is_wanted(pack.kernel) && n == 768)
        measure(level, &pack);
    ed_aligned_free(weights, n * depth * sizeof(float));
    ed_aligned_free(bias, n * sizeof(float));
    ed_aligned_free(out, m * n * sizeof(float));
    ed_aligned_free(packed_weights, weights_bytes);
    ed_aligned_free(b.rows, m * depth * sizeof(float));
    ed_aligned_free(b.packed_rows, rows_bytes);
}

static void bench_type(const char *level, embedd_dtype dtype, const ed_gemm *gemm)
{
    static const size_t counts[] = {1, 8, 22, 128, 256, 1024};
    static const struct {
        size_t n, depth;
        ed_activation activation;
    } products[] = {
        {768, 768, ED_ACTIVATION_NONE},  {2304, 768, ED_ACTIVATION_NONE},
        {3072, 768, ED_ACTIVATION_GELU}, {768, 3072, ED_ACTIVATION_NONE},
        {384, 384, ED_ACTIVATION_NONE},  {1152, 384, ED_ACTIVATION_NONE},
        {1536, 384, ED_ACTIVATION_GELU}, {384, 1536, ED_ACTIVATION_NONE},
    };

    for (size_t p = 0; p < sizeof(products) / sizeof(products[0]); p++) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            const ed_gemm_call shape = {.ld_out = products[p].n,
                                        .n_rows = counts[i],
                                        .n_cols = products[p].n,
                                        .depth = products[p].depth,
                                        .row_end = counts[i],
                                        .col_end = products[p].n,
                                        .activation = products[p].activation};

            bench_gemm(level, dtype, gemm, &shape);
        }
    }
}

static void bench_gemms(const ed_kernels *k)
{
    const struct {
        embedd_dtype dtype;
        const char *run, *pack;
        const ed_gemm *gemm;
    } types[] = {{EMBEDD_DTYPE_F32, "gemm_f32", "pack_f32", &k->gemm_f32},
                 {EMBEDD_DTYPE_BF16, "gemm_bf16", "pack_bf16", &k->gemm_bf16},
                 {EMBEDD_DTYPE_INT8, "gemm_int8", "pack_int8", &k->gemm_int8}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_wanted(types[i].run) || is_wanted(types[i].pack))
            bench_type(k->level, types[i].dtype, types[i].gemm);
    }
}

/* ---- attention ------------------------------------------------------------------------------- */

typedef struct attention_bench {
    void (*attention)(const ed_attention_call *call);
    ed_attention_call call;
} attention_bench;

static void call_attention(void *context)
{
    attention_bench *b = context;

    b->attention(&b->call);
}

static void bench_attention(const ed_kernels *k, bool bf16, size_t n, size_t head_size,
                            bool with_bias)
{
    const size_t ld = 12 * head_size;
    const size_t scratch_bytes = k->attention_scratch_bytes(n, head_size);
    float *q = allocate_floats(n * ld), *keys = allocate_floats(n * ld);
    float *v = allocate_floats(n * ld), *out = allocate_floats(n * ld);
    float *bias = allocate_floats(2 * n);
    attention_bench b = {bf16 ? k->bf16_attention : k->f32_attention, {0}};
    line l = {.kernel = bf16 ? "bf16_attention" : "f32_attention",
              .flop = 4.0 * (double)(n * n) * (double)head_size,
              .call = call_attention,
              .context = &b,
              .peak = ed_peak_loop_find(k->level, bf16 ? EMBEDD_DTYPE_BF16 : EMBEDD_DTYPE_F32)};

    b.call = (ed_attention_call){.q = q,
                                 .reach_back = SIZE_MAX,
                                 .reach_ahead = SIZE_MAX,
                                 .k = keys,
                                 .v = v,
                                 .ld_qkv = ld,
                                 .bias = with_bias ? bias + (n - 1) : NULL,
                                 .scale = 0.125f,
                                 .n_tokens = n,
                                 .head_size = head_size,
                                 .out = out,
                                 .ld_out = ld,
                                 .scratch = allocate(scratch_bytes)};
    snprintf(l.shape, sizeof(l.shape), "S %zu K %zu%s", n, head_size, with_bias ? " bias" : "");
    measure(k->level, &l);
    ed_aligned_free(q, n * ld * sizeof(float));
    ed_aligned_free(keys, n * ld * sizeof(float));
    ed_aligned_free(v, n * ld * sizeof(float));
    ed_aligned_free(out, n * ld * sizeof(float));
    ed_aligned_free(bias, 2 * n * sizeof(float));
    ed_aligned_free(b.call.scratch, scratch_bytes);
}

static void bench_attentions(const ed_kernels *k)
{
    for (int bf16 = 0; bf16 <= (k->bf16_attention != k->f32_attention); bf16++) {
        if (!is_wanted(bf16 ? "bf16_attention" : "f32_attention"))
            continue;
        bench_attention(k, bf16, 8, 64, false);
        bench_attention(k, bf16, 22, 64, false);
        bench_attention(k, bf16, 128, 64, false);
        bench_attention(k, bf16, 384, 64, true);
        bench_attention(k, bf16, 512, 64, false);
        bench_attention(k, bf16, 22, 32, false);
        bench_attention(k, bf16, 256, 32, false);
        bench_attention(k, bf16, 512, 128, false);
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct rows_bench {
    const ed_kernels *k;
    float *x, *y, *gamma, *beta;
    size_t n_rows, d;
    volatile float sink;
} rows_bench;

static void call_layernorm(void *context)
{
    rows_bench *b = context;

    b->k->f32_layernorm(b->y, b->d, b->x, b->d, b->gamma, b->beta, 1e-12f, b->n_rows, b->d);
}

static void call_rmsnorm(void *context)
{
    rows_bench *b = context;

    b->k->f32_rmsnorm(b->y, b->d, b->x, b->d, b->gamma, 1e-6f, b->n_rows, b->d);
}

static void call_rotary(void *context)
{
    rows_bench *b = context;

    for (size_t i = 0; i < b->n_rows; i++)
        b->k->f32_rotary(b->x + i * b->d, b->d / 64, 64, b->gamma, b->beta);
}

static void call_gate(void *context)
{
    rows_bench *b = context;

    b->k->f32_gate(b->x, b->d, b->n_rows, b->d / 2, ED_ACTIVATION_SILU);
}

static void call_add(void *context)
{
    rows_bench *b = context;

    b->k->f32_add(b->y, b->x, b->n_rows * b->d);
}

static void call_add_scaled(void *context)
{
    rows_bench *b = context;

    b->k->f32_add_scaled(b->y, b->x, 1e-9f, b->n_rows * b->d);
}

static void call_max(void *context)
{
    rows_bench *b = context;

    b->k->f32_max(b->y, b->x, b->n_rows * b->d);
}

static void call_scale(void *context)
{
    rows_bench *b = context;

    b->k->f32_scale(b->y, 1.0f, b->n_rows * b->d);
}

static void call_dot(void *context)
{
    rows_bench *b = context;

    b->sink = b->k->f32_dot(b->y, b->x, b->n_rows * b->d);
}

static void bench_rows(const ed_kernels *k)
{
    static const struct {
        const char *kernel;
        double passes; /* over memory */
        void (*call)(void *context);
    } kernels[] = {
        {"f32_layernorm", 2, call_layernorm},
        {"f32_rmsnorm", 2, call_rmsnorm},
        {"f32_rotary", 2, call_rotary},
        {"f32_gate", 1.5, call_gate},
        {"f32_add", 3, call_add},
        {"f32_add_scaled", 3, call_add_scaled},
        {"f32_max", 3, call_max},
        {"f32_scale", 2, call_scale},
        {"f32_dot", 2, call_dot},
    };
    const size_t n_rows = 32, d = 768, n_bytes = n_rows * d * sizeof(float);
    rows_bench b = {
        k, allocate_floats(n_rows * d), allocate_floats(n_rows * d), NULL, NULL, n_rows, d, 0.0f};

    b.gamma = allocate_floats(d);
    b.beta = allocate_floats(d);
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        line l = {.kernel = kernels[i].kernel,
                  .bytes = kernels[i].passes * (double)n_bytes,
                  .call = kernels[i].call,
                  .context = &b};

        snprintf(l.shape, sizeof(l.shape), "%zu x %zu", n_rows, d);
        if (is_wanted(l.kernel))
            measure(k->level, &l);
    }
    ed_aligned_free(b.x, n_bytes);
    ed_aligned_free(b.y, n_bytes);
    ed_aligned_free(b.gamma, d * sizeof(float));
    ed_aligned_free(b.beta, d * sizeof(float));
}

/* ---- main ------------------------------------------------------------------------------------ */

/* On the core it runs on now: a move would cost the caches in the middle of a measurement. */
static void stay_on_this_core(void)
{
#if defined(__linux__)
    const int cpu = sched_getcpu();
    cpu_set_t set;

    CPU_ZERO(&set);
    if (cpu >= 0)
        CPU_SET((size_t)cpu, &set);
    if (cpu < 0 || sched_setaffinity(0, sizeof(set), &set) != 0)
        fprintf(stderr, "bench_kernels: could not stay on one core\n");
#endif
}

static bool parse_options(int argc, char **argv)
{
    options.kernels = argv;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options.json = true;
        else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc)
            options.level = argv[++i];
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            options.seconds = strtod(argv[++i], NULL);
        else if (argv[i][0] == '-')
            return false;
        else
            options.kernels[options.n_kernels++] = argv[i];
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *const *level = ed_kernels_levels();
    const char *one_level[2] = {NULL, NULL};

    if (!parse_options(argc, argv)) {
        fprintf(stderr,
                "usage: bench_kernels [--json] [--level LEVEL] [--seconds S] [KERNEL ...]\n");
        return 2;
    }
    if (options.level != NULL) {
        one_level[0] = options.level;
        level = one_level;
    }
    stay_on_this_core();
    if (options.json)
        printf("[");
    for (; *level != NULL; level++) {
        ed_kernels k;
        embedd_error err;

        if (ed_kernels_open(&k, *level, &err) != EMBEDD_OK) {
            fprintf(stderr, "bench_kernels: %s\n", err.message);
            return 1;
        }
        bench_gemms(&k);
        bench_attentions(&k);
        bench_rows(&k);
    }
    if (options.json)
        printf("\n]\n");
    return 0;
}
