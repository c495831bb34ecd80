/* Numbers in blocks, bit for bit as the gguf package of Python reads them: tests/data/quants. */
#include "formats/gguf.h"
#include "formats/quants.h"
#include "support/expected.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static ed_gguf file;

static int open_file(void **state)
{
    char path[4096];
    embedd_error err;

    (void)state;
    snprintf(path, sizeof path, "%s/quants/quants.gguf", expected_environment("EMBEDD_TEST_DATA"));
    return ed_gguf_open(&file, path, &err) != EMBEDD_OK;
}

static int close_file(void **state)
{
    (void)state;
    ed_gguf_close(&file);
    return 0;
}

static const ed_tensor *tensor_of(const char *name)
{
    for (size_t i = 0; i < file.n_tensors; i++)
        if (strcmp(file.tensors[i].name, name) == 0)
            return &file.tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static const char *const names[] = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0",
                                    "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"};

/* Both tensors of a name, the expected one read as float32. */
static const ed_tensor *open_pair(const char *name, float **expected)
{
    char expected_name[32];
    const ed_tensor *tensor = tensor_of(name);

    snprintf(expected_name, sizeof expected_name, "%s.f32", name);
    const ed_tensor *floats = tensor_of(expected_name);
    assert_int_equal(floats->n_elements, tensor->n_elements);
    *expected = calloc(floats->n_elements, sizeof **expected);
    assert_true(ed_tensor_read_f32(floats, 0, floats->n_elements, *expected));
    return tensor;
}

static void every_type_reads_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        float *expected;
        const ed_tensor *tensor = open_pair(names[i], &expected);
        float *numbers = calloc(tensor->n_elements, sizeof *numbers);
        assert_string_equal(ed_quants_of(tensor->type)->name, names[i]);
        assert_true(ed_tensor_read_f32(tensor, 0, tensor->n_elements, numbers));
        for (size_t j = 0; j < tensor->n_elements; j++)
            if (memcmp(&numbers[j], &expected[j], sizeof *numbers) != 0)
                fail_msg("%s: number %zu is %.9g, not %.9g", names[i], j, (double)numbers[j],
                         (double)expected[j]);
        free(numbers);
        free(expected);
    }
}

/* A run may begin and end inside a block. */
static void any_run_reads_the_same_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        float *expected;
        const ed_tensor *tensor = open_pair(names[i], &expected);
        for (size_t begin = 0; begin < tensor->n_elements; begin += 37) {
            for (size_t n = 0; begin + n <= tensor->n_elements; n += 41) {
                float *run = malloc((n + 1) * sizeof *run); /* a sanitizer sees one too many */
                assert_true(ed_tensor_read_f32(tensor, begin, n, run));
                assert_memory_equal(run, expected + begin, n * sizeof *run);
                free(run);
            }
        }
        free(expected);
    }
}

static void no_run_leaves_the_tensor(void **state)
{
    float numbers[2];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const ed_tensor *tensor = tensor_of(names[i]);
        assert_false(ed_tensor_read_f32(tensor, tensor->n_elements, 1, numbers));
        assert_false(ed_tensor_read_f32(tensor, tensor->n_elements - 1, 2, numbers));
        assert_false(ed_tensor_read_f32(tensor, SIZE_MAX, 2, numbers));
    }
}

static void plain_types_have_no_blocks(void **state)
{
    (void)state;
    assert_null(ed_quants_of(ED_TENSOR_F32));
    assert_null(ed_quants_of(ED_TENSOR_F16));
    assert_null(ed_quants_of(ED_TENSOR_BF16));
    assert_null(ed_quants_of(ED_TENSOR_OTHER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_reads_as_expected),
        cmocka_unit_test(any_run_reads_the_same_numbers),
        cmocka_unit_test(no_run_leaves_the_tensor),
        cmocka_unit_test(plain_types_have_no_blocks),
    };
    return cmocka_run_group_tests(tests, open_file, close_file);
}
