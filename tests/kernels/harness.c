#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATTERN = 0xa5, PRINTED_MAX = 10 };

static struct {
    const char *test, *level;
    size_t n_failures; /* of this test */
    uint32_t random;
} now;

void check_that(bool holds, const char *format, ...)
{
    va_list arguments;

    if (holds)
        return;
    if (++now.n_failures > PRINTED_MAX)
        return;
    printf("%s, %s: ", now.level, now.test);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return argc < 2;
}

static bool run_test(const check_test *test, const ed_kernels *k)
{
    now.test = test->name;
    now.level = k->level;
    now.n_failures = 0;
    now.random = 1;
    test->run(k);
    printf("%-10s %-40s %s\n", k->level, test->name, now.n_failures == 0 ? "ok" : "FAILED");
    fflush(stdout);
    return now.n_failures == 0;
}

int check_main(int argc, char **argv, const check_test *tests, size_t n_tests)
{
    const char *const *levels = ed_kernels_levels();
    const char *forced = getenv("EMBEDD_CPU");
    const char *const only_forced[] = {forced, NULL};
    size_t n_run = 0, n_failed = 0;

    if (forced != NULL && *forced != '\0')
        levels = only_forced;
    for (; *levels != NULL; levels++) {
        ed_kernels k;
        embedd_error err;

        if (ed_kernels_open(&k, *levels, &err) != EMBEDD_OK) {
            printf("%s\n", err.message);
            return 1;
        }
        for (size_t t = 0; t < n_tests; t++) {
            if (!is_wanted(tests[t].name, argc, argv))
                continue;
            n_run++;
            n_failed += !run_test(&tests[t], &k);
        }
    }
    printf("%zu run, %zu failed\n", n_run, n_failed);
    return n_run > 0 && n_failed == 0 ? 0 : 1;
}

/* ---- numbers --------------------------------------------------------------------------------- */

uint32_t check_random(uint32_t n)
{
    now.random = now.random * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(now.random >> 8) * n >> 24);
}

float check_random_float(float magnitude)
{
    return magnitude * ((float)check_random(1u << 24) / 8388608.0f - 1.0f);
}

void check_fill(float *x, size_t n, float magnitude)
{
    for (size_t i = 0; i < n; i++)
        x[i] = check_random_float(magnitude);
}

/* ---- memory ---------------------------------------------------------------------------------- */

check_buffer check_alloc(size_t n_bytes, bool aligned)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t room = (n_bytes + 64 + page - 1) / page * page;
    const size_t alignment = aligned ? 64 : 1;
    check_buffer b = {.n_bytes = n_bytes, .pages_bytes = room + page};
    void *pages =
        mmap(NULL, b.pages_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED || mprotect((char *)pages + room, page, PROT_NONE) != 0) {
        perror("check_alloc");
        exit(1);
    }
    b.pages = pages;
    memset(b.pages, PATTERN, room);
    b.data = b.pages + (room - n_bytes) / alignment * alignment;
    return b;
}

void check_release(check_buffer *b)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const unsigned char *data = b->data;
    const unsigned char *end = b->pages + b->pages_bytes - page;

    for (const unsigned char *p = b->pages; p < end; p++) {
        if (p == data)
            p += b->n_bytes;
        if (p < end && *p != PATTERN) {
            check_that(false, "a byte %td from the end of a buffer of %zu was written",
                       p - (data + b->n_bytes), b->n_bytes);
            break;
        }
    }
    munmap(b->pages, b->pages_bytes);
    *b = (check_buffer){0};
}

float *check_floats(check_buffer *buffer, size_t n)
{
    *buffer = check_alloc(n * sizeof(float), false);
    return buffer->data;
}
