/* Twice the text takes at most 2.3 times as long, whatever it is made of, for a tokenizer of each
 * family. */
#include "support/expected.h"
#include "tokenizer/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEXT_BYTES ((size_t)64 << 10)
#else
#define TEXT_BYTES ((size_t)512 << 10)
#endif
#define RATIO_MAX  2.3
#define ROUNDS_MIN 3
#define ROUNDS_MAX 60 /* a busy machine disturbs single rounds, not the best of many */
#define IDS_MAX    512

/* Processor time: other programs must not make the test fail. */
static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double time_of(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                      embedd_text text)
{
    int32_t ids[IDS_MAX];
    size_t n_ids, n_total;
    embedd_error err;
    double begin = cpu_seconds();
    if (ed_tokenizer_encode(tokenizer, scratch, text, IDS_MAX, ids, &n_ids, &n_total, &err) !=
        EMBEDD_OK)
        fail_msg("%s", err.message);
    return cpu_seconds() - begin;
}

static void check_unit(const ed_tokenizer *tokenizer, ed_tokenizer_scratch *scratch,
                       const char *folder, const char *unit)
{
    size_t unit_bytes = strlen(unit), n_bytes = TEXT_BYTES - TEXT_BYTES % (2 * unit_bytes);
    char *text = malloc(n_bytes);
    double half = 1e9, whole = 1e9;
    assert_non_null(text);
    for (size_t i = 0; i < n_bytes; i++)
        text[i] = unit[i % unit_bytes];
    for (size_t i = 0; i < ROUNDS_MIN || (i < ROUNDS_MAX && whole > half * RATIO_MAX); i++) {
        double seconds = time_of(tokenizer, scratch, (embedd_text){text, n_bytes / 2});
        half = seconds < half ? seconds : half;
        seconds = time_of(tokenizer, scratch, (embedd_text){text, n_bytes});
        whole = seconds < whole ? seconds : whole;
    }
    free(text);
    if (getenv("EMBEDD_PRINT_TIMES"))
        printf("%s \"%s\": %.2f ms, then %.2f: %.2f\n", folder, unit[0] == '\n' ? "\\n" : unit,
               half * 1e3, whole * 1e3, whole / half);
    if (whole > half * RATIO_MAX)
        fail_msg("%s, \"%s\": %.2f ms, then %.2f ms", folder, unit, half * 1e3, whole * 1e3);
}

static void twice_the_text_takes_twice_as_long(void **state)
{
    static const char *const folders[] = {
        "golden/bert",           "golden/mpnet",      "golden/roberta",   "golden/xlm-roberta",
        "golden/qwen3",          "golden/modernbert", "tokenizer/gemma3", "tokenizer/unigram-bytes",
        "tokenizer/bpe-affixes",
    };
    static const char *const units[] = {"a", " ", "\n", "ab"};
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[4096];
        ed_tokenizer *tokenizer = NULL;
        ed_tokenizer_scratch *scratch = NULL;
        embedd_error err;
        snprintf(path, sizeof path, "%s/%s", expected_environment("EMBEDD_TEST_DATA"), folders[i]);
        if (ed_tokenizer_open(&tokenizer, path, NULL, &err) != EMBEDD_OK ||
            ed_tokenizer_scratch_open(&scratch, tokenizer, &err) != EMBEDD_OK)
            fail_msg("%s", err.message);
        for (size_t j = 0; j < sizeof units / sizeof *units; j++)
            check_unit(tokenizer, scratch, folders[i], units[j]);
        ed_tokenizer_scratch_close(scratch);
        ed_tokenizer_close(tokenizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(twice_the_text_takes_twice_as_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
