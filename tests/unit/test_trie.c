#include "base/memory.h"
#include "tokenizer/trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct key {
    char bytes[12];
    size_t n_bytes;
} key;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static bool same_key(const key *a, const key *b)
{
    return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

/* What the trie must say of a string: the last index with which it was put in. */
static uint32_t index_of(const key *keys, size_t n_keys, const key *wanted)
{
    for (size_t i = n_keys; i-- > 0;)
        if (same_key(&keys[i], wanted))
            return (uint32_t)i;
    return ED_TRIE_NONE;
}

static void random_key(key *out, uint32_t *state, uint32_t n_letters)
{
    out->n_bytes = 1 + next_random(state) % sizeof out->bytes;
    for (size_t i = 0; i < out->n_bytes; i++)
        out->bytes[i] = (char)(next_random(state) % n_letters * 37);
}

static void finds_what_was_put_in(void **state)
{
    (void)state;
    enum { N_KEYS = 700 };
    static key keys[N_KEYS];
    for (uint32_t n_letters = 1; n_letters <= 256; n_letters += n_letters < 4 ? 1 : 63) {
        uint32_t random = n_letters;
        ed_trie_builder builder = {0};
        ed_trie trie;
        for (uint32_t i = 0; i < N_KEYS; i++) {
            random_key(&keys[i], &random, n_letters);
            *ed_trie_builder_value(&builder, keys[i].bytes, keys[i].n_bytes) = i;
        }
        assert_true(ed_trie_open(&trie, &builder));
        ed_trie_builder_clear(&builder);
        for (size_t i = 0; i < N_KEYS; i++) {
            key other;
            random_key(&other, &random, n_letters);
            assert_int_equal(ed_trie_find(&trie, keys[i].bytes, keys[i].n_bytes),
                             index_of(keys, N_KEYS, &keys[i]));
            assert_int_equal(ed_trie_find(&trie, other.bytes, other.n_bytes),
                             index_of(keys, N_KEYS, &other));
        }
        ed_trie_close(&trie);
    }
}

/* Every state with every byte, so that free cells are met, too. */
static void every_byte_from_every_state_is_right(void **state)
{
    (void)state;
    enum { N_KEYS = 300 };
    static key keys[N_KEYS];
    uint32_t random = 5;
    ed_trie_builder builder = {0};
    ed_trie trie;
    for (uint32_t i = 0; i < N_KEYS; i++) {
        random_key(&keys[i], &random, 256);
        keys[i].n_bytes = keys[i].n_bytes % 3 + 1;
        *ed_trie_builder_value(&builder, keys[i].bytes, keys[i].n_bytes) = i;
    }
    assert_true(ed_trie_open(&trie, &builder));
    for (size_t i = 0; i < N_KEYS; i++) {
        key longer = keys[i];
        longer.n_bytes++;
        for (int byte = 0; byte < 256; byte++) {
            longer.bytes[longer.n_bytes - 1] = (char)byte;
            assert_int_equal(ed_trie_find(&trie, longer.bytes, longer.n_bytes),
                             index_of(keys, N_KEYS, &longer));
        }
    }
    ed_trie_builder_clear(&builder);
    ed_trie_close(&trie);
}

static void an_empty_trie_has_nothing(void **state)
{
    (void)state;
    ed_trie_builder builder = {0};
    ed_trie trie;
    assert_true(ed_trie_open(&trie, &builder));
    for (int byte = 0; byte < 256; byte++) {
        char text[] = {(char)byte, 'a'};
        assert_int_equal(ed_trie_find(&trie, text, 2), ED_TRIE_NONE);
        assert_int_equal(ed_trie_walk(&trie, trie.root, text, 2), ED_TRIE_DEAD);
    }
    ed_trie_close(&trie);
}

static void a_walk_goes_on_where_another_ended(void **state)
{
    (void)state;
    ed_trie_builder builder = {0};
    ed_trie trie;
    *ed_trie_builder_value(&builder, "##ab", 4) = 7;
    *ed_trie_builder_value(&builder, "##", 2) = 8;
    assert_true(ed_trie_open(&trie, &builder));
    uint32_t value, base = ed_trie_walk(&trie, trie.root, "##", 2);
    assert_int_not_equal(base, ED_TRIE_DEAD);
    assert_true(ed_trie_step(&trie, &base, 'a', &value));
    assert_int_equal(value, ED_TRIE_NONE);
    assert_true(ed_trie_step(&trie, &base, 'b', &value));
    assert_int_equal(value, 7);
    assert_int_equal(base, ED_TRIE_DEAD);
    assert_false(ed_trie_step(&trie, &base, 'b', &value));
    ed_trie_builder_clear(&builder);
    ed_trie_close(&trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put_in),
        cmocka_unit_test(every_byte_from_every_state_is_right),
        cmocka_unit_test(an_empty_trie_has_nothing),
        cmocka_unit_test(a_walk_goes_on_where_another_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
