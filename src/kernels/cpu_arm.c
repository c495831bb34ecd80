/* In: the capability words of Linux. Out: flags. On other systems only what every aarch64 has. */
#include "kernels/cpu.h"

/* Bit numbers: Linux, arch/arm64/include/uapi/asm/hwcap.h. */
enum { HWCAP_ASIMD_BIT = 1, HWCAP_ASIMDDP_BIT = 20, HWCAP2_I8MM_BIT = 13 };

ed_cpu_flags ed_cpu_arm_judge(const ed_cpu_arm *cpu)
{
    ed_cpu_flags flags = 0;

    if ((cpu->hwcap >> HWCAP_ASIMD_BIT & 1) == 0)
        return 0;
    flags |= ED_CPU_NEON;
    if ((cpu->hwcap >> HWCAP_ASIMDDP_BIT & 1) != 0)
        flags |= ED_CPU_DOTPROD;
    if ((cpu->hwcap2 >> HWCAP2_I8MM_BIT & 1) != 0)
        flags |= ED_CPU_I8MM;
    return flags;
}

#if defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>
#endif

ed_cpu_flags ed_cpu_detect(void)
{
    ed_cpu_arm cpu = {.hwcap = UINT64_C(1) << HWCAP_ASIMD_BIT};

#if defined(__linux__)
    cpu.hwcap = getauxval(AT_HWCAP);
    cpu.hwcap2 = getauxval(AT_HWCAP2);
#endif
    return ed_cpu_arm_judge(&cpu);
}
#elif !defined(__x86_64__)
ed_cpu_flags ed_cpu_detect(void)
{
    return 0;
}
#endif
