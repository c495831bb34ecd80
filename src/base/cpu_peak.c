/* In: the name of a level. Out: a measurement. The loops keep twelve sums in registers, enough to
 * hide the latency of each instruction; nothing is read from memory. Where a step has two
 * instructions, the first needs the sum: a product that never changes would leave the loop. */
#include "base/cpu_peak.h"

#include "base/clock.h"
#include "base/thread_pool.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define CHAINS  12
#define STEPS   20000
#define REPEATS 40
#define TASKS   10 /* of each thread and repeat */

/* The empty assembly keeps the sums in registers and the loop from being dropped. */
#define PEAK_LOOP(type, zero, constraint, step)                                                    \
    type s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero,   \
         s8 = zero, s9 = zero, s10 = zero, s11 = zero;                                             \
    for (int i = 0; i < STEPS; i++) {                                                              \
        s0 = step(s0), s1 = step(s1), s2 = step(s2), s3 = step(s3), s4 = step(s4), s5 = step(s5);  \
        s6 = step(s6), s7 = step(s7), s8 = step(s8), s9 = step(s9), s10 = step(s10);               \
        s11 = step(s11);                                                                           \
        __asm__ volatile(""                                                                        \
                         : constraint(s0), constraint(s1), constraint(s2), constraint(s3),         \
                           constraint(s4), constraint(s5), constraint(s6), constraint(s7),         \
                           constraint(s8), constraint(s9), constraint(s10), constraint(s11));      \
    }

#if defined(__x86_64__)
#define IN_SSE(x) "+x"(x)
#define IN_ZMM(x) "+v"(x)

static void run_sse(void)
{
    __m128 a = _mm_set1_ps(1.0f), b = _mm_set1_ps(1e-9f);
    __asm__ volatile("" : "+x"(a), "+x"(b));
#define STEP(x) _mm_add_ps(_mm_mul_ps(x, b), a)
    PEAK_LOOP(__m128, _mm_setzero_ps(), IN_SSE, STEP)
#undef STEP
}

__attribute__((target("avx2,fma"))) static void run_avx2(void)
{
    __m256 a = _mm256_set1_ps(1.0f), b = _mm256_set1_ps(1e-9f);
    __asm__ volatile("" : "+x"(a), "+x"(b));
#define STEP(x) _mm256_fmadd_ps(a, b, x)
    PEAK_LOOP(__m256, _mm256_setzero_ps(), IN_SSE, STEP)
#undef STEP
}

/* Bytes widened to 16 bits; the sums of pairs are added. */
__attribute__((target("avx2"))) static void run_avx2_words(void)
{
    __m256i a = _mm256_set1_epi16(1), b = a;
    __asm__ volatile("" : "+x"(a), "+x"(b));
#define STEP(x) _mm256_add_epi32(_mm256_madd_epi16(x, b), a)
    PEAK_LOOP(__m256i, _mm256_setzero_si256(), IN_SSE, STEP)
#undef STEP
}

__attribute__((target("avx512f"))) static void run_avx512(void)
{
    __m512 a = _mm512_set1_ps(1.0f), b = _mm512_set1_ps(1e-9f);
    __asm__ volatile("" : "+v"(a), "+v"(b));
#define STEP(x) _mm512_fmadd_ps(a, b, x)
    PEAK_LOOP(__m512, _mm512_setzero_ps(), IN_ZMM, STEP)
#undef STEP
}

__attribute__((target("avx512f,avx512bw"))) static void run_avx512_words(void)
{
    __m512i a = _mm512_set1_epi16(1), b = a;
    __asm__ volatile("" : "+v"(a), "+v"(b));
#define STEP(x) _mm512_add_epi32(_mm512_madd_epi16(x, b), a)
    PEAK_LOOP(__m512i, _mm512_setzero_si512(), IN_ZMM, STEP)
#undef STEP
}

__attribute__((target("avx512f,avx512bf16"))) static void run_avx512bf16(void)
{
    __m512i a = _mm512_set1_epi32(0x3f803f80), b = a;
    __asm__ volatile("" : "+v"(a), "+v"(b));
#define STEP(x) _mm512_dpbf16_ps(x, (__m512bh)a, (__m512bh)b)
    PEAK_LOOP(__m512, _mm512_setzero_ps(), IN_ZMM, STEP)
#undef STEP
}

__attribute__((target("avx512f,avx512vnni"))) static void run_avx512vnni(void)
{
    __m512i a = _mm512_set1_epi8(1), b = a;
    __asm__ volatile("" : "+v"(a), "+v"(b));
#define STEP(x) _mm512_dpbusd_epi32(x, a, b)
    PEAK_LOOP(__m512i, _mm512_setzero_si512(), IN_ZMM, STEP)
#undef STEP
}
#elif defined(__aarch64__)
#define IN_NEON(x) "+w"(x)

static void run_neon(void)
{
    float32x4_t a = vdupq_n_f32(1.0f), b = vdupq_n_f32(1e-9f);
    __asm__ volatile("" : "+w"(a), "+w"(b));
#define STEP(x)    vfmaq_f32(x, a, b)
    PEAK_LOOP(float32x4_t, vdupq_n_f32(0.0f), IN_NEON, STEP)
#undef STEP
}

static void run_neon_ref(void)
{
    float32x4_t a = vdupq_n_f32(1.0f), b = vdupq_n_f32(1e-9f);
    __asm__ volatile("" : "+w"(a), "+w"(b));
#define STEP(x) vaddq_f32(vmulq_f32(x, b), a)
    PEAK_LOOP(float32x4_t, vdupq_n_f32(0.0f), IN_NEON, STEP)
#undef STEP
}

/* Only the assembler need know an extension: Clang before 16 hides the intrinsics from a file that
 * is not compiled for it as a whole. */
#if defined(__clang__)
#define EXTENSION(name) __attribute__((target(name)))
#else
#define EXTENSION(name) __attribute__((target("arch=armv8.2-a+" name)))
#endif

EXTENSION("dotprod") static inline uint8x16_t add_dotprod(uint8x16_t x, uint8x16_t a, uint8x16_t b)
{
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(x) : "w"(a), "w"(b));
    return x;
}

EXTENSION("dotprod") static void run_dotprod(void)
{
    uint8x16_t a = vdupq_n_u8(0), b = a;
    __asm__ volatile("" : "+w"(a), "+w"(b));
#define STEP(x) add_dotprod(x, a, b)
    PEAK_LOOP(uint8x16_t, vdupq_n_u8(0), IN_NEON, STEP)
#undef STEP
}

EXTENSION("i8mm") static inline uint8x16_t add_i8mm(uint8x16_t x, uint8x16_t a, uint8x16_t b)
{
    __asm__("usmmla %0.4s, %1.16b, %2.16b" : "+w"(x) : "w"(a), "w"(b));
    return x;
}

EXTENSION("i8mm") static void run_i8mm(void)
{
    uint8x16_t a = vdupq_n_u8(0), b = a;
    __asm__ volatile("" : "+w"(a), "+w"(b));
#define STEP(x) add_i8mm(x, a, b)
    PEAK_LOOP(uint8x16_t, vdupq_n_u8(0), IN_NEON, STEP)
#undef STEP
}

EXTENSION("bf16") static inline uint8x16_t add_bf16(uint8x16_t x, uint8x16_t a, uint8x16_t b)
{
    __asm__("bfmmla %0.4s, %1.8h, %2.8h" : "+w"(x) : "w"(a), "w"(b));
    return x;
}

EXTENSION("bf16") static void run_bf16(void)
{
    uint8x16_t a = vdupq_n_u8(0), b = a;
    __asm__ volatile("" : "+w"(a), "+w"(b));
#define STEP(x) add_bf16(x, a, b)
    PEAK_LOOP(uint8x16_t, vdupq_n_u8(0), IN_NEON, STEP)
#undef STEP
}
#else
#define IN_REGISTER(x) "+r"(x)

static void run_c(void)
{
    float a = 1.0f, b = 1e-9f;
    __asm__ volatile("" : "+r"(a), "+r"(b));
#define STEP(x)        ((x)*b + a)
    PEAK_LOOP(float, 0.0f, IN_REGISTER, STEP)
#undef STEP
}
#endif

#define TYPE(name) (1u << EMBEDD_DTYPE_##name)

/* A level without instructions for bf16 multiplies as float32; "ref" and "neon" do so with bytes,
 * too. */
struct ed_peak_loop {
    const char *level;
    unsigned types; /* whose products of weights this loop's instruction makes */
    int n_products; /* of one step */
    void (*run)(void);
};

static const ed_peak_loop loops[] = {
#if defined(__x86_64__)
    {"ref", TYPE(F32) | TYPE(BF16) | TYPE(INT8), 4, run_sse},
    {"avx2", TYPE(F32) | TYPE(BF16), 8, run_avx2},
    {"avx2", TYPE(INT8), 16, run_avx2_words},
    {"avx512", TYPE(F32) | TYPE(BF16), 16, run_avx512},
    {"avx512", TYPE(INT8), 32, run_avx512_words},
    {"avx512vnni", TYPE(F32) | TYPE(BF16), 16, run_avx512},
    {"avx512vnni", TYPE(INT8), 64, run_avx512vnni},
    {"avx512bf16", TYPE(F32), 16, run_avx512},
    {"avx512bf16", TYPE(BF16), 32, run_avx512bf16},
    {"avx512bf16", TYPE(INT8), 64, run_avx512vnni},
#elif defined(__aarch64__)
    {"ref", TYPE(F32) | TYPE(BF16) | TYPE(INT8), 4, run_neon_ref},
    {"neon", TYPE(F32) | TYPE(BF16) | TYPE(INT8), 4, run_neon},
    {"dotprod", TYPE(F32) | TYPE(BF16), 4, run_neon},
    {"dotprod", TYPE(INT8), 16, run_dotprod},
    {"i8mm", TYPE(F32) | TYPE(BF16), 4, run_neon},
    {"i8mm", TYPE(INT8), 32, run_i8mm},
    {"bf16", TYPE(F32), 4, run_neon},
    {"bf16", TYPE(BF16), 16, run_bf16},
    {"bf16", TYPE(INT8), 32, run_i8mm},
#else
    {"ref", TYPE(F32) | TYPE(BF16) | TYPE(INT8), 1, run_c},
#endif
    {NULL, 0, 0, NULL},
};

const ed_peak_loop *ed_peak_loop_find(const char *level, embedd_dtype dtype)
{
    for (const ed_peak_loop *loop = loops; loop->level; loop++)
        if (strcmp(loop->level, level) == 0 && (loop->types >> dtype) & 1)
            return loop;
    return NULL;
}

static double operations_of(const ed_peak_loop *loop)
{
    return 2.0 * CHAINS * STEPS * loop->n_products;
}

double ed_peak_loop_run(const ed_peak_loop *loop)
{
    loop->run();
    return operations_of(loop);
}

static void run_task(void *context, size_t task_index, size_t thread_index)
{
    const ed_peak_loop *loop = context;

    (void)task_index;
    (void)thread_index;
    (void)ed_peak_loop_run(loop);
}

/* The best of a few short runs: the system may take a core away for a while. */
double ed_cpu_peak(const char *level, embedd_dtype dtype, size_t n_threads)
{
    const ed_peak_loop *loop = ed_peak_loop_find(level, dtype);
    ed_thread_pool *pool = NULL;
    double best = 0;

    if (loop == NULL || ed_thread_pool_open(&pool, n_threads, NULL) != EMBEDD_OK)
        return 0;
    for (int i = 0; i < REPEATS; i++) {
        ed_peak_loop copy = *loop;
        uint64_t begin = ed_clock_ns();
        ed_thread_pool_run(pool, run_task, &copy, TASKS * n_threads);
        double seconds = (double)(ed_clock_ns() - begin) * 1e-9;
        double n_operations = operations_of(loop) * TASKS * (double)n_threads;
        if (n_operations / seconds > best)
            best = n_operations / seconds;
    }
    ed_thread_pool_close(pool);
    return best;
}
