/* Detection, on the words that known machines answer, and the choice of a level by name. */
#include "harness.h"

#include "kernels/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- recorded machines ----------------------------------------------------------------------- */

static const struct x86_machine {
    const char *name;
    ed_cpu_x86 cpu;
    ed_cpu_flags flags;
} x86_machines[] = {
    {"Core 2: no AVX, no leaf 7 subleaf",
     {.leaf_max = 10, .leaf_1 = {0x1067a, 0x40800, 0x0408e3fd, 0xbfebfbff}},
     0},
    {"Sandy Bridge: AVX only",
     {.leaf_max = 13, .leaf_1 = {0x206a7, 0x100800, 0x1fbae3ff, 0xbfebfbff}, .xcr0 = 7},
     0},
    {"Bulldozer-like: AVX and FMA, no AVX2",
     {.leaf_max = 13,
      .leaf_1 = {0x610f01, 0x40800, 0x3e98320b, 0x178bfbff},
      .leaf_7_0 = {0, 0x00000008, 0, 0},
      .xcr0 = 7},
     0},
    {"Haswell",
     {.leaf_max = 13,
      .leaf_1 = {0x306c3, 0x100800, 0x7ffafbff, 0xbfebfbff},
      .leaf_7_0 = {0, 0x000027ab, 0, 0},
      .xcr0 = 7},
     ED_CPU_AVX2},
    {"Haswell, a system that does not use xsave (OSXSAVE clear)",
     {.leaf_max = 13,
      .leaf_1 = {0x306c3, 0x100800, 0x77fafbff, 0xbfebfbff},
      .leaf_7_0 = {0, 0x000027ab, 0, 0}},
     0},
    {"Haswell, a system that saves only xmm",
     {.leaf_max = 13,
      .leaf_1 = {0x306c3, 0x100800, 0x7ffafbff, 0xbfebfbff},
      .leaf_7_0 = {0, 0x000027ab, 0, 0},
      .xcr0 = 3},
     0},
    {"Haswell, leaf 7 hidden by a hypervisor (leaf_max 6)",
     {.leaf_max = 6,
      .leaf_1 = {0x306c3, 0x100800, 0x7ffafbff, 0xbfebfbff},
      .leaf_7_0 = {0, 0x000027ab, 0, 0},
      .xcr0 = 7},
     0},
    {"Skylake-X",
     {.leaf_max = 22,
      .leaf_1 = {0x50654, 0x100800, 0x7ffefbff, 0xbfebfbff},
      .leaf_7_0 = {0, 0xd39ffffb, 0, 0x9c000000},
      .xcr0 = 0x2ff},
     ED_CPU_AVX2 | ED_CPU_AVX512},
    {"Skylake-X, a system that does not save zmm",
     {.leaf_max = 22,
      .leaf_1 = {0x50654, 0x100800, 0x7ffefbff, 0xbfebfbff},
      .leaf_7_0 = {0, 0xd39ffffb, 0, 0x9c000000},
      .xcr0 = 7},
     ED_CPU_AVX2},
    {"Knights Landing: AVX-512 F without BW, DQ and VL",
     {.leaf_max = 13,
      .leaf_1 = {0x50671, 0xff0800, 0x7ff8f3bf, 0xbfebfbff},
      .leaf_7_0 = {0, 0x1c0d23ab, 1, 0},
      .xcr0 = 0xe7},
     ED_CPU_AVX2},
    {"Cascade Lake: VNNI",
     {.leaf_max = 22,
      .leaf_1 = {0x50657, 0x100800, 0x7ffefbff, 0xbfebfbff},
      .leaf_7_0 = {0, 0xd39ffffb, 0x00000808, 0xbc000400},
      .xcr0 = 0x2ff},
     ED_CPU_AVX2 | ED_CPU_AVX512 | ED_CPU_AVX512_VNNI},
    {"Alder Lake: AVX2 and AVX-VNNI, AVX-512 fused off",
     {.leaf_max = 32,
      .leaf_1 = {0x90672, 0x100800, 0x7ffafbff, 0xbfebfbff},
      .leaf_7_0 = {1, 0x239ca7eb, 0x98c007ac, 0xfc18c410},
      .leaf_7_1 = {0x00400810, 0, 0, 0},
      .xcr0 = 7},
     ED_CPU_AVX2},
    {"Zen 3",
     {.leaf_max = 16,
      .leaf_1 = {0xa20f10, 0x100800, 0x7ef8320b, 0x178bfbff},
      .leaf_7_0 = {0, 0x219c97a9, 0x0040068c, 0x10},
      .xcr0 = 0x207},
     ED_CPU_AVX2},
    {"Zen 4, in a virtual machine",
     {.leaf_max = 28,
      .leaf_1 = {0xa10f11, 0x20800, 0xfffa3203, 0x178bfbff},
      .leaf_7_0 = {1, 0xf1bf07ab, 0x00405fc6, 0x10},
      .leaf_7_1 = {0x20, 0, 0, 0},
      .xcr0 = 0xe7},
     ED_CPU_AVX2 | ED_CPU_AVX512 | ED_CPU_AVX512_VNNI | ED_CPU_AVX512_BF16},
};

static const struct arm_machine {
    const char *name;
    ed_cpu_arm cpu;
    ed_cpu_flags flags;
} arm_machines[] = {
    {"no floating point unit", {0, 0}, 0},
    {"Cortex-A72 (Raspberry Pi 4)", {0x887, 0}, ED_CPU_NEON},
    {"Neoverse N1", {0x10119fff, 0}, ED_CPU_NEON | ED_CPU_DOTPROD},
    {"Neoverse V1", {0xdfffffff, 0x67f1}, ED_CPU_NEON | ED_CPU_DOTPROD | ED_CPU_I8MM | ED_CPU_BF16},
    {"an ARM CPU with products of bytes, without bf16",
     {0x10119fff, 0x2000},
     ED_CPU_NEON | ED_CPU_DOTPROD | ED_CPU_I8MM},
};

static void test_x86_machines(const ed_kernels *k)
{
    (void)k;
    for (size_t i = 0; i < sizeof(x86_machines) / sizeof(x86_machines[0]); i++) {
        const struct x86_machine *m = &x86_machines[i];
        const ed_cpu_flags flags = ed_cpu_x86_judge(&m->cpu);

        check_that(flags == m->flags, "%s: flags %#x, not %#x", m->name, flags, m->flags);
    }
}

static void test_arm_machines(const ed_kernels *k)
{
    (void)k;
    for (size_t i = 0; i < sizeof(arm_machines) / sizeof(arm_machines[0]); i++) {
        const struct arm_machine *m = &arm_machines[i];
        const ed_cpu_flags flags = ed_cpu_arm_judge(&m->cpu);

        check_that(flags == m->flags, "%s: flags %#x, not %#x", m->name, flags, m->flags);
    }
}

/* ---- levels by name -------------------------------------------------------------------------- */

static bool has_level(const char *name)
{
    for (const char *const *l = ed_kernels_levels(); *l != NULL; l++) {
        if (strcmp(*l, name) == 0)
            return true;
    }
    return false;
}

static void test_levels_of_this_machine(const ed_kernels *k)
{
    const char *const *levels = ed_kernels_levels();

    (void)k;
    check_that(strcmp(levels[0], "ref") == 0, "the lowest level is %s", levels[0]);
    for (; *levels != NULL; levels++) {
        ed_kernels opened;
        embedd_error err;

        check_that(ed_kernels_open(&opened, *levels, &err) == EMBEDD_OK, "%s", *levels);
        check_that(strcmp(opened.level, *levels) == 0, "%s gave %s", *levels, opened.level);
    }
}

static void test_every_slot_is_filled(const ed_kernels *k)
{
    const ed_gemm *g = &k->gemm_f32;

    check_that(g->name != NULL && g->mr > 0 && g->nr > 0 && g->weights_bytes != NULL &&
                   g->pack_weights != NULL && g->rows_bytes != NULL && g->pack_rows != NULL &&
                   g->run != NULL,
               "gemm_f32");
    check_that(
        k->attention_scratch_bytes != NULL && k->f32_attention != NULL && k->bf16_attention != NULL,
        "attention");
    check_that(k->f32_layernorm != NULL && k->f32_add != NULL && k->f32_add_scaled != NULL &&
                   k->f32_max != NULL && k->f32_scale != NULL && k->f32_dot != NULL &&
                   k->f32_rmsnorm != NULL && k->f32_rotary != NULL && k->f32_gate != NULL &&
                   k->f32_activate != NULL,
               "rows");
}

static void test_missing_level(const ed_kernels *k)
{
    const char *const foreign = has_level("neon") ? "avx2" : "neon";
    ed_kernels opened;
    embedd_error err;

    (void)k;
    check_that(ed_kernels_open(&opened, foreign, &err) == EMBEDD_CPU, "%s was not refused",
               foreign);
    check_that(err.status == EMBEDD_CPU && strstr(err.message, foreign) != NULL, "%s", err.message);
    for (const char *const *l = ed_kernels_levels(); *l != NULL; l++)
        check_that(strstr(err.message, *l) != NULL, "\"%s\" does not name %s", err.message, *l);
}

static void test_unknown_level(const ed_kernels *k)
{
    ed_kernels opened;
    embedd_error err;

    (void)k;
    check_that(ed_kernels_open(&opened, "mmx", &err) == EMBEDD_ARGUMENT, "mmx was not refused");
    check_that(strstr(err.message, "mmx") != NULL && strstr(err.message, "avx512") != NULL &&
                   strstr(err.message, "neon") != NULL,
               "%s", err.message);
    check_that(ed_kernels_open(&opened, "mmx", NULL) == EMBEDD_ARGUMENT, "without an error");
}

static void test_environment(const ed_kernels *k)
{
    const char *before = getenv("EMBEDD_CPU");
    char *kept = before != NULL ? strdup(before) : NULL;
    const char *const *levels = ed_kernels_levels();
    const char *best = levels[0];
    ed_kernels opened;
    embedd_error err;

    (void)k;
    for (; *levels != NULL; levels++)
        best = *levels;
    setenv("EMBEDD_CPU", "ref", 1);
    check_that(
        ed_kernels_open(&opened, NULL, &err) == EMBEDD_OK && strcmp(opened.level, "ref") == 0,
        "EMBEDD_CPU=ref");
    check_that(ed_kernels_open(&opened, best, &err) == EMBEDD_OK && strcmp(opened.level, best) == 0,
               "a level by name wins over EMBEDD_CPU");
    setenv("EMBEDD_CPU", "pentium", 1);
    check_that(ed_kernels_open(&opened, NULL, &err) == EMBEDD_ARGUMENT, "EMBEDD_CPU=pentium");
    unsetenv("EMBEDD_CPU");
    check_that(ed_kernels_open(&opened, NULL, &err) == EMBEDD_OK && strcmp(opened.level, best) == 0,
               "without EMBEDD_CPU the best level is chosen");
    if (kept != NULL)
        setenv("EMBEDD_CPU", kept, 1);
    free(kept);
}

int main(int argc, char **argv)
{
    static const check_test tests[] = {
        {"x86_machines", test_x86_machines},
        {"arm_machines", test_arm_machines},
        {"levels_of_this_machine", test_levels_of_this_machine},
        {"every_slot_is_filled", test_every_slot_is_filled},
        {"missing_level", test_missing_level},
        {"unknown_level", test_unknown_level},
        {"environment", test_environment},
    };

    return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
