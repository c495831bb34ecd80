/* In: what the CPU can do and the level the user asked for. Out: a table with every slot filled.
 * It must never hand out a kernel that this machine cannot run. */
#include "kernels/kernels.h"

#include "base/error.h"
#include "kernels/cpu.h"
#include "kernels/levels.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All levels of all machines. Within an architecture a later one needs the flags of the earlier
 * ones, so that a forced level is the ladder climbed with fewer flags. */
static const struct rung {
    const char *level;
    ed_cpu_flags flags;
} rungs[] = {
    {"ref", 0},
    {"avx2", ED_CPU_AVX2},
    {"avx512", ED_CPU_AVX2 | ED_CPU_AVX512},
    {"avx512vnni", ED_CPU_AVX2 | ED_CPU_AVX512 | ED_CPU_AVX512_VNNI},
    {"avx512bf16", ED_CPU_AVX2 | ED_CPU_AVX512 | ED_CPU_AVX512_VNNI | ED_CPU_AVX512_BF16},
    {"neon", ED_CPU_NEON},
    {"dotprod", ED_CPU_NEON | ED_CPU_DOTPROD},
    {"i8mm", ED_CPU_NEON | ED_CPU_DOTPROD | ED_CPU_I8MM},
    {"bf16", ED_CPU_NEON | ED_CPU_DOTPROD | ED_CPU_I8MM | ED_CPU_BF16},
};
enum { N_RUNGS = sizeof(rungs) / sizeof(rungs[0]) };

static const struct rung *find_rung(const char *level);
static void init_ref(ed_kernels *k);
static void init_x86(ed_kernels *k, ed_cpu_flags flags);
static void init_arm(ed_kernels *k, ed_cpu_flags flags);
static void join_levels(char *out, size_t out_cap, bool all);

embedd_status ed_kernels_open(ed_kernels *out, const char *level, embedd_error *err)
{
    ed_cpu_flags flags = ed_cpu_detect();

    if (level == NULL)
        level = getenv("EMBEDD_CPU");
    if (level != NULL && *level != '\0') {
        const struct rung *rung = find_rung(level);
        char names[128];

        join_levels(names, sizeof(names), rung == NULL);
        if (rung == NULL)
            return ed_fail(err, EMBEDD_ARGUMENT, "CPU level \"%.40s\" is not one of %s", level,
                           names);
        if ((rung->flags & flags) != rung->flags)
            return ed_fail(err, EMBEDD_CPU, "this CPU lacks the level \"%s\"; it has %s", level,
                           names);
        flags = rung->flags;
    }
    init_ref(out);
    init_x86(out, flags);
    init_arm(out, flags);
    return EMBEDD_OK;
}

static const struct rung *find_rung(const char *level)
{
    for (size_t i = 0; i < N_RUNGS; i++) {
        if (strcmp(rungs[i].level, level) == 0)
            return &rungs[i];
    }
    return NULL;
}

/* ---- the ladder ------------------------------------------------------------------------------ */

static void init_ref(ed_kernels *k)
{
    k->level = "ref";
    ed_gemm_init_ref(k);
    ed_attention_init_ref(k);
    ed_rows_init_ref(k);
    ed_activations_init_ref(k);
    ed_heads_init_ref(k);
}

static void init_x86(ed_kernels *k, ed_cpu_flags flags)
{
#if defined(__x86_64__)
    if ((flags & ED_CPU_AVX2) == 0)
        return;
    k->level = "avx2";
    ed_gemm_init_avx2(k);
    ed_gemm_bf16_init_avx2(k);
    ed_gemm_int8_init_avx2(k);
    ed_attention_init_avx2(k);
    ed_rows_init_avx2(k);
    ed_activations_init_avx2(k);
    ed_heads_init_avx2(k);

    if ((flags & ED_CPU_AVX512) == 0)
        return;
    k->level = "avx512";
    ed_gemm_init_avx512(k);
    ed_gemm_bf16_init_avx512(k);
    ed_gemm_int8_init_avx512(k);
    ed_attention_init_avx512(k);
    ed_rows_init_avx512(k);
    ed_activations_init_avx512(k);
    ed_heads_init_avx512(k);

    if ((flags & ED_CPU_AVX512_VNNI) == 0)
        return;
    k->level = "avx512vnni";
    ed_gemm_int8_init_avx512vnni(k);

    if ((flags & ED_CPU_AVX512_BF16) == 0)
        return;
    k->level = "avx512bf16";
    ed_gemm_bf16_init_avx512bf16(k);
    ed_attention_init_avx512bf16(k);
#else
    (void)k;
    (void)flags;
#endif
}

static void init_arm(ed_kernels *k, ed_cpu_flags flags)
{
#if defined(__aarch64__)
    if ((flags & ED_CPU_NEON) == 0)
        return;
    k->level = "neon";
    ed_gemm_init_neon(k);
    ed_gemm_bf16_init_neon(k);
    ed_gemm_int8_init_neon(k);
    ed_attention_init_neon(k);
    ed_rows_init_neon(k);
    ed_activations_init_neon(k);
    ed_heads_init_neon(k);

    if ((flags & ED_CPU_DOTPROD) == 0)
        return;
    k->level = "dotprod";
    ed_gemm_int8_init_dotprod(k);

    if ((flags & ED_CPU_I8MM) == 0)
        return;
    k->level = "i8mm";
    ed_gemm_int8_init_i8mm(k);

    if ((flags & ED_CPU_BF16) == 0)
        return;
    k->level = "bf16";
    ed_gemm_bf16_init_bf16(k);
    ed_attention_init_bf16(k);
#else
    (void)k;
    (void)flags;
#endif
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *machine_levels[N_RUNGS + 1];
static pthread_once_t machine_levels_once = PTHREAD_ONCE_INIT;

static void find_machine_levels(void)
{
    const ed_cpu_flags flags = ed_cpu_detect();
    size_t n = 0;

    for (size_t i = 0; i < N_RUNGS; i++) {
        if ((rungs[i].flags & flags) == rungs[i].flags)
            machine_levels[n++] = rungs[i].level;
    }
}

const char *const *ed_kernels_levels(void)
{
    pthread_once(&machine_levels_once, find_machine_levels);
    return machine_levels;
}

/* "ref, avx2": the levels of this machine, or all there are. */
static void join_levels(char *out, size_t out_cap, bool all)
{
    const char *const *names = ed_kernels_levels();
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; all ? i < N_RUNGS : names[i] != NULL; i++) {
        const char *name = all ? rungs[i].level : names[i];

        used += (size_t)snprintf(out + used, out_cap - used, "%s%s", i == 0 ? "" : ", ", name);
    }
}
