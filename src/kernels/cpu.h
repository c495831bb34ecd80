/* What this CPU can do. The judgement is a pure function of the words the hardware (or the kernel)
 * answered, so that it can be tested with the words of machines nobody has at hand. */
#ifndef ED_CPU_H
#define ED_CPU_H

#include <stdint.h>

/* A flag says "these instructions exist and the operating system saves their registers". */
enum {
    ED_CPU_AVX2 = 1 << 0,        /* AVX2 and FMA */
    ED_CPU_AVX512 = 1 << 1,      /* F, BW, VL and DQ */
    ED_CPU_AVX512_VNNI = 1 << 2, /* dot products of bytes */
    ED_CPU_AVX512_BF16 = 1 << 3,
    ED_CPU_NEON = 1 << 4,    /* part of every aarch64 */
    ED_CPU_DOTPROD = 1 << 5, /* dot products of bytes */
    ED_CPU_I8MM = 1 << 6,    /* products of 2x8 and 8x2 bytes */
    ED_CPU_BF16 = 1 << 7     /* of aarch64: dot products of bf16, products of 2x4 and 4x2 */
};
typedef uint32_t ed_cpu_flags;

typedef struct ed_cpuid {
    uint32_t eax, ebx, ecx, edx;
} ed_cpuid;

typedef struct ed_cpu_x86 {
    uint32_t leaf_max; /* eax of leaf 0 */
    ed_cpuid leaf_1;
    ed_cpuid leaf_7_0; /* leaf 7, subleaf 0 */
    ed_cpuid leaf_7_1; /* leaf 7, subleaf 1; zero if leaf 7 has no such subleaf */
    uint64_t xcr0;     /* xgetbv(0): register sets the system saves; 0 without OSXSAVE */
} ed_cpu_x86;

ed_cpu_flags ed_cpu_x86_judge(const ed_cpu_x86 *cpu);

typedef struct ed_cpu_arm {
    uint64_t hwcap, hwcap2; /* getauxval(AT_HWCAP), getauxval(AT_HWCAP2) of Linux; on macOS the
                             * bits that sysctl says yes to, in the same places */
} ed_cpu_arm;

ed_cpu_flags ed_cpu_arm_judge(const ed_cpu_arm *cpu);

/* Flags of the machine this runs on; 0 on an architecture we do not know. */
ed_cpu_flags ed_cpu_detect(void);

#endif
