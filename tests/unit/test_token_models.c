#include "base/memory.h"
#include "support/small_tokenizer.h"
#include "tokenizer/score_number.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/word_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *model, const char *text, const char *expected)
{
    char json[2048];
    ed_tokenizer *tokenizer;
    embedd_error err;
    snprintf(json, sizeof json, "{\"model\":%s}", model);
    if (ed_tokenizer_open_bytes(&tokenizer, json, strlen(json), "t.json", &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    assert_string_equal(small_tokenizer_ids(tokenizer, text), expected);
    ed_tokenizer_close(tokenizer);
}

#define UNIGRAM(vocab, more)                                                                       \
    "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"u\",0]," vocab "]" more "}"

static void unigram_takes_the_best_sum(void **state)
{
    (void)state;
    check(UNIGRAM("[\"a\",-1],[\"b\",-1],[\"ab\",-3],[\"c\",-9],[\"bc\",-2]", ""), "abc", "1 5");
    check(UNIGRAM("[\"a\",-1],[\"b\",-1],[\"ab\",-1.5]", ""), "abab", "3 3");
    /* Equal sums: the way that was found first, from the earlier begin. */
    check(UNIGRAM("[\"a\",-1],[\"b\",-1],[\"ab\",-2]", ""), "ab", "3");
    check(UNIGRAM("[\"ab\",-2],[\"c\",-2],[\"a\",-2],[\"bc\",-2]", ""), "abc", "3 4");
    /* Of a piece that is there twice the last place counts. */
    check(UNIGRAM("[\"a\",-1],[\"a\",-5]", ""), "a", "2");
}

static void unigram_joins_what_is_unknown(void **state)
{
    (void)state;
    check(UNIGRAM("[\"a\",-1]", ""), "xyaz\xC3\xA9", "0 1 0");
    check(UNIGRAM("[\"a\",-1],[\"xy\",-99]", ""), "xyxa", "2 0 1");
    check(UNIGRAM("[\"a\",-1],[\"<0xC3>\",-9],[\"<0xA9>\",-9]", ",\"byte_fallback\":true"),
          "a\xC3\xA9", "1 2 3");
    /* All of its bytes, or none. */
    check(UNIGRAM("[\"a\",-1],[\"<0xC3>\",-9],[\"<0xA9>\",-9]", ",\"byte_fallback\":true"),
          "a\xC3\xA9z", "1 0");
    check(UNIGRAM("[\"a\",-1]", ""), "", "");
}

#define BPE(vocab, merges, more)                                                                   \
    "{\"type\":\"BPE\",\"vocab\":{\"u\":0," vocab "},\"merges\":[" merges "]" more "}"
#define ABC "\"a\":1,\"b\":2,\"c\":3,\"ab\":4,\"bc\":5,\"abc\":6"
#define UNK ",\"unk_token\":\"u\""

static void bpe_merges_in_order(void **state)
{
    (void)state;
    check(BPE(ABC, "\"a b\",\"b c\"", ""), "abcbc", "4 3 5");
    check(BPE(ABC, "\"b c\",\"a b\",\"a bc\"", ""), "abcab", "6 4");
    check(BPE(ABC, "[\"b\",\"c\"],[\"a\",\"b\"]", ""), "abc", "1 5");
    check(BPE(ABC, "\"#version: 0.2\",\"a b\"", ""), "abab", "4 4");
    check(BPE(ABC, "", ",\"ignore_merges\":true"), "abc", "6");
    check(BPE(ABC, "", ",\"ignore_merges\":true"), "abca", "1 2 3 1");
    check(BPE("\"a\":1,\"aa\":2,\"aaaa\":3", "\"a a\",\"aa aa\"", ""), "aaaaaaa", "3 2 1");
    /* Longer than what is looked through from end to end. */
    check(BPE("\"a\":1,\"aa\":2,\"aaaa\":3", "\"a a\",\"aa aa\"", ""),
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "3 3 3 3 3 3 3 3 3 3 2 1");
}

static void bpe_leaves_out_joins_or_spells_what_is_unknown(void **state)
{
    (void)state;
    check(BPE(ABC, "", ""), "axxb", "1 2");
    check(BPE(ABC, "", UNK), "axxb", "1 0 0 2");
    check(BPE(ABC, "", UNK ",\"fuse_unk\":true"), "axxbx", "1 0 2 0");
#define BYTES ABC ",\"<0x78>\":7"
    check(BPE(BYTES, "", UNK ",\"byte_fallback\":true"), "axyb", "1 7 0 2");
    /* Bytes come before an unknown that still waits. */
    check(BPE(BYTES, "", UNK ",\"byte_fallback\":true"), "yxb", "7 0 2");
    check(BPE(BYTES, "", UNK ",\"byte_fallback\":true,\"fuse_unk\":true"), "yxyb", "7 0 2");
}

#define MARK   "\xE2\x96\x81"
#define MARKED ABC ",\"" MARK "\":7,\"" MARK "a\":8,\"b" MARK "\":9"

static void bpe_merges_across_a_space_if_tokens_do(void **state)
{
    (void)state;
    check(BPE(MARKED, "\"" MARK " a\"", UNK), MARK "ab" MARK "a" MARK MARK "ab", "8 2 8 7 8 2");
    /* b and the space merge before the space and what follows. */
    check(BPE(MARKED, "\"b " MARK "\",\"" MARK " a\"", UNK), "ab" MARK "a" MARK "a", "1 9 1 8");
    check(BPE(MARKED, "\"" MARK " a\",\"b " MARK "\"", UNK), "ab" MARK "a" MARK "c", "1 2 8 7 3");
    /* What is unknown joins over the space that is unknown, too. */
    check(BPE(ABC, "", UNK ",\"fuse_unk\":true"), "ax" MARK "xb", "1 0 2");
    check(BPE(MARKED, "\"" MARK " a\"", UNK ",\"fuse_unk\":true"), "ax" MARK "xb", "1 0 7 0 2");
}

static void words_have_the_same_ids_again(void **state)
{
    (void)state;
    ed_word_cache_entry *entries = ed_calloc(ED_WORD_CACHE_ENTRIES, sizeof *entries);
    const char text[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    ed_word_key key;
    assert_non_null(entries);
    assert_null(ed_word_cache_place(entries, (embedd_text){"", 0}, &key));
    assert_null(ed_word_cache_place(entries, (embedd_text){text, 33}, &key));
    for (size_t n = 1; n <= ED_WORD_CACHE_BYTES_MAX; n++) {
        embedd_text word = {text, n};
        int32_t ids[ED_WORD_CACHE_IDS_MAX + 1] = {(int32_t)n};
        ed_word_cache_entry *entry = ed_word_cache_place(entries, word, &key);
        assert_false(ed_word_cache_holds(entry, word, &key));
        ed_word_cache_put(entry, word, &key, ids, ED_WORD_CACHE_IDS_MAX + 1); /* too many */
        assert_false(ed_word_cache_holds(entry, word, &key));
        ed_word_cache_put(entry, word, &key, ids, ED_WORD_CACHE_IDS_MAX);
        assert_true(ed_word_cache_holds(entry, word, &key));
        assert_int_equal(entry->ids[0], n);
        /* Any other byte makes another word, even in the same place. */
        for (size_t i = 0; i < n; i++) {
            char other[ED_WORD_CACHE_BYTES_MAX];
            memcpy(other, text, n);
            other[i] = '-';
            ed_word_cache_place(entries, (embedd_text){other, n}, &key);
            assert_false(ed_word_cache_holds(entry, (embedd_text){other, n}, &key));
        }
    }
    ed_free(entries);
}

static void bpe_marks_the_inside_and_the_end(void **state)
{
    (void)state;
    static const char marked[] =
        BPE("\"a\":1,\"##a\":2,\"##b\":3,\"aa\":4,\"##ab\":5", "\"a ##a\",\"##a ##b\"",
            ",\"continuing_subword_prefix\":\"##\"");
    check(marked, "aaab", "4 5");
    check(marked, "b", "");
    check(
        BPE("\"a\":1,\"a</w>\":2,\"aa</w>\":3", "\"a a</w>\"", ",\"end_of_word_suffix\":\"</w>\""),
        "aaa", "1 3");
}

static void word_level_looks_words_up(void **state)
{
    (void)state;
    check("{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"ab\":1}}", "ab", "1");
    check("{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{\"u\":0,\"ab\":1}}", "abc", "0");
}

static void scores_round_as_the_reference_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        {"0", 0},
        {"-0.0", -0.0},
        {"-12", -12},
        {"-2.5", -2.5},
        {"1e3", 1000},
        {"125E-2", 1.25},
        {"1.5e+2", 150},
        {"0.30000000000000004", 30000000000000004.0 / 1e17},
        {"-7.123456789012345", -7123456789012345.0 / 1e15},
        {"123456789012345678901234567890", 12345678901234567890.0 * 1e10},
        {"0.12345678901234567890123", 12345678901234567890.0 / 1e20},
        {"5e-324", 5 / 1e308 / 1e16},
    };
    double number;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(ed_score_number(cases[i].text, strlen(cases[i].text), &number));
        assert_memory_equal(&number, &cases[i].number, sizeof number);
    }
    assert_false(ed_score_number("1e309", 5, &number));
    assert_false(ed_score_number("-9e99999999999999999999", 23, &number));
    assert_true(ed_score_number("1e-99999999999999999999", 23, &number) && number == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unigram_takes_the_best_sum),
        cmocka_unit_test(unigram_joins_what_is_unknown),
        cmocka_unit_test(bpe_merges_in_order),
        cmocka_unit_test(bpe_leaves_out_joins_or_spells_what_is_unknown),
        cmocka_unit_test(bpe_merges_across_a_space_if_tokens_do),
        cmocka_unit_test(words_have_the_same_ids_again),
        cmocka_unit_test(bpe_marks_the_inside_and_the_end),
        cmocka_unit_test(word_level_looks_words_up),
        cmocka_unit_test(scores_round_as_the_reference_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
