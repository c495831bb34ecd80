/* In: the capability words of Linux, or what macOS answers by name. Out: flags. On other systems
 * only what every aarch64 has. */
#include "kernels/cpu.h"

#include <stddef.h>

/* Bit numbers: Linux, arch/arm64/include/uapi/asm/hwcap.h. */
enum { HWCAP_ASIMD_BIT = 1, HWCAP_ASIMDDP_BIT = 20, HWCAP2_I8MM_BIT = 13, HWCAP2_BF16_BIT = 14 };

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
    if ((cpu->hwcap2 >> HWCAP2_BF16_BIT & 1) != 0)
        flags |= ED_CPU_BF16;
    return flags;
}

#if defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>

static ed_cpu_arm ask_system(void)
{
    return (ed_cpu_arm){.hwcap = getauxval(AT_HWCAP), .hwcap2 = getauxval(AT_HWCAP2)};
}
#elif defined(__APPLE__)
#include <sys/sysctl.h>

static uint64_t ask_bit(const char *name, unsigned bit)
{
    int answer = 0;
    size_t n_bytes = sizeof(answer);

    /* A name that this version of macOS does not know is a no. */
    if (sysctlbyname(name, &answer, &n_bytes, NULL, 0) != 0 || answer == 0)
        return 0;
    return UINT64_C(1) << bit;
}

static ed_cpu_arm ask_system(void)
{
    return (ed_cpu_arm){
        .hwcap = UINT64_C(1) << HWCAP_ASIMD_BIT |
                 ask_bit("hw.optional.arm.FEAT_DotProd", HWCAP_ASIMDDP_BIT),
        .hwcap2 = ask_bit("hw.optional.arm.FEAT_I8MM", HWCAP2_I8MM_BIT) |
                  ask_bit("hw.optional.arm.FEAT_BF16", HWCAP2_BF16_BIT),
    };
}
#else
static ed_cpu_arm ask_system(void)
{
    return (ed_cpu_arm){.hwcap = UINT64_C(1) << HWCAP_ASIMD_BIT};
}
#endif

ed_cpu_flags ed_cpu_detect(void)
{
    const ed_cpu_arm cpu = ask_system();

    return ed_cpu_arm_judge(&cpu);
}
#elif !defined(__x86_64__)
ed_cpu_flags ed_cpu_detect(void)
{
    return 0;
}
#endif
