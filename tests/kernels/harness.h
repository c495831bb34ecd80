/* What the checks of tests/kernels share: named tests, seeded numbers, buffers between guard pages.
 * They need nothing but a C library, so that they also run under an emulator of another CPU. */
#ifndef HARNESS_H
#define HARNESS_H

#include "kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct check_test {
    const char *name;
    void (*run)(const ed_kernels *k);
} check_test;

/* Runs every test (or those named by arguments) at every level this machine has, or at the one in
 * EMBEDD_CPU. Returns the exit status: 0 only if at least one test ran and none failed. */
int check_main(int argc, char **argv, const check_test *tests, size_t n_tests);

/* Counts a failure unless `holds` and says what was expected; the first ten are printed. */
void check_that(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- numbers: the same on every machine ------------------------------------------------------ */

uint32_t check_random(uint32_t n);         /* 0 .. n-1 */
float check_random_float(float magnitude); /* -magnitude .. magnitude */
void check_fill(float *x, size_t n, float magnitude);

/* ---- memory ---------------------------------------------------------------------------------- */

/* A buffer that ends at a page that may not be touched: one byte too far is a fault. With `aligned`
 * it begins at a multiple of 64 and up to 63 bytes lie between its end and the page; those, and the
 * bytes before it, hold a pattern that check_release compares. */
typedef struct check_buffer {
    void *data;
    size_t n_bytes;
    unsigned char *pages;
    size_t pages_bytes;
} check_buffer;

check_buffer check_alloc(size_t n_bytes, bool aligned); /* filled with the pattern */
void check_release(check_buffer *buffer);
/* A buffer of floats, not aligned, as callers may have them. */
float *check_floats(check_buffer *buffer, size_t n);

#endif
