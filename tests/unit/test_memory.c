/* Blocks, arena and growing buffer. */
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifdef ASAN
#include <sanitizer/asan_interface.h>
#endif

static void test_calloc_refuses_what_does_not_fit(void **state)
{
    (void)state;
    assert_null(ed_calloc(SIZE_MAX / 2, 3));
    assert_null(ed_calloc(SIZE_MAX, 1));
    assert_null(ed_realloc(NULL, SIZE_MAX / 4, 8));
    assert_null(ed_aligned_alloc(SIZE_MAX));
    assert_null(ed_aligned_alloc(SIZE_MAX - 100));
    assert_null(ed_strndup("", SIZE_MAX));
}

static void test_zero_bytes_give_a_block(void **state)
{
    (void)state;
    void *a = ed_calloc(0, 8), *b = ed_calloc(8, 0), *c = ed_realloc(NULL, 0, 0);
    void *d = ed_aligned_alloc(0);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_non_null(d);
    ed_free(a);
    ed_free(b);
    c = ed_realloc(c, 0, 4);
    assert_non_null(c);
    ed_free(c);
    ed_aligned_free(d, 0);
    ed_free(NULL);
    ed_aligned_free(NULL, 0);
}

static void test_calloc_zeroes_realloc_keeps(void **state)
{
    (void)state;
    int *numbers = ed_calloc(1000, sizeof *numbers);
    assert_non_null(numbers);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(numbers[i], 0);
        numbers[i] = i;
    }
    numbers = ed_realloc(numbers, 100000, sizeof *numbers);
    assert_non_null(numbers);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    ed_free(numbers);
}

static void test_aligned_blocks(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 63, 64, 65, 4095, ((size_t)4 << 20) - 1, (size_t)4 << 20, 9000001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *block = ed_aligned_alloc(sizes[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % ED_ALIGNMENT, 0);
        block[0] = 1;
        block[sizes[i] - 1] = 2;
        ed_aligned_free(block, sizes[i]);
    }
}

static void test_strings(void **state)
{
    (void)state;
    char *a = ed_strdup("embedd"), *b = ed_strndup("a\0b", 3), *c = ed_strndup(NULL, 0);
    assert_string_equal(a, "embedd");
    assert_memory_equal(b, "a\0b", 4);
    assert_string_equal(c, "");
    ed_free(a);
    ed_free(b);
    ed_free(c);
}

static void test_arena_hands_out_what_was_planned(void **state)
{
    (void)state;
    ed_arena arena = {0};
    const size_t sizes[] = {100, 1, 64, 0, 4096};
    enum { N = sizeof sizes / sizeof *sizes };
    unsigned char *blocks[N];
    for (size_t i = 0; i < N; i++)
        ed_arena_plan(&arena, sizes[i], 3);
    assert_true(ed_arena_alloc(&arena));
    for (size_t i = 0; i < N; i++) {
        blocks[i] = ed_arena_take(&arena, sizes[i], 3);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % ED_ALIGNMENT, 0);
        memset(blocks[i], (int)i + 1, sizes[i] * 3);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < sizes[i] * 3; j++)
            assert_int_equal(blocks[i][j], i + 1);
#ifdef ASAN
    assert_false(__asan_address_is_poisoned(blocks[0] + 299));
    assert_true(__asan_address_is_poisoned(blocks[0] + 300));
    assert_true(__asan_address_is_poisoned(blocks[2] + 192));
    assert_true(__asan_address_is_poisoned(blocks[3]));
#endif
    ed_arena_release(&arena);
    assert_null(arena.base);
    ed_arena_release(&arena);
}

static void test_arena_overflow(void **state)
{
    (void)state;
    ed_arena arena = {0};
    ed_arena_plan(&arena, SIZE_MAX / 2, 4);
    assert_false(ed_arena_alloc(&arena));
    arena = (ed_arena){0};
    ed_arena_plan(&arena, SIZE_MAX / 2, 1);
    ed_arena_plan(&arena, SIZE_MAX / 2, 1);
    ed_arena_plan(&arena, 4, 1);
    assert_false(ed_arena_alloc(&arena));
    ed_arena_release(&arena);
}

static void test_empty_arena(void **state)
{
    (void)state;
    ed_arena arena = {0};
    assert_true(ed_arena_alloc(&arena));
    ed_arena_release(&arena);
}

static void test_buf_grows_to_its_maximum(void **state)
{
    (void)state;
    ed_buf buf;
    ed_buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++)
        assert_true(ed_buf_append(&buf, "0123456789", 10));
    assert_int_equal(buf.n_bytes, 1000);
    assert_true(ed_buf_append(&buf, "", 0));
    assert_false(ed_buf_append(&buf, "x", 1));
    assert_true(buf.failed);
    assert_int_equal(buf.n_bytes, 1000);
    assert_false(ed_buf_append(&buf, "", 0)); /* a failed buffer stays failed */
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(buf.data[i], '0' + (int)(i % 10));
    ed_buf_reset(&buf);
    assert_false(buf.failed);
    assert_int_equal(buf.n_bytes, 0);
    assert_true(ed_buf_append_text(&buf, "again"));
    assert_memory_equal(buf.data, "again", 5);
    ed_buf_clear(&buf);
    assert_null(buf.data);
    ed_buf_clear(&buf);
}

static void test_buf_printf(void **state)
{
    (void)state;
    ed_buf buf;
    ed_buf_init(&buf, 600);
    assert_true(ed_buf_printf(&buf, "%s", ""));
    assert_true(ed_buf_printf(&buf, "%d-%s", 42, "x"));
    assert_int_equal(buf.n_bytes, 4);
    assert_memory_equal(buf.data, "42-x", 4);
    assert_true(ed_buf_printf(&buf, "%596d", 1)); /* to the last byte */
    assert_int_equal(buf.n_bytes, 600);
    assert_int_equal(buf.data[599], '1');
    assert_false(ed_buf_printf(&buf, "y"));
    assert_int_equal(buf.n_bytes, 600);
    ed_buf_clear(&buf);
}

static void test_buf_without_a_practical_maximum(void **state)
{
    (void)state;
    ed_buf buf;
    ed_buf_init(&buf, SIZE_MAX);
    assert_true(ed_buf_append_text(&buf, "abc"));
    assert_false(ed_buf_reserve(&buf, SIZE_MAX - 3));
    assert_true(buf.failed);
    assert_memory_equal(buf.data, "abc", 3);
    ed_buf_clear(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calloc_refuses_what_does_not_fit),
        cmocka_unit_test(test_zero_bytes_give_a_block),
        cmocka_unit_test(test_calloc_zeroes_realloc_keeps),
        cmocka_unit_test(test_aligned_blocks),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_arena_hands_out_what_was_planned),
        cmocka_unit_test(test_arena_overflow),
        cmocka_unit_test(test_empty_arena),
        cmocka_unit_test(test_buf_grows_to_its_maximum),
        cmocka_unit_test(test_buf_printf),
        cmocka_unit_test(test_buf_without_a_practical_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
