/* Chunks: the rules that hold for any text, and where a reader would have cut. */
#include "documents/breaks.h"
#include "support/chunk_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ed_chunks make(embedd_text text, const ed_chunk_options *options)
{
    ed_chunks chunks;
    embedd_error err;
    if (ed_chunks_make(&chunks, text, options, &err) != EMBEDD_OK)
        fail_msg("%s", err.message);
    const char *broken = chunk_rule_broken(text, options, &chunks);
    if (broken)
        fail_msg("size %zu, overlap %zu: %s", options->size, options->overlap, broken);
    return chunks;
}

/* The chunks of `text` with a bar between them. */
static void expect(const char *text, size_t size, size_t overlap, bool markdown,
                   const char *expected)
{
    char joined[4096] = "";
    size_t n = 0;
    const ed_chunk_options options = {size, overlap, ED_CHUNKS_MAX, markdown};
    ed_chunks chunks = make((embedd_text){text, strlen(text)}, &options);
    for (size_t i = 0; i < chunks.n_chunks; i++)
        n += (size_t)snprintf(joined + n, sizeof joined - n, "%s%.*s", i ? "|" : "",
                              (int)(chunks.chunks[i].end - chunks.chunks[i].begin),
                              text + chunks.chunks[i].begin);
    ed_chunks_clear(&chunks);
    assert_string_equal(joined, expected);
}

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Pieces that mean something to somebody, strung together. */
static size_t random_text(uint32_t *seed, char *out, size_t out_cap)
{
    static const char *const pieces[] = {"a",
                                         "word",
                                         " ",
                                         "  ",
                                         "\n",
                                         "\r\n",
                                         "\r",
                                         "\n\n",
                                         ". ",
                                         "! ",
                                         "? A",
                                         "J. ",
                                         "# ",
                                         "## B\n",
                                         "===\n",
                                         "---\n",
                                         "```\n",
                                         "~~~\n",
                                         "```",
                                         "\t",
                                         "\f",
                                         "    ",
                                         "e\xcc\x81",
                                         "\xcc\x81",
                                         "\xe2\x80\x8d",
                                         "\xf0\x9f\x91\xa9",
                                         "\xf0\x9f\x87\xa9",
                                         "\xe1\x84\x80",
                                         "\xe1\x85\xa1",
                                         "\xe3\x80\x82",
                                         "\xe4\xbd\xa0",
                                         "\xe2\x80\xa9",
                                         "\xc2\xa0",
                                         "\xd8\x80",
                                         "\"",
                                         ")",
                                         "*"};
    size_t n = 0, n_wanted = random_next(seed) % out_cap;
    for (;;) {
        const char *piece = pieces[random_next(seed) % (sizeof pieces / sizeof *pieces)];
        size_t times = 1 + (random_next(seed) % 16 == 0 ? random_next(seed) % 40 : 0);
        for (; times > 0; times--) {
            if (n + strlen(piece) > n_wanted)
                return n;
            memcpy(out + n, piece, strlen(piece));
            n += strlen(piece);
        }
    }
}

static void test_cut_where_it_hurts_least(void **state)
{
    (void)state;
    expect("", 20, 0, false, "");
    expect("It fits.", 8, 0, false, "It fits.");
    expect("one two three four five", 12, 0, false, "one two |three four |five");
    expect("First one. And another one here.", 20, 0, false, "First one. |And another one |here.");
    expect("Some of it.\n\nMore. And more of it here.", 24, 0, false,
           "Some of it.\n\n|More. And more of it |here.");
    expect("key: 1\nkey: 2 and more\nkey: 3\n", 26, 0, false, "key: 1\nkey: 2 and more\n|key: 3\n");
    expect("abcdefghij", 4, 0, false, "abcd|efgh|ij");
}

static void test_what_only_looks_like_a_sentence(void **state)
{
    (void)state;
    expect("We saw J. Smith there again.", 14, 0, false, "We saw J. |Smith there |again.");
    expect("It was, e.g. Bob, not us at all", 16, 0, false, "It was, e.g. |Bob, not us at |all");
    expect("Really? yes, he said so. Then on", 26, 0, false, "Really? yes, he said so. |Then on");
    expect("He said \"no.\" Then he left it", 24, 0, false, "He said \"no.\" |Then he left it");
    /* Two sentences of Chinese, with no space between them. */
    expect("\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97", 5, 0, false,
           "\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82|\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97");
}

static void test_overlap_begins_with_a_word(void **state)
{
    (void)state;
    expect("one two three four five six", 14, 6, false, "one two three |three four |four five six");
    expect("abcdefghijkl", 6, 2, false, "abcdef|efghij|ijkl");
    expect("abcdefghijkl", 6, 0, false, "abcdef|ghijkl");
}

static void test_markdown_headings_and_code(void **state)
{
    (void)state;
    const char *headings = "# A\n\nText of a.\n\nMore of a.\n\n## B\n\nText of b.\n";
    expect(headings, 34, 0, true, "# A\n\nText of a.\n\nMore of a.\n\n|## B\n\nText of b.\n");
    expect("Intro text.\n\nTitle\n=====\n\nText of it.\n", 25, 0, true,
           "Intro text.\n\n|Title\n=====\n\nText of it.\n");
    /* What looks like a heading inside of code is none, and code is kept together. */
    expect("Run this.\n\n```sh\n# all\n\nmake. Now\n```\n\nThen see.\n", 40, 0, true,
           "Run this.\n\n```sh\n# all\n\nmake. Now\n```\n\n|Then see.\n");
    expect("#hashtag is text. More text here", 20, 0, true, "#hashtag is text. |More text here");
}

static void test_graphemes_stay_whole(void **state)
{
    (void)state;
    const char *family = "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7";
    const char *flag = "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"; /* two regional indicators */
    char text[256], expected[256];
    snprintf(text, sizeof text, "ab%s%scd\r\ne", family, flag);
    snprintf(expected, sizeof expected, "ab|%s|%scd|\r\ne", family, flag);
    expect(text, 5, 0, false, expected);
    /* One that no chunk can hold is cut between code points: an "e" under nine accents. */
    expect("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81!", 4, 2,
           false, "e\xcc\x81\xcc\x81\xcc\x81|\xcc\x81\xcc\x81\xcc\x81\xcc\x81|\xcc\x81\xcc\x81!");
}

static void test_the_limit_of_chunks_is_told(void **state)
{
    (void)state;
    ed_chunk_options options = {4, 0, 2, false};
    ed_chunks chunks = make((embedd_text){"abcdefghi", 9}, &options);
    assert_int_equal(chunks.n_chunks, 2);
    assert_true(chunks.cut);
    ed_chunks_clear(&chunks);
    chunks = make((embedd_text){"abcdefgh", 8}, &options);
    assert_false(chunks.cut);
    ed_chunks_clear(&chunks);
    options.chunks_max = 0;
    chunks = make((embedd_text){"a", 1}, &options);
    assert_true(chunks.n_chunks == 0 && chunks.cut);
    ed_chunks_clear(&chunks);
}

/* What stands far behind the last chunk is not looked at, and changes nothing. */
static void test_a_limit_of_chunks_gives_the_first_of_all(void **state)
{
    (void)state;
    uint32_t seed = 7;
    char text[2000];
    for (int i = 0; i < 500; i++) {
        const embedd_text whole = {text, random_text(&seed, text, sizeof text)};
        ed_chunk_options options = {20, 5, SIZE_MAX, false};
        ed_chunks all = make(whole, &options);
        options.chunks_max = 3;
        ed_chunks first = make(whole, &options);
        assert_true(first.n_chunks == (all.n_chunks < 3 ? all.n_chunks : 3));
        for (size_t j = 0; j < first.n_chunks; j++)
            assert_memory_equal(&first.chunks[j], &all.chunks[j], sizeof first.chunks[j]);
        ed_chunks_clear(&first);
        ed_chunks_clear(&all);
    }
}

static void test_options_that_cannot_be(void **state)
{
    (void)state;
    embedd_error err;
    ed_chunks chunks;
    const ed_chunk_options none = {0, 0, 9, false}, half = {10, 6, 9, false};
    assert_int_equal(ed_chunks_make(&chunks, (embedd_text){"a", 1}, &none, &err), EMBEDD_ARGUMENT);
    assert_int_equal(ed_chunks_make(&chunks, (embedd_text){"a", 1}, &half, &err), EMBEDD_ARGUMENT);
}

/* ---- any text -------------------------------------------------------------------------------- */

static void test_rules_hold_for_any_text(void **state)
{
    (void)state;
    uint32_t seed = 6;
    char text[700];
    for (int i = 0; i < 4000; i++) {
        size_t n_bytes = random_text(&seed, text, sizeof text);
        size_t size = 1 + random_next(&seed) % 60;
        const ed_chunk_options options = {size, random_next(&seed) % (size / 2 + 1),
                                          1 + random_next(&seed) % 200, i % 2};
        char *exact = malloc(n_bytes ? n_bytes : 1); /* a sanitizer sees the first byte beyond */
        assert_non_null(exact);
        memcpy(exact, text, n_bytes);
        ed_chunks chunks = make((embedd_text){exact, n_bytes}, &options);
        ed_chunks_clear(&chunks);
        free(exact);
    }
}

/* A chunk that is not the last one brings at least half of what it could. */
static void test_work_is_in_proportion_to_the_text(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",   " ",     "\n",    "# a\n",
                                         "a. ", "```\n", "\n\na", "e\xcc\x81"};
    enum { TEXT_BYTES = 1 << 20 };
    char *text = malloc(TEXT_BYTES);
    assert_non_null(text);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        size_t n = strlen(pieces[p]), n_bytes = TEXT_BYTES / n * n;
        for (size_t i = 0; i < n_bytes; i++)
            text[i] = pieces[p][i % n];
        const ed_chunk_options options = {ED_CHUNK_SIZE, ED_CHUNK_SIZE / 2, SIZE_MAX, true};
        ed_chunks chunks = make((embedd_text){text, n_bytes}, &options);
        assert_true(chunks.n_chunks <= n_bytes / (ED_CHUNK_SIZE / 4) + 1);
        ed_chunks_clear(&chunks);
    }
    /* One cluster of a million code points: each chunk looks no further than its size. */
    text[0] = 'e';
    for (size_t i = 1; i + 1 < TEXT_BYTES; i += 2)
        memcpy(text + i, "\xcc\x81", 2);
    const ed_chunk_options small = {2, 1, SIZE_MAX, false};
    ed_chunks chunks = make((embedd_text){text, TEXT_BYTES - 1}, &small);
    assert_int_equal(chunks.n_chunks, (TEXT_BYTES / 2 + 1) / 2);
    ed_chunks_clear(&chunks);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_where_it_hurts_least),
        cmocka_unit_test(test_what_only_looks_like_a_sentence),
        cmocka_unit_test(test_overlap_begins_with_a_word),
        cmocka_unit_test(test_markdown_headings_and_code),
        cmocka_unit_test(test_graphemes_stay_whole),
        cmocka_unit_test(test_the_limit_of_chunks_is_told),
        cmocka_unit_test(test_a_limit_of_chunks_gives_the_first_of_all),
        cmocka_unit_test(test_options_that_cannot_be),
        cmocka_unit_test(test_rules_hold_for_any_text),
        cmocka_unit_test(test_work_is_in_proportion_to_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
