/* In: the words of cpuid and xgetbv. Out: flags. It must never say yes to registers that the
 * operating system does not save: such code faults, or loses its sums at a task switch. */
#include "kernels/cpu.h"

#include <stdbool.h>

/* Bit numbers: Intel SDM volume 2A, CPUID; volume 1, 13.3 (XCR0). */
enum {
    LEAF1_ECX_FMA = 12,
    LEAF1_ECX_OSXSAVE = 27,
    LEAF1_ECX_AVX = 28,
    LEAF7_EBX_AVX2 = 5,
    LEAF7_EBX_AVX512F = 16,
    LEAF7_EBX_AVX512DQ = 17,
    LEAF7_EBX_AVX512BW = 30,
    LEAF7_EBX_AVX512VL = 31,
    LEAF7_ECX_AVX512_VNNI = 11,
    LEAF7_1_EAX_AVX512_BF16 = 5
};
#define XCR0_AVX    UINT64_C(0x06) /* xmm, ymm */
#define XCR0_AVX512 UINT64_C(0xe6) /* and k0-7, upper halves of zmm0-15, zmm16-31 */

static bool bit(uint32_t word, unsigned index)
{
    return (word >> index & 1) != 0;
}

ed_cpu_flags ed_cpu_x86_judge(const ed_cpu_x86 *cpu)
{
    ed_cpu_flags flags = 0;

    if (cpu->leaf_max < 7 || !bit(cpu->leaf_1.ecx, LEAF1_ECX_OSXSAVE))
        return 0;
    if ((cpu->xcr0 & XCR0_AVX) != XCR0_AVX || !bit(cpu->leaf_1.ecx, LEAF1_ECX_AVX) ||
        !bit(cpu->leaf_1.ecx, LEAF1_ECX_FMA) || !bit(cpu->leaf_7_0.ebx, LEAF7_EBX_AVX2))
        return 0;
    flags |= ED_CPU_AVX2;

    if ((cpu->xcr0 & XCR0_AVX512) != XCR0_AVX512 || !bit(cpu->leaf_7_0.ebx, LEAF7_EBX_AVX512F) ||
        !bit(cpu->leaf_7_0.ebx, LEAF7_EBX_AVX512DQ) ||
        !bit(cpu->leaf_7_0.ebx, LEAF7_EBX_AVX512BW) || !bit(cpu->leaf_7_0.ebx, LEAF7_EBX_AVX512VL))
        return flags;
    flags |= ED_CPU_AVX512;

    if (bit(cpu->leaf_7_0.ecx, LEAF7_ECX_AVX512_VNNI))
        flags |= ED_CPU_AVX512_VNNI;
    if (bit(cpu->leaf_7_1.eax, LEAF7_1_EAX_AVX512_BF16))
        flags |= ED_CPU_AVX512_BF16;
    return flags;
}

#if defined(__x86_64__)
#include <cpuid.h>

static ed_cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    ed_cpuid r;

    __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
    return r;
}

ed_cpu_flags ed_cpu_detect(void)
{
    ed_cpu_x86 cpu = {.leaf_max = cpuid(0, 0).eax};

    cpu.leaf_1 = cpuid(1, 0);
    if (cpu.leaf_max >= 7) {
        cpu.leaf_7_0 = cpuid(7, 0);
        if (cpu.leaf_7_0.eax >= 1)
            cpu.leaf_7_1 = cpuid(7, 1);
    }
    if (bit(cpu.leaf_1.ecx, LEAF1_ECX_OSXSAVE)) {
        uint32_t low, high;

        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        cpu.xcr0 = (uint64_t)high << 32 | low;
    }
    return ed_cpu_x86_judge(&cpu);
}
#endif
